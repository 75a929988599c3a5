"""Servers that may be killed, proxies before them, and the table at the end."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from include.config import Settings
from local_stack.processes import Processes
from local_stack.s3 import S3Server
from local_stack.state import Ports
from tests.chaos.fault_proxy import FaultProxy
from tests.chaos.faults import FAULTS, SHORT
from tests.chaos.table import TABLE, as_lines
from tests.chaos.tasks import Deployment
from tests.chaos.world import StoreProcess, World
from tests.integration.simulator_process import SimulatorProcess

SETTINGS = {
    "start_allowance_seconds": 2,
    "post_timeout_seconds": 6,
    "settling_seconds": 1,
    "submission_spacing_seconds": 0,
    "missing_recheck_seconds": 0,
    "extraction_workers": 1,
}


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
        for line in as_lines(rows):
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def store_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    folder = tmp_path_factory.mktemp("chaos-s3")
    processes = Processes(folder)
    server = S3Server(
        folder, Ports.draw(ui_port=None), access_key="test", secret_key=secrets.token_hex()
    )
    process = StoreProcess(server, processes, folder)
    try:
        process.start()
        yield process
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    database = tmp_path_factory.mktemp("chaos-simulator") / "simulator.db"
    arguments = ("--seed", "7", "--latency", "1", "--answers", "instant")
    process = SimulatorProcess(database, *arguments).start()
    yield process
    process.stop()


@pytest.fixture
def world(
    store_process: StoreProcess, simulator_process: SimulatorProcess, tmp_path: Path
) -> Iterator[World]:
    simulator_process.reset()
    s3 = store_process.server.client()
    buckets = {kind: f"{kind}-{secrets.token_hex(4)}" for kind in ("documents", "work")}
    for name in buckets.values():
        s3.create_bucket(Bucket=name)
    (tmp_path / "tasks").mkdir()
    with ExitStack() as stack:
        store = stack.enter_context(FaultProxy(store_process.server.ports.s3))
        api = stack.enter_context(FaultProxy(simulator_process.port))
        deployment = Deployment(
            store_url=store.base_url,
            access_key=store_process.server.access_key,
            secret_key=store_process.server.secret_key,
            api_url=api.base_url,
            database=tmp_path / "warehouse.duckdb",
            settings=Settings(
                documents_bucket=buckets["documents"], work_bucket=buckets["work"], **SETTINGS
            ),
            work_dir=tmp_path / "tasks",
        )
        yield World(deployment, store_process, simulator_process, {"store": store, "api": api}, s3)
    s3.close()
