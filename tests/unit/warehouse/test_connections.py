from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.warehouse.connections import WarehouseConnection, connect_warehouse
from include.warehouse.postgres_warehouse import PostgresWarehouse

POSTGRES = WarehouseConnection(
    conn_type="postgres",
    host="db.example",
    port=5433,
    login="loader",
    password="p@ss/wörd %40",
    schema="analytics",
    extra={"sslmode": "verify-full", "sslrootcert": "/etc/ca one.pem", "connect_timeout": 3},
)


def test_postgres_connection_becomes_an_address_without_ambiguity() -> None:
    warehouse = connect_warehouse(POSTGRES)
    assert isinstance(warehouse, PostgresWarehouse)
    address, _, options = warehouse.address.uri.partition("?")
    assert address == ("postgresql://loader:p%40ss%2Fw%C3%B6rd%20%2540@db.example:5433/analytics")
    assert dict(part.split("=") for part in options.split("&")) == {
        "connect_timeout": "3",
        "keepalives_idle": "60",
        "keepalives_interval": "10",
        "sslmode": "verify-full",
        "sslrootcert": "%2Fetc%2Fca%20one.pem",
    }


def test_nothing_that_is_printed_knows_the_password() -> None:
    for printed in (repr(POSTGRES), repr(connect_warehouse(POSTGRES))):
        assert "p@ss" not in printed
        assert "p%40ss" not in printed


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (WarehouseConnection("oracle"), "'oracle' is not known; use one of: duckdb, postgres"),
        (WarehouseConnection("duckdb", "warehouse.duckdb"), "absolute path of a file as host"),
        (replace(POSTGRES, schema=""), "lacks schema; its schema is the name of the database"),
        (replace(POSTGRES, host="", login=""), "lacks host, login"),
        (WarehouseConnection("duckdb", "/w.duckdb", extra={"memory": 5}), "found: memory"),
        (WarehouseConnection("duckdb", "/w.duckdb", extra={"memory_limit_bytes": "5 GB"}), "whole"),
    ],
    ids=["unknown", "relative", "no database", "no host", "unknown extra", "no number"],
)
def test_connection_that_cannot_be_used_says_why(
    connection: WarehouseConnection, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        connect_warehouse(connection)


def test_duckdb_connection_opens_its_file(tmp_path: Path) -> None:
    path = tmp_path / "below" / "warehouse.duckdb"
    with connect_warehouse(WarehouseConnection("duckdb", str(path))).session() as session:
        session.define("create schema nightshift")
    assert path.exists()


@pytest.mark.parametrize("written", [64_000_000, "64000000"], ids=["as JSON", "in a URI"])
def test_what_takes_more_memory_than_duckdb_may_hold_names_the_limit(
    tmp_path: Path, written: object
) -> None:
    limit = {"memory_limit_bytes": written}
    warehouse = connect_warehouse(
        WarehouseConnection("duckdb", str(tmp_path / "warehouse.duckdb"), extra=limit)
    )
    with warehouse.session() as session:
        session.define("create table known (key text primary key)")

    def fill() -> None:
        with warehouse.session() as session:
            session.define("insert into known select n::varchar || n from range(2_000_000) as t(n)")

    with pytest.raises(ConfigurationError, match=r"64,000,000 bytes .* set memory_limit_bytes"):
        fill()
