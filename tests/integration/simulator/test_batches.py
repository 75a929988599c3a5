"""The six operations, asked by the real SDK."""

import json
from datetime import timedelta

import anthropic
import httpx2
import pytest
from anthropic.types import Message, ModelInfo
from anthropic.types.messages import (
    DeletedMessageBatch,
    MessageBatch,
    MessageBatchIndividualResponse,
)
from pydantic import TypeAdapter

from tests.integration.simulator.requests import make_request, make_requests
from tests.integration.simulator_process import SimulatorProcess

pytestmark = pytest.mark.integration


def result_types(client: anthropic.Anthropic, batch_id: str) -> dict[str, str]:
    return {line.custom_id: line.result.type for line in client.messages.batches.results(batch_id)}


def test_counts_jump_only_when_the_batch_ends(simulator, client):
    batch = client.messages.batches.create(requests=make_requests(3))
    simulator.advance(seconds=599)
    before = client.messages.batches.retrieve(batch.id)
    simulator.advance(seconds=1)
    after = client.messages.batches.retrieve(batch.id)
    assert before.request_counts.processing == 3
    assert (before.ended_at, before.results_url) == (None, None)
    assert after.processing_status == "ended"
    assert (after.request_counts.processing, after.request_counts.succeeded) == (0, 3)
    assert after.expires_at - after.created_at == timedelta(hours=24)


def test_every_request_has_one_result_line_that_is_the_same_in_every_download(client, ended_batch):
    batch_id = ended_batch(make_requests(30))
    first = [line.to_json() for line in client.messages.batches.results(batch_id)]
    second = [line.to_json() for line in client.messages.batches.results(batch_id)]
    order = [json.loads(line)["custom_id"] for line in first]
    assert first == second
    assert sorted(order) == sorted(f"request-{number}" for number in range(30))
    assert order != sorted(order, key=lambda custom_id: int(custom_id.split("-")[1]))


def test_an_answer_says_that_it_is_simulated(client, ended_batch):
    (line,) = client.messages.batches.results(ended_batch([make_request()]))
    assert line.result.message.model == "claude-haiku-5-5-simulated"
    assert line.result.message.usage.service_tier == "batch"
    assert json.loads(line.result.message.content[0].text)["sentiment"] == "neutral"


def test_wrong_params_are_told_only_by_the_result(client, ended_batch):
    requests = [make_request("right"), make_request("wrong", temperature=0.0)]
    errored = {
        line.custom_id: line.result.error.error
        for line in client.messages.batches.results(ended_batch(requests))
        if line.result.type == "errored"
    }
    assert errored.keys() == {"wrong"}
    assert errored["wrong"].type == "invalid_request_error"
    assert errored["wrong"].message == "temperature: Extra inputs are not permitted"


def test_a_canceled_batch_keeps_what_was_done(simulator, client):
    batch = client.messages.batches.create(requests=make_requests(40))
    simulator.advance(seconds=300)
    canceling = client.messages.batches.cancel(batch.id)
    again = client.messages.batches.cancel(batch.id)
    simulator.advance(seconds=61)
    ended = client.messages.batches.retrieve(batch.id)
    assert canceling.processing_status == again.processing_status == "canceling"
    assert canceling.cancel_initiated_at == again.cancel_initiated_at is not None
    assert ended.request_counts.succeeded > 0
    assert ended.request_counts.canceled > 0
    types = list(result_types(client, batch.id).values())
    assert types.count("canceled") == ended.request_counts.canceled


def test_results_are_gone_29_days_after_the_creation(simulator, client, ended_batch):
    batch_id = ended_batch([make_request()])
    simulator.advance(seconds=29 * 86_400)
    batch = client.messages.batches.retrieve(batch_id)
    assert batch.archived_at == batch.created_at + timedelta(days=29)
    assert batch.results_url is None
    with pytest.raises(anthropic.NotFoundError):
        client.get(f"/v1/messages/batches/{batch_id}/results", cast_to=httpx2.Response)


def test_a_deleted_batch_is_not_found(client, ended_batch):
    batch_id = ended_batch([make_request()])
    client.messages.batches.delete(batch_id)
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(batch_id)
    assert client.messages.batches.list().data == []


def test_what_is_too_early_or_too_late_is_refused(client, simulator):
    batch_id = client.messages.batches.create(requests=[make_request()]).id
    with pytest.raises(anthropic.NotFoundError):
        client.get(f"/v1/messages/batches/{batch_id}/results", cast_to=httpx2.Response)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.delete(batch_id)
    simulator.advance(seconds=3_600)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.cancel(batch_id)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1_000])
def test_pages_cover_every_batch_once_in_both_directions(client, limit):
    created = [client.messages.batches.create(requests=[make_request()]).id for _ in range(7)]
    newest_first = [batch.id for batch in client.messages.batches.list(limit=limit)]
    newer = client.messages.batches.list(limit=limit, before_id=created[0])
    assert newest_first == created[::-1]
    assert [batch.id for batch in newer.data] == created[1 : limit + 1][::-1]
    assert sorted(batch.id for batch in newer) == sorted(created[1:])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after_id=x", "before_id=x"])
def test_a_bad_cursor_is_refused(simulator, client, query):
    with pytest.raises(anthropic.BadRequestError):
        client.get(f"/v1/messages/batches?{query}", cast_to=httpx2.Response)


def test_a_key_sees_only_its_own_batches(simulator, client):
    batch_id = client.messages.batches.create(requests=[make_request()]).id
    with simulator.client("another key") as stranger:
        assert stranger.messages.batches.list().data == []
        with pytest.raises(anthropic.NotFoundError):
            stranger.messages.batches.retrieve(batch_id)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "bad"},
        {"authorization": "Bearer bad"},
        {"x-api-key": "bad", "authorization": "Bearer good"},
    ],
    ids=["none", "bad key", "bad token", "the key wins"],
)
def test_a_missing_or_bad_key_is_refused(simulator, headers):
    url = f"{simulator.base_url}/v1/messages/batches"
    reply = httpx2.get(url, headers={"anthropic-version": "2026-10-21"} | headers)
    assert reply.status_code == 401
    assert reply.json()["error"]["type"] == "authentication_error"
    assert reply.json()["request_id"] == reply.headers["request-id"]


def test_a_call_without_a_version_is_refused(simulator):
    url = f"{simulator.base_url}/v1/messages/batches"
    assert httpx2.get(url, headers={"x-api-key": "test"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "requests: Field required"),
        ({"requests": []}, "requests: List should have 1 to 100000 items, not 0"),
        ({"requests": 1}, "requests: Input should be a valid array"),
        ({"requests": [1]}, "requests.0: Input should be an object"),
        ({"requests": [make_request()], "more": 1}, "more: Extra inputs are not permitted"),
        (
            {"requests": [make_request() | {"more": 1}]},
            "requests.0.more: Extra inputs are not permitted",
        ),
        ({"requests": [{"params": {}}]}, "requests.0.custom_id: Field required"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params: Field required"),
        (
            {"requests": [make_request("a" * 65)]},
            "requests.0.custom_id: String should have at most 64 characters",
        ),
        (
            {"requests": [make_request("a b")]},
            "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
        ),
        (
            {"requests": [make_request("a"), make_request("a")]},
            "requests.1.custom_id: 'a' is not unique in the batch",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_frame_is_refused_at_once(client, body, complaint):
    with pytest.raises(anthropic.BadRequestError) as refusal:
        client.post("/v1/messages/batches", body=body, cast_to=MessageBatch)
    assert refusal.value.body["error"]["message"] == complaint
    assert client.messages.batches.list().data == []


def test_a_full_queue_refuses_more(tmp_path):
    process = SimulatorProcess(tmp_path / "simulator.db", "--queue-limit", "5").start()
    try:
        client = process.client()
        client.messages.batches.create(requests=make_requests(3))
        with pytest.raises(anthropic.RateLimitError) as refusal:
            client.messages.batches.create(requests=make_requests(3))
        assert refusal.value.response.headers["retry-after"]
        client.messages.batches.create(requests=make_requests(2))
        process.advance(seconds=60)
        client.messages.batches.create(requests=make_requests(5))
        client.close()
    finally:
        process.stop()


def test_limits_of_calls_and_bytes_are_kept(tmp_path):
    arguments = ("--requests-per-minute", "2", "--max-body-bytes", "1000")
    process = SimulatorProcess(tmp_path / "simulator.db", *arguments).start()
    try:
        client = process.client()
        with pytest.raises(anthropic.ContentTooLargeError):
            client.messages.batches.create(requests=make_requests(1_000))
        client.messages.batches.list()
        client.messages.batches.list()
        with pytest.raises(anthropic.RateLimitError):
            client.messages.batches.list()
        process.advance(seconds=60)
        client.messages.batches.list()
        client.close()
    finally:
        process.stop()


def test_one_message_is_answered_by_the_same_rules(client):
    request = make_request()
    message = client.messages.create(**request["params"])
    assert message.model == "claude-haiku-5-5-simulated"
    assert json.loads(message.content[0].text)["sentiment"] == "neutral"
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(**request["params"] | {"model": "claude-1"})


def test_tokens_are_counted_as_they_are_billed(client, ended_batch):
    params = make_request()["params"]
    asked = {name: params[name] for name in ("model", "messages", "output_config")}
    counted = client.messages.count_tokens(**asked).input_tokens
    (line,) = client.messages.batches.results(ended_batch([make_request()]))
    assert line.result.message.usage.input_tokens == counted


def test_models_tell_what_they_can_do(client):
    model = client.models.retrieve("claude-haiku-5-5")
    assert model.lifecycle == "active"
    assert model.capabilities.batch.supported
    assert model.id in [listed.id for listed in client.models.list(limit=3)]
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-1")


def test_every_body_has_the_types_of_the_sdk(client, ended_batch, simulator):
    """Validates strictly what the SDK itself takes on trust."""

    def check(path: str, body_type: type) -> dict:
        reply = httpx2.request(
            "DELETE" if body_type is DeletedMessageBatch else "GET",
            f"{simulator.base_url}/v1/{path}",
            headers={"x-api-key": "test", "anthropic-version": "2026-10-21"},
        )
        TypeAdapter(body_type).validate_json(reply.content, strict=True)
        assert reply.json().keys() >= set(body_type.model_fields)
        return reply.json()

    requests = [make_request("right"), make_request("wrong", temperature=0.0)]
    batch_id = ended_batch(requests)
    running = client.messages.batches.create(requests=requests)
    check(f"messages/batches/{running.id}", MessageBatch)
    check(f"messages/batches/{batch_id}", MessageBatch)
    check("models/claude-haiku-5-5", ModelInfo)
    url = f"{simulator.base_url}/v1/messages/batches/{batch_id}/results"
    reply = httpx2.get(url, headers={"x-api-key": "test", "anthropic-version": "2026-10-21"})
    for line in reply.text.splitlines():
        TypeAdapter(MessageBatchIndividualResponse).validate_json(line, strict=True)
        if message := json.loads(line)["result"].get("message"):
            assert message.keys() == set(Message.model_fields)
    check(f"messages/batches/{batch_id}", DeletedMessageBatch)
