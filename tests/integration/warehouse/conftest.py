"""A fresh warehouse with the tables of one spec, for every test."""

import shutil
from pathlib import Path

import pytest

from include.warehouse.tables import ensure_tables
from tests.integration.warehouse.nights import SCHEMA, SPEC, Nights


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    with Nights(path).warehouse.session() as session:
        ensure_tables(session, SPEC, SCHEMA)
    return path


@pytest.fixture
def nights(empty_file: Path, tmp_path: Path) -> Nights:
    return Nights(Path(shutil.copy(empty_file, tmp_path / "warehouse.duckdb")))
