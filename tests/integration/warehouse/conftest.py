"""A fresh warehouse with the tables of one spec for every test, in every kind of database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.warehouse.tables import ensure_tables
from local_stack.postgres import PostgresServer
from tests.integration.databases import Database, DuckDBFile, PostgresDatabase
from tests.integration.warehouse.nights import SCHEMA, SPEC, Nights


@pytest.fixture(scope="session")
def empty_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    _fill(DuckDBFile(path))
    return path


@pytest.fixture(scope="session")
def empty_postgres(postgres_server: PostgresServer) -> str:
    database = PostgresDatabase.create(postgres_server)
    _fill(database)
    return database.name


def _fill(database: Database) -> None:
    with database.open().session() as session:
        ensure_tables(session, SPEC, SCHEMA)


@pytest.fixture
def duckdb_file(empty_duckdb: Path, tmp_path: Path) -> DuckDBFile:
    return DuckDBFile(Path(shutil.copy(empty_duckdb, tmp_path / "warehouse.duckdb")))


@pytest.fixture
def postgres_database(
    postgres_server: PostgresServer, empty_postgres: str
) -> Iterator[PostgresDatabase]:
    database = PostgresDatabase.create(postgres_server, template=empty_postgres)
    yield database
    database.drop(postgres_server)


@pytest.fixture(params=["duckdb_file", "postgres_database"], ids=["duckdb", "postgres"])
def nights(request: pytest.FixtureRequest) -> Nights:
    return Nights(request.getfixturevalue(request.param))
