"""Which warehouse an Airflow connection opens."""

import json
from pathlib import Path
from typing import Any

import pytest
from nightshift_clients import open_warehouse

from include.warehouse.duckdb_warehouse import open_duckdb
from include.warehouse.postgres_warehouse import open_postgres

FIELDS = {"host": "db", "port": 5433, "login": "loader", "password": "p@ss", "schema": "analytics"}
URI = "postgresql://loader:p%40ss@db:5433/analytics?sslmode=require"


@pytest.mark.parametrize(
    "connection",
    [
        {"conn_type": "postgres", **FIELDS, "extra": {"sslmode": "require"}},
        {"conn_type": "postgresql", **FIELDS, "extra": {"sslmode": "require"}},
        URI,
    ],
    ids=["json", "other name", "uri"],
)
def test_postgres_connection_opens_postgres(
    connection: dict[str, Any] | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = connection if isinstance(connection, str) else json.dumps(connection)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", value)
    assert open_warehouse() == open_postgres(URI)


def test_duckdb_connection_opens_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/data/warehouse.duckdb"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": path}))
    assert open_warehouse() == open_duckdb(Path(path))
