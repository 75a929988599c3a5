"""A simulator for its own tests: it has seen nothing, and only its clock ends a batch."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from tests.integration.simulator_process import SimulatorProcess


@pytest.fixture(scope="package")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    database = tmp_path_factory.mktemp("simulator") / "simulator.db"
    arguments = ("--seed", "7", "--latency", "600", "--cancel-latency", "60")
    process = SimulatorProcess(database, *arguments, "--answers", "instant").start()
    yield process
    process.stop()


@pytest.fixture
def simulator(simulator_process: SimulatorProcess) -> SimulatorProcess:
    simulator_process.reset()
    return simulator_process


@pytest.fixture
def client(simulator: SimulatorProcess) -> Iterator[anthropic.Anthropic]:
    with simulator.client(timeout=10) as client:
        yield client


@pytest.fixture
def ended_batch(simulator: SimulatorProcess, client: anthropic.Anthropic) -> Callable[..., str]:
    """Return what submits a batch, lets it end, and returns its id."""

    def submit(requests: list[Any]) -> str:
        batch_id = client.messages.batches.create(requests=requests).id
        simulator.advance(seconds=3_600)
        return batch_id

    return submit


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "conformance: compares the simulator with the SDK's own tests or the real API"
    )


@pytest.fixture
def on_demand(request: pytest.FixtureRequest) -> None:
    """Skip what needs the internet, unless it is what was asked for."""
    if "conformance" not in request.config.getoption("markexpr"):
        pytest.skip("runs with -m conformance")
