"""A world for each fault, and the table at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS, SHORT
from tests.chaos.servers import LATENCY_SECONDS, open_world, start_simulator, start_store
from tests.chaos.table import INTRODUCTION, TABLE, as_lines
from tests.chaos.world import StoreProcess, World
from tests.integration.simulator_process import SimulatorProcess


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        faults = FAULTS if metafunc.config.getoption("--all-faults") else SHORT
        metafunc.parametrize("fault", faults, ids=[fault.name for fault in faults])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash.get(TABLE, [])
    if rows:
        terminalreporter.section("what was done to nights, and what came of it")
        lines = list(as_lines(rows))
        for line in lines:
            terminalreporter.line(line)
        page: Path | None = config.getoption("--faults-page")
        if page:
            page.write_text("\n".join((INTRODUCTION, *lines, "")))


@pytest.fixture(scope="session")
def store_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with start_store(tmp_path_factory.mktemp("chaos-s3")) as process:
        yield process


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    folder = tmp_path_factory.mktemp("chaos-simulator")
    with start_simulator(folder, latency_seconds=LATENCY_SECONDS) as process:
        yield process


@pytest.fixture
def world(
    store_process: StoreProcess, simulator_process: SimulatorProcess, tmp_path: Path
) -> Iterator[World]:
    with open_world(store_process, simulator_process, tmp_path) as world:
        yield world
