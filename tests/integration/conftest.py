"""Fixtures for tests with real servers."""

from collections.abc import Iterator

import pytest

from tests.integration.simulator_process import SimulatorProcess


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    database = tmp_path_factory.mktemp("simulator") / "simulator.db"
    process = SimulatorProcess(database, "--seed", "7", "--latency", "1").start()
    yield process
    process.stop()
