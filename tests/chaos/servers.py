"""The servers of a night that may be killed, and a deployment that knows only the proxies."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from include.config import Settings
from local_stack.processes import Processes
from local_stack.s3 import S3Server
from local_stack.state import Ports
from tests.chaos.fault_proxy import FaultProxy
from tests.chaos.tasks import Deployment
from tests.chaos.world import StoreProcess, World
from tests.integration.simulator_process import SimulatorProcess

LATENCY_SECONDS = 1
"""How long a batch takes."""
SETTINGS = {
    "start_allowance_seconds": 2,
    "post_timeout_seconds": 6,
    "settling_seconds": 1,
    "submission_spacing_seconds": 0,
    "missing_recheck_seconds": 0,
    "extraction_workers": 1,
}


@contextmanager
def start_store(folder: Path) -> Iterator[StoreProcess]:
    """Run an S3 server."""
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


@contextmanager
def start_simulator(folder: Path, *, latency_seconds: float) -> Iterator[SimulatorProcess]:
    """Run a simulator that always answers alike."""
    latency = ("--latency", str(latency_seconds))
    process = SimulatorProcess(
        folder / "simulator.db", "--seed", "7", *latency, "--answers", "instant"
    ).start()
    try:
        yield process
    finally:
        process.stop()


@contextmanager
def open_world(store: StoreProcess, simulator: SimulatorProcess, folder: Path) -> Iterator[World]:
    """Return a world in which nothing has happened."""
    simulator.reset()
    s3 = store.server.client()
    buckets = {kind: f"{kind}-{secrets.token_hex(4)}" for kind in ("documents", "work")}
    for name in buckets.values():
        s3.create_bucket(Bucket=name)
    (folder / "tasks").mkdir()
    with ExitStack() as stack:
        store_proxy = stack.enter_context(FaultProxy(store.server.ports.s3))
        api_proxy = stack.enter_context(FaultProxy(simulator.port))
        deployment = Deployment(
            store_url=store_proxy.base_url,
            access_key=store.server.access_key,
            secret_key=store.server.secret_key,
            api_url=api_proxy.base_url,
            database=folder / "warehouse.duckdb",
            settings=Settings(
                documents_bucket=buckets["documents"], work_bucket=buckets["work"], **SETTINGS
            ),
            work_dir=folder / "tasks",
        )
        yield World(deployment, store, simulator, {"store": store_proxy, "api": api_proxy}, s3)
    s3.close()
