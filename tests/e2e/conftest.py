"""A whole stack of its own for the tests under a real scheduler."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local_stack.stack import Stack, StackOptions
from tests.chaos.fault_proxy import FaultProxy
from tests.chaos.steps import Server
from tests.e2e.nights import Nights

Proxies = dict[Server, FaultProxy]

SMALL_NIGHTS = {
    "NIGHTSHIFT_MAX_DOCUMENTS_PER_SLICE": "3",
    "NIGHTSHIFT_MAX_REQUESTS_PER_SHARD": "3",
}
"""A handful of documents is several slices and several shards."""


@pytest.fixture(scope="session")
def proxies() -> Iterator[Proxies]:
    """Proxies that the DAGs ask instead of the servers; they pass everything on until told."""
    with ExitStack() as stack:
        servers: tuple[Server, ...] = ("store", "api")
        yield {server: stack.enter_context(FaultProxy()) for server in servers}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, proxies: Proxies) -> Iterator[Stack]:
    options = StackOptions(
        settings=SMALL_NIGHTS,
        latency_seconds=1,
        s3_url=proxies["store"].base_url,
        api_url=proxies["api"].base_url,
    )
    stack = Stack(tmp_path_factory.mktemp("stack"), options)
    try:
        stack.start()
        proxies["store"].upstream_port = stack.ports.s3
        proxies["api"].upstream_port = stack.ports.simulator
        yield stack
        stack.api.close()
    finally:
        stack.stop()


@pytest.fixture
def nights(stack: Stack, proxies: Proxies) -> Iterator[Nights]:
    nights = Nights(stack)
    nights.unpause()
    yield nights
    nights.s3.close()
    for proxy in proxies.values():
        proxy.trap = None
    nights.clear_faults()
