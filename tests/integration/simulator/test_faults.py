"""Every knob of the control plane, as the real SDK meets it."""

import json

import anthropic
import httpx2
import pytest

from include.simulator import faults
from tests.integration.simulator.requests import make_request, make_requests

pytestmark = pytest.mark.integration

ERROR_FAULTS = [
    ({"kind": "status", "code": 429, "headers": {"retry-after": "3600"}}, anthropic.RateLimitError),
    (
        {"kind": "status", "code": 429, "error_code": "enforced_spend_limit_reached"},
        anthropic.EnforcedSpendLimitReachedError,
    ),
    ({"kind": "status", "code": 402}, anthropic.PaymentRequiredError),
    ({"kind": "status", "code": 403}, anthropic.PermissionDeniedError),
    ({"kind": "status", "code": 500}, anthropic.InternalServerError),
    ({"kind": "status", "code": 504}, anthropic.GatewayTimeoutError),
    ({"kind": "status", "code": 529}, anthropic.OverloadedError),
    ({"kind": "html", "code": 413}, anthropic.ContentTooLargeError),
    ({"kind": "html", "code": 502}, anthropic.InternalServerError),
    ({"kind": "reset_before"}, anthropic.APIConnectionError),
    ({"kind": "hang", "seconds": 3}, anthropic.APITimeoutError),
]
"""Nothing was created when these happen to a create."""


@pytest.mark.parametrize(
    ("fault", "error"), ERROR_FAULTS, ids=[str(fault) for fault, _ in ERROR_FAULTS]
)
def test_a_refused_create_creates_nothing(simulator, client, fault, error):
    simulator.set_faults(fault | {"op": "create"})
    with pytest.raises(error):
        client.with_options(timeout=1).messages.batches.create(requests=[make_request()])
    assert client.messages.batches.list().data == []
    assert simulator.control("faults") == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "reset_after"}, anthropic.APIConnectionError),
        ({"kind": "slow_after", "seconds": 2}, anthropic.APITimeoutError),
    ],
    ids=["reset", "slow"],
)
def test_a_lost_answer_leaves_a_batch(simulator, client, fault, error):
    simulator.set_faults(fault | {"op": "create"})
    with pytest.raises(error):
        client.with_options(timeout=1).messages.batches.create(requests=[make_request()])
    assert len(client.messages.batches.list().data) == 1


def test_retries_of_the_sdk_buy_three_times(simulator):
    simulator.set_faults({"kind": "reset_after", "op": "create", "times": 9})
    with simulator.client(max_retries=2) as client:
        with pytest.raises(anthropic.APIConnectionError):
            client.messages.batches.create(requests=[make_request()])
        assert len(client.messages.batches.list().data) == 3
    assert simulator.control("bill")["bought_twice"] == 1


def test_a_fault_skips_calls_and_wears_out(simulator, client):
    simulator.set_faults({"kind": "status", "op": "list", "skip": 1, "times": 2})
    client.messages.batches.list()
    for _ in range(2):
        with pytest.raises(anthropic.OverloadedError):
            client.messages.batches.list()
    client.messages.batches.list()


TRANSPORT_FAULTS = [
    ("chunk_cut", httpx2.RemoteProtocolError),
    ("chunk_rst", httpx2.ReadError),
    ("short_length", httpx2.RemoteProtocolError),
    ("close_midline", json.JSONDecodeError),
    ("stall", httpx2.ReadTimeout),
]


@pytest.mark.parametrize(("kind", "error"), TRANSPORT_FAULTS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the SDK leaves a broken reply open
def test_a_broken_download_raises(simulator, client, ended_batch, kind, error):
    batch_id = ended_batch(make_requests(20))
    simulator.set_faults({"kind": kind, "seconds": 2})
    with pytest.raises(error):
        list(client.with_options(timeout=1).messages.batches.results(batch_id))
    assert len(list(client.messages.batches.results(batch_id))) == 20


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("cut_at_line", 10),
        ("drop_lines", 19),
        ("dup_lines", 21),
        ("unknown_id", 21),
        ("unknown_type", 20),
        ("sparse", 20),
        ("no_newline", 20),
        ("content_length", 20),
        ("gzip", 20),
        ("flip", 20),
    ],
)
def test_a_damaged_download_passes_unnoticed(simulator, client, ended_batch, kind, count):
    batch_id = ended_batch(make_requests(20))
    simulator.set_faults({"kind": kind})
    assert len(list(client.messages.batches.results(batch_id))) == count


def raw_results(simulator, batch_id: str) -> bytes:
    url = f"{simulator.base_url}/v1/messages/batches/{batch_id}/results"
    headers = {"x-api-key": "test", "anthropic-version": "2026-10-21"}
    return httpx2.get(url, headers=headers).raise_for_status().content


def test_lines_are_damaged_as_told(simulator, ended_batch):
    batch_id = ended_batch(make_requests(20))
    whole = raw_results(simulator, batch_id)

    def damaged(kind: str) -> bytes:
        simulator.set_faults({"kind": kind, "megabytes": 1})
        return raw_results(simulator, batch_id)

    assert damaged("crlf") == whole.replace(b"\n", b"\r\n")
    assert damaged("blank_lines") == whole.replace(b"\n", b"\n\n")
    assert damaged("bom") == b"\xef\xbb\xbf" + whole
    assert damaged("no_newline") == whole.removesuffix(b"\n")
    assert damaged("flip") != whole
    assert len(damaged("huge_line")) == len(whole) + (1 << 20)
    assert json.loads(damaged("unknown_type").splitlines()[0])["result"] == {"type": "deferred"}
    assert "foreign-0" in damaged("unknown_id").decode()
    sparse = json.loads(damaged("sparse").splitlines()[0])["result"]["message"]
    assert sparse["usage"].keys() == {"input_tokens", "output_tokens"}


def test_a_batch_can_take_its_time(simulator, client):
    simulator.set_faults({"kind": "latency", "seconds": 7_200}, {"kind": "slow_cancel"})
    slow = client.messages.batches.create(requests=[make_request()])
    quick = client.messages.batches.create(requests=[make_request()])
    simulator.advance(seconds=3_600)
    assert client.messages.batches.retrieve(slow.id).processing_status == "in_progress"
    assert client.messages.batches.retrieve(quick.id).processing_status == "ended"
    simulator.advance(seconds=3_600)
    assert client.messages.batches.retrieve(slow.id).processing_status == "ended"


def test_a_batch_that_never_ends_expires_after_a_day(simulator, client):
    simulator.set_faults({"kind": "never_end"})
    batch = client.messages.batches.create(requests=make_requests(3))
    simulator.advance(seconds=86_399)
    assert client.messages.batches.retrieve(batch.id).processing_status == "in_progress"
    simulator.advance(seconds=1)
    ended = client.messages.batches.retrieve(batch.id)
    assert (ended.ended_at, ended.request_counts.expired) == (ended.expires_at, 3)
    assert {line.result.type for line in client.messages.batches.results(batch.id)} == {"expired"}


def test_a_cancellation_can_take_its_time(simulator, client):
    simulator.set_faults({"kind": "slow_cancel", "seconds": 500})
    batch = client.messages.batches.create(requests=[make_request()])
    client.messages.batches.cancel(batch.id)
    simulator.advance(seconds=400)
    assert client.messages.batches.retrieve(batch.id).processing_status == "canceling"
    simulator.advance(seconds=200)
    assert client.messages.batches.retrieve(batch.id).processing_status == "ended"


def test_a_new_batch_can_be_missing_in_listings(simulator, client):
    simulator.set_faults({"kind": "list_lag", "seconds": 30})
    batch = client.messages.batches.create(requests=[make_request()])
    assert client.messages.batches.list().data == []
    assert client.messages.batches.retrieve(batch.id).id == batch.id
    simulator.advance(seconds=30)
    assert [listed.id for listed in client.messages.batches.list()] == [batch.id]


def text_of(line) -> str:
    return "".join(block.text for block in line.result.message.content if block.type == "text")


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def error_type_of(line) -> str | None:
    return line.result.error.error.type if line.result.type == "errored" else None


MESSAGE_FAULTS = {
    "preamble": lambda line: text_of(line).startswith("Here is"),
    "fence": lambda line: text_of(line).startswith("```json\n"),
    "bad_json": lambda line: not is_json(text_of(line)),
    "schema": lambda line: "unexpected_field" in json.loads(text_of(line)),
    "enum_case": lambda line: json.loads(text_of(line))["sentiment"] == "Neutral",
    "refusal": lambda line: (
        line.result.message.stop_reason == "refusal" and line.result.message.content == []
    ),
    "max_tokens": lambda line: line.result.message.stop_reason == "max_tokens",
    "empty": lambda line: line.result.message.content == [],
    "thinking_first": lambda line: line.result.message.content[0].type == "thinking",
    "two_text_blocks": lambda line: (
        len(line.result.message.content) == 2 and is_json(text_of(line))
    ),
    "context": lambda line: line.result.message.stop_reason == "model_context_window_exceeded",
    "pause_turn": lambda line: line.result.message.stop_reason == "pause_turn",
    "server_error": lambda line: error_type_of(line) == "api_error",
    "overloaded": lambda line: error_type_of(line) == "overloaded_error",
    "errored": lambda line: error_type_of(line) == "invalid_request_error",
    "expired": lambda line: line.result.type == "expired",
}


def test_every_request_fault_is_tested():
    assert MESSAGE_FAULTS.keys() == faults.REQUEST_KINDS


@pytest.mark.parametrize("kind", MESSAGE_FAULTS)
def test_a_fault_hits_the_requests_it_names_for_as_long_as_told(
    simulator, client, ended_batch, kind
):
    simulator.set_faults({"kind": kind, "custom_id_regex": "^hit$", "times": 1})
    requests = [make_request("hit"), make_request("spared")]
    for attempt in range(2):
        lines = {
            line.custom_id: line for line in client.messages.batches.results(ended_batch(requests))
        }
        assert MESSAGE_FAULTS[kind](lines["hit"]) == (attempt == 0)
        assert not MESSAGE_FAULTS[kind](lines["spared"])


def test_a_rate_hits_the_same_share_in_every_batch(simulator, client, ended_batch):
    simulator.set_faults({"kind": "overloaded", "rate": 0.3, "times": None})
    hit = [
        {
            line.custom_id
            for line in client.messages.batches.results(ended_batch(make_requests(100)))
            if line.result.type == "errored"
        }
        for _ in range(2)
    ]
    assert hit[0] == hit[1]
    assert 15 < len(hit[0]) < 45


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "nonsense"},
        {"kind": "status", "amount": 3},
        {"kind": "hang", "custom_id_regex": "("},
    ],
    ids=["kind", "field", "pattern"],
)
def test_a_fault_that_says_nothing_is_refused(simulator, fault):
    reply = httpx2.post(f"{simulator.base_url}/_sim/faults", json=[fault])
    assert reply.status_code == 400
    assert simulator.control("faults") == []
