import time
from pathlib import Path

import pytest

from include.errors import ConfigurationError, TransientError
from include.warehouse.duckdb_warehouse import open_duckdb
from tests.integration.databases import DuckDBFile
from tests.integration.warehouse.programs import running

pytestmark = pytest.mark.integration


def test_a_reader_that_only_reads_writes_nothing(duckdb_file: DuckDBFile) -> None:
    changed_at = duckdb_file.path.stat().st_mtime_ns
    time.sleep(0.01)

    with duckdb_file.open().session() as session:
        session.read("read_states", spec="notes", run_key="run-1").read_all()

    assert duckdb_file.path.stat().st_mtime_ns == changed_at


def test_a_file_that_is_open_elsewhere_is_tried_again_later(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    program = """
        import sys, time, duckdb
        connection = duckdb.connect(sys.argv[1])
        print("ready", flush=True)
        time.sleep(60)
        """
    with (
        running(program, str(path)),
        pytest.raises(TransientError, match="close what else has it open"),
        open_duckdb(path).session(),
    ):
        pass


def test_a_file_named_like_the_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name it otherwise"):
        open_duckdb(tmp_path / "nightshift.duckdb")


def test_a_commit_that_is_not_in_the_file_is_noticed(duckdb_file: DuckDBFile) -> None:
    with pytest.raises(TransientError, match="does not hold what was just committed"):
        open_duckdb(duckdb_file.path)._check_commit("another")
