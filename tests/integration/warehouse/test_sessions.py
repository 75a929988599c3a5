"""What holds of a session whatever database is behind it, and whoever dies in it."""

import datetime as dt
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest

from include.errors import TransientError
from tests.integration.warehouse.mortal import OUTCOMES
from tests.integration.warehouse.nights import MONDAY, SPEC, Nights, Version, reader
from tests.integration.warehouse.programs import running, start

pytestmark = pytest.mark.integration

A, B = Version("a"), Version("b")
HALF_WAY = """
    import sys, time
    from tests.integration.databases import Database
    from tests.integration.warehouse.nights import MONDAY

    with Database.at(sys.argv[1]).open().session() as session:
        session.run("insert_ledgers", spec="notes", ledger_id="half", now=MONDAY)
        print("ready", flush=True)
        time.sleep(60)
    """
LOADS_THAT_DIE = """
    import sys
    from tests.integration.warehouse.mortal import main

    print(main(sys.argv[1], int(sys.argv[2])))
    """
NIGHTS = """
    import sys
    from tests.integration.databases import Database
    from include.warehouse.tables import ensure_tables
    from tests.integration.warehouse.nights import SCHEMA, Nights, Version

    place, name, spec = sys.argv[1:]
    nights = Nights(Database.at(place), spec)
    with nights.warehouse.session() as session:
        ensure_tables(session, spec, SCHEMA)
    for number in range(2):
        version = Version(f"{name}-{number}")
        nights.list_versions(f"run-{name}-{number}", version)
        nights.load(f"run-{name}-{number}", {version: "answered"})
    """


@pytest.fixture
def holder(nights: Nights) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a load."""
    with running(HALF_WAY, nights.database.place) as process:
        yield process


def test_a_load_that_is_killed_leaves_nothing(
    nights: Nights, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()

    assert nights.rows("from nightshift.ledgers") == []
    assert nights.list_versions("run-1", A)[1] == ["a@1"]


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.thorough)])
def test_load_killed_at_any_step_leaves_nothing_and_the_one_that_survives_all(
    nights: Nights, stride: int
) -> None:
    nights.list_versions("run-1", *OUTCOMES)
    process = start(LOADS_THAT_DIE, nights.database.place, str(stride))
    deaths, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    assert int(deaths) > 30 // stride
    after = nights.everything()
    assert set(nights.states("run-1").values()) == {
        "enriched",
        "dead_letter refused",
        "pending in_flight",
        "skipped empty",
    }
    nights.load("run-1", OUTCOMES)
    assert nights.everything() == after


def test_waiting_for_the_lock_ends_with_an_error_that_names_it(
    nights: Nights, holder: subprocess.Popen[str]
) -> None:
    warehouse = nights.database.open(lock_timeout_seconds=0.1)

    with (
        pytest.raises(TransientError, match=r"lock was not free|another load has not ended"),
        warehouse.session(),
    ):
        pass

    assert holder.poll() is None


def test_loads_of_several_processes_and_specs_take_turns(nights: Nights) -> None:
    specs = {"left": "notes", "middle": "letters", "right": "letters"}
    processes = [start(NIGHTS, nights.database.place, *names) for names in specs.items()]

    assert [process.wait(120) for process in processes] == [0, 0, 0]
    for process in processes:
        process.communicate()
    letters = nights.rows("select topic from nightshift.letters order by topic")
    assert [row["topic"] for row in letters] == ["middle-0", "middle-1", "right-0", "right-1"]
    assert len(nights.rows("from nightshift.notes")) == 2
    assert {row["state"] for row in nights.rows("from nightshift.documents")} == {"enriched"}


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


def test_a_statement_tells_how_many_rows_it_changed(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    values = {"spec": SPEC, "run_key": "run-2", "now": MONDAY}
    with nights.warehouse.session() as session:
        ids = [{"document_id": one.document_id} for one in (A, B)]
        session.stage("taken", reader(ids, pa.schema({"document_id": pa.string()})))
        ran = ("insert_document_states", "insert_document_states", "update_documents_taken")
        assert [session.run(statement, **values) for statement in ran] == [2, 0, 2]


def test_what_breaks_while_rows_are_staged_is_raised_as_it_was(nights: Nights) -> None:
    schema = pa.schema({"document_id": pa.string()})

    def rows() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([{"document_id": "a"}], schema)
        msg = "S3 went away"
        raise TransientError(msg)

    with (
        pytest.raises(TransientError, match="S3 went away"),
        nights.warehouse.session() as session,
    ):
        session.stage("taken", pa.RecordBatchReader.from_batches(schema, rows()))


def test_every_kind_of_column_is_staged_as_it_is(nights: Nights) -> None:
    kinds = {
        "string": (pa.string(), "é\\,{}\"'"),
        "truth": (pa.bool_(), True),
        "number": (pa.int64(), -(2**63)),
        "ratio": (pa.float64(), 0.1),
        "money": (pa.decimal128(18, 9), Decimal("-0.000000001")),
        "total": (pa.decimal128(38, 9), Decimal("12345678901234567890123456789.123456789")),
        "day": (pa.date32(), dt.date(1970, 1, 1)),
        "moment": (pa.timestamp("us", tz="UTC"), MONDAY.replace(microsecond=1)),
    }
    schema = pa.schema(
        [(name, kind) for name, (kind, _) in kinds.items()]
        + [(f"{name}_list", pa.list_(kind)) for name, (kind, _) in kinds.items()]
    )
    values = {name: value for name, (_, value) in kinds.items()}
    lists = {f"{name}_list": [value, None, value] for name, value in values.items()}
    rows = [values | lists, {f"{name}_list": [] for name in kinds}, {}]

    with nights.warehouse.session() as session:
        session.stage("kinds", reader(rows[:1], schema))
        session.stage("kinds", reader(rows[1:], schema), append=True)
        session.define("create table nightshift.kinds as select * from stage_kinds")

    expected = [{name: row.get(name) for name in schema.names} for row in rows]
    found = nights.rows("from nightshift.kinds")
    assert sorted(found, key=str) == sorted(expected, key=str)


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
