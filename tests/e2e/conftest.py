"""A whole stack of its own for the tests under a real scheduler."""

from collections.abc import Iterator

import httpx2
import pytest

from local_stack.stack import Stack, StackOptions
from tests.e2e.nights import Nights

SMALL_NIGHTS = {
    "NIGHTSHIFT_MAX_DOCUMENTS_PER_SLICE": "3",
    "NIGHTSHIFT_MAX_REQUESTS_PER_SHARD": "3",
}
"""A handful of documents is several slices and several shards."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    options = StackOptions(settings=SMALL_NIGHTS, latency_seconds=1)
    stack = Stack(tmp_path_factory.mktemp("stack"), options)
    try:
        stack.start()
        yield stack
        stack.api.close()
    finally:
        stack.stop()


@pytest.fixture
def nights(stack: Stack) -> Iterator[Nights]:
    nights = Nights(stack)
    nights.unpause()
    yield nights
    nights.s3.close()
    httpx2.delete(f"{stack.simulator.base_url}/_sim/faults").raise_for_status()
