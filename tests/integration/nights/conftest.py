"""A world for nights: real servers, and a simulator that has seen nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from include.config import Settings
from local_stack.nights import DEMO_SPEED, NightDriver
from tests.integration.databases import Database, DuckDBFile, PostgresDatabase
from tests.integration.night_world import LATENCY_SECONDS, World
from tests.integration.simulator_process import SimulatorProcess

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    database = tmp_path_factory.mktemp("simulator") / "simulator.db"
    arguments = ("--seed", "7", "--latency", str(LATENCY_SECONDS), "--answers", "instant")
    process = SimulatorProcess(database, *arguments).start()
    yield process
    process.stop()


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    """A simulator that has seen nothing; its batches take a minute of its own clock."""
    simulator_process.reset()
    return simulator_process


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """The warehouse's database: a DuckDB file, unless a test asks for PostgreSQL too."""
    if getattr(request, "param", "duckdb") == "duckdb":
        return DuckDBFile(tmp_path / "warehouse.duckdb")
    return PostgresDatabase.create(request.getfixturevalue("postgres_server"))


@pytest.fixture
def world(
    s3: "S3Client",
    bucket: str,
    work_bucket: str,
    simulator: SimulatorProcess,
    database: Database,
    tmp_path: Path,
) -> Iterator[World]:
    with simulator.client() as client:
        night = NightDriver(
            s3=s3,
            anthropic=client,
            warehouse=database.open(),
            settings=Settings(documents_bucket=bucket, work_bucket=work_bucket, **DEMO_SPEED),
            work_dir=tmp_path / "tasks",
            wait_for_batch=lambda batch_id: simulator.advance(seconds=LATENCY_SECONDS + 1),
        )
        yield World(night, simulator, database)
