"""One tiny batch, asked of the simulator and of the real API: what holds here must hold there."""

import logging
import os
import time
from collections.abc import Iterator

import anthropic
import httpx2
import pytest

from tests.integration.simulator.requests import make_request
from tests.integration.simulator_process import SimulatorProcess

logger = logging.getLogger(__name__)

POLL_SECONDS = 1
WAIT_SECONDS = 3_600


@pytest.fixture
def simulated(tmp_path) -> Iterator[anthropic.Anthropic]:
    process = SimulatorProcess(tmp_path / "simulator.db", "--latency", "1").start()
    with process.client() as client:
        yield client
    process.stop()


@pytest.fixture
def real(on_demand: None) -> Iterator[anthropic.Anthropic]:
    if "ANTHROPIC_API_KEY" not in os.environ:
        pytest.skip("ANTHROPIC_API_KEY is not set")
    with anthropic.Anthropic(max_retries=0) as client:
        yield client


@pytest.mark.parametrize(
    "api",
    [
        pytest.param("simulated", marks=pytest.mark.integration),
        pytest.param("real", marks=pytest.mark.conformance),
    ],
)
def test_a_small_batch_lives_as_documented(api: str, request: pytest.FixtureRequest) -> None:
    client: anthropic.Anthropic = request.getfixturevalue(api)
    batches = client.messages.batches
    record_refusal("duplicate ids", lambda: batches.create(requests=[make_request()] * 2))
    thinking = {"thinking": {"type": "disabled"}}
    requests = [
        make_request("answered", **thinking),
        make_request("cut_off", **thinking | {"max_tokens": 2}),
        make_request("wrong", temperature=0.5),
    ]
    batch = batches.create(requests=requests)
    assert batch.request_counts.processing == 3
    assert batch.id in [listed.id for listed in batches.list(limit=5).data]
    record_refusal("results of a running batch", lambda: get_results(client, batch.id))
    record_refusal("deletion of a running batch", lambda: batches.delete(batch.id))
    wait_for_end(client, batch.id)
    lines = {line.custom_id: line.result for line in batches.results(batch.id)}
    assert lines["answered"].message.stop_reason == "end_turn"
    assert lines["answered"].message.usage.service_tier == "batch"
    assert lines["cut_off"].message.stop_reason == "max_tokens"
    assert lines["wrong"].error.error.type == "invalid_request_error"
    record_refusal("cancellation of an ended batch", lambda: batches.cancel(batch.id))
    assert batches.delete(batch.id).type == "message_batch_deleted"


def wait_for_end(client: anthropic.Anthropic, batch_id: str) -> None:
    """Wait, and check on the way that counts move only at the end."""
    for _ in range(WAIT_SECONDS):
        batch = client.messages.batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return
        assert batch.request_counts.processing == 3
        time.sleep(POLL_SECONDS)
    pytest.fail(f"{batch_id} did not end")


def get_results(client: anthropic.Anthropic, batch_id: str) -> httpx2.Response:
    return client.get(f"/v1/messages/batches/{batch_id}/results", cast_to=httpx2.Response)


def record_refusal(what: str, call) -> None:
    """Expect a refusal whose status and text no documentation tells, and log them."""
    with pytest.raises(anthropic.APIStatusError) as refusal:
        call()
    logger.warning(
        "refused what=%s status=%d error=%s", what, refusal.value.status_code, refusal.value
    )
