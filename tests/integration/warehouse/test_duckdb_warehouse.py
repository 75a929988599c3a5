import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.errors import ConfigurationError, TransientError
from include.warehouse.connections import connect_warehouse
from include.warehouse.duckdb_warehouse import open_duckdb
from tests.integration.warehouse.nights import MONDAY, Nights, Version

pytestmark = pytest.mark.integration

A, B = Version("a"), Version("b")


def start(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


@pytest.fixture
def holder(nights: Nights) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a load."""
    process = start(
        """
        import sys, time
        from pathlib import Path
        from tests.integration.warehouse.nights import DAY, MONDAY, Nights, Version

        nights = Nights(Path(sys.argv[1]))
        with nights.warehouse.session() as session:
            session.run("insert_ledgers", spec="notes", ledger_id="half", now=MONDAY)
            print("loading", flush=True)
            time.sleep(60)
        """,
        nights.path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    yield process
    process.kill()
    process.communicate()


def test_a_load_that_is_killed_leaves_nothing(
    nights: Nights, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    assert nights.rows("from nightshift.ledgers") == []
    assert nights.list_versions("run-1", A)[1] == ["a@1"]


def test_waiting_for_the_lock_ends_with_an_error_that_names_it(
    nights: Nights, holder: subprocess.Popen[str]
) -> None:
    warehouse = open_duckdb(nights.path, lock_timeout_seconds=0.1)

    with (
        pytest.raises(TransientError, match=r"warehouse\.duckdb\.lock was not free"),
        warehouse.session(),
    ):
        pass

    assert holder.poll() is None


def test_loads_of_two_processes_take_turns(nights: Nights) -> None:
    program = """
        import sys
        from pathlib import Path
        from tests.integration.warehouse.nights import Nights, Version

        nights, name = Nights(Path(sys.argv[1])), sys.argv[2]
        for number in range(2):
            version = Version(f"{name}-{number}")
            nights.list_versions(f"run-{name}-{number}", version)
            nights.load(f"run-{name}-{number}", {version: "answered"})
        """
    processes = [start(program, nights.path, name) for name in ("left", "right")]

    assert [process.wait(60) for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    assert len(nights.rows("select 1 from nightshift.notes")) == 4


def test_an_exception_rolls_back(nights: Nights) -> None:
    before = nights.everything()

    def fail_half_way() -> None:
        with nights.warehouse.session() as session:
            session.run("insert_ledgers", spec="notes", ledger_id="half", now=MONDAY)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()

    assert nights.everything() == before


def test_a_result_that_was_not_read_to_its_end_does_not_stop_the_commit(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    with nights.warehouse.session() as session:
        session.read("read_states", spec="notes", run_key="run-1")


def test_a_reader_that_only_reads_writes_nothing(nights: Nights) -> None:
    changed_at = nights.path.stat().st_mtime_ns
    time.sleep(0.01)

    with nights.warehouse.session() as session:
        session.read("read_states", spec="notes", run_key="run-1").read_all()

    assert nights.path.stat().st_mtime_ns == changed_at


def test_a_file_that_is_open_elsewhere_is_tried_again_later(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    process = start(
        """
        import sys, time, duckdb
        connection = duckdb.connect(sys.argv[1])
        print("open", flush=True)
        time.sleep(60)
        """,
        path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        with (
            pytest.raises(TransientError, match="close what else has it open"),
            open_duckdb(path).session(),
        ):
            pass
    finally:
        process.kill()
        process.communicate()


def test_times_are_utc_wherever_the_machine_is(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        nights.list_versions("run-1", A)
        nights.load("run-1", {A: "answered"})
        (row,) = nights.rows("select cast(spend_day as text) as day from nightshift.spend_by_day")
    finally:
        monkeypatch.undo()
        time.tzset()

    assert row["day"] == "2026-03-02"


def test_a_file_named_like_the_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name it otherwise"):
        open_duckdb(tmp_path / "nightshift.duckdb")


def test_an_unknown_kind_of_warehouse_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="'oracle' is not known; use one of: duckdb"):
        connect_warehouse("oracle", "")


def test_a_connection_opens_a_file(tmp_path: Path) -> None:
    path = tmp_path / "below" / "warehouse.duckdb"

    with connect_warehouse("duckdb", str(path)).session() as session:
        session.define("create schema nightshift")

    assert path.exists()


def test_a_commit_that_is_not_in_the_file_is_noticed(nights: Nights) -> None:
    nights.list_versions("run-1", A)

    with pytest.raises(TransientError, match="does not hold what was just committed"):
        open_duckdb(nights.path)._check_commit("another")
