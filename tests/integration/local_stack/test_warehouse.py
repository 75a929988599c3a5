"""What `make query` and the demo ask, of either kind of warehouse."""

from pathlib import Path

import pytest

from local_stack.errors import StackError
from local_stack.postgres import PostgresServer
from local_stack.warehouse import DuckDBFile, LocalWarehouse, PostgresTables
from tests.integration import databases

pytestmark = pytest.mark.integration

DOCUMENTS = (
    "create schema nightshift",
    "create table nightshift.documents "
    "(object_key text, document_uri text, cost decimal(18, 9), updated_at timestamptz)",
    "create view nightshift.document_metadata as select * from nightshift.documents",
    "insert into nightshift.documents select concat('dt=1/', kind, n, '.', kind), "
    "concat('s3://', kind, n), 0.5, '2026-03-02 02:00:00+00' "
    "from (values ('txt'), ('pdf')) as k (kind) cross join generate_series(1, 5) as s (n)",
)


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> LocalWarehouse:
    if request.param == "duckdb":
        file = DuckDBFile(tmp_path / "warehouse.duckdb")
        fill(databases.DuckDBFile(file.path))
        return file
    server: PostgresServer = request.getfixturevalue("postgres_server")
    tables = PostgresTables(server)
    tables.create()
    fill(databases.PostgresDatabase(server.uri("warehouse")))
    return tables


def fill(database: databases.Database) -> None:
    for statement in DOCUMENTS:
        database.execute(statement)


def test_warehouse_is_sampled_digested_and_shown(
    warehouse: LocalWarehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert warehouse.last_change() is not None
    assert warehouse.read_sample(("object_key",), limit=4) == [
        ("dt=1/pdf5.pdf",),
        ("dt=1/txt1.txt",),
        ("dt=1/txt5.txt",),
        ("dt=1/pdf3.pdf",),
    ]
    ((name, (count, digest)),) = warehouse.digest_tables().items()
    assert (name, count) == ("documents", 10)
    assert digest
    warehouse.print_query("from nightshift.documents")
    assert "0.500000000" in capsys.readouterr().out
    with pytest.raises(StackError, match="absent"):
        warehouse.print_query("select * from nightshift.absent")
    with pytest.raises(StackError, match=r"read.only"):
        warehouse.print_query("delete from nightshift.documents")


def test_warehouse_that_is_not_there_has_no_last_change(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, 1, "none")
    assert DuckDBFile(tmp_path / "warehouse.duckdb").last_change() is None
    assert PostgresTables(server).last_change() is None
