"""What a simulator has accepted outlives its process."""

import subprocess

import anthropic
import httpx2
import pytest

from tests.integration.simulator.requests import make_request, make_requests
from tests.integration.simulator_process import SimulatorProcess

pytestmark = pytest.mark.integration


@pytest.fixture
def process(tmp_path):
    process = SimulatorProcess(
        tmp_path / "simulator.db", "--latency", "600", "--answers", "instant"
    ).start()
    yield process
    process.stop()


def test_a_killed_simulator_forgets_nothing(process):
    with process.client() as client:
        ended = client.messages.batches.create(requests=make_requests(5)).id
        process.advance(seconds=3_600)
        lines = [line.to_json() for line in client.messages.batches.results(ended)]
        running = client.messages.batches.create(requests=make_requests(3)).id
        process.set_faults({"kind": "status", "op": "cancel", "skip": 1})
        before = process.control("state")
    process.kill()
    process.start()
    with process.client() as client:
        after = process.control("state")
        assert after["batches"] == before["batches"]
        assert after["calls"] == before["calls"]
        assert after["faults"] == before["faults"]
        assert after["now"] > before["now"]
        assert [line.to_json() for line in client.messages.batches.results(ended)] == lines
        process.advance(seconds=600)
        assert client.messages.batches.retrieve(running).request_counts.succeeded == 3


def test_a_batch_is_on_disk_before_the_answer_is_lost(process):
    process.set_faults({"kind": "slow_after", "op": "create"})
    with process.client(timeout=1) as client, pytest.raises(anthropic.APITimeoutError):
        client.messages.batches.create(requests=[make_request()])
    process.kill()
    process.start()
    assert len(process.control("state")["batches"]) == 1


def test_half_a_body_creates_nothing(process):
    half = b'{"requests": [{"custom_id": "a"'
    host, port = process.base_url.removeprefix("http://").split(":")
    script = f"exec 3<>/dev/tcp/{host}/{port}; printf '%s' \"$0\" >&3"
    head = (
        "POST /v1/messages/batches HTTP/1.1\r\nhost: x\r\nx-api-key: test\r\n"
        "anthropic-version: 2026-10-21\r\ncontent-length: 1000\r\n\r\n"
    )
    subprocess.run(["bash", "-c", script, head + half.decode()], check=True)
    assert process.control("state")["batches"] == []


def test_leftovers_of_a_killed_process_are_removed(process):
    leftover = process.data_folder / "msgbatch_x.requests.jsonl.partial"
    process.kill()
    leftover.write_bytes(b"half")
    process.start()
    assert not leftover.exists()


def test_the_state_holds_no_keys(process):
    with process.client("a very secret key") as client:
        client.messages.batches.create(requests=[make_request()])
    state = process.control("state")
    assert "a very secret key" not in str(state)
    (call,) = state["calls"]
    assert (call["method"], call["path"]) == ("POST", "/v1/messages/batches")
    assert (call["body_bytes"], call["body_sha256"]) == (
        state["batches"][0]["body_bytes"],
        state["batches"][0]["body_sha256"],
    )


def test_the_page_shows_batches_bill_and_faults(process):
    process.set_faults({"kind": "status", "op": "list", "message": "<b>bold</b>", "times": None})
    with process.client() as client:
        batch_id = client.messages.batches.create(requests=[make_request()]).id
        client.messages.batches.create(requests=[make_request()])
    html = httpx2.get(process.base_url).text
    assert batch_id in html
    assert "1 requests were bought more than once" in html
    assert "<b>" not in html
    assert "&lt;b&gt;bold" in html
