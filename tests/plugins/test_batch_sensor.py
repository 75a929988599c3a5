"""The sensor looks before it defers; the trigger survives whatever the API does."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from airflow.sdk.exceptions import TaskDeferred
from anthropic import Anthropic, AsyncAnthropic
from batch_sensor import BatchEndedSensor, BatchEndedTrigger, BatchOverdueError

BATCH_ID = "msgbatch_1"
Handler = Callable[[httpx2.Request], httpx2.Response]


def batch(status: str) -> httpx2.Response:
    return httpx2.Response(
        200,
        json={
            "id": BATCH_ID,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {
                "processing": 0 if status == "ended" else 2,
                "succeeded": 2 if status == "ended" else 0,
                "errored": 0,
                "canceled": 0,
                "expired": 0,
            },
            "created_at": "2026-11-22T02:00:00Z",
            "expires_at": "2026-11-23T02:00:00Z",
            "ended_at": None,
            "cancel_initiated_at": None,
            "archived_at": None,
            "results_url": None,
        },
    )


def not_found() -> httpx2.Response:
    error = {"type": "error", "error": {"type": "not_found_error", "message": "no"}}
    return httpx2.Response(404, json=error)


class Api:
    """Answers in the order given, the last one for ever; counts what is asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        # A response can be read once; each request gets its own.
        return httpx2.Response(answer.status_code, json=json.loads(answer.content))


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_DOCUMENTS_BUCKET", "documents")
    monkeypatch.setenv("NIGHTSHIFT_WORK_BUCKET", "work")
    monkeypatch.setenv("NIGHTSHIFT_FIRST_POLL_DELAY_SECONDS", "7")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Api], None]:
    """Put an API behind the clients that connections lead to; the clients are the real ones."""
    import nightshift_clients
    from airflow.providers.anthropic.hooks.anthropic import AnthropicHook

    def install(api: Api) -> None:
        @contextmanager
        def open_anthropic(conn_id: str) -> Iterator[Anthropic]:
            transport = httpx2.MockTransport(api)
            with Anthropic(
                api_key="test", max_retries=0, http_client=httpx2.Client(transport=transport)
            ) as client:
                yield client

        async def get_async_conn(hook: Any) -> AsyncAnthropic:
            transport = httpx2.MockTransport(api)
            return AsyncAnthropic(
                api_key="test", http_client=httpx2.AsyncClient(transport=transport)
            )

        monkeypatch.setattr(nightshift_clients, "open_anthropic", open_anthropic)
        monkeypatch.setattr(AnthropicHook, "get_async_conn", get_async_conn)

    return install


def sensor(**changes: Any) -> BatchEndedSensor:
    return BatchEndedSensor(task_id="wait_for_batch", **({"batch_id": BATCH_ID} | changes))


def trigger(**changes: Any) -> BatchEndedTrigger:
    arguments = {
        "batch_id": BATCH_ID,
        "conn_id": "anthropic_default",
        "first_delay": 0,
        "poll_interval": 0.01,
        "deadline": time.time() + 30,
    }
    return BatchEndedTrigger(**(arguments | changes))


def first_event(waiting: BatchEndedTrigger) -> Any:
    async def run() -> Any:
        async for event in waiting.run():
            return event.payload
        return None

    return asyncio.run(run())


@pytest.mark.usefixtures("settings")
def test_a_batch_that_has_ended_is_not_deferred(serve: Callable[[Api], None]) -> None:
    serve(Api(batch("ended")))
    assert sensor().execute({}) == BATCH_ID


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    "answer",
    [batch("in_progress"), not_found(), httpx2.ConnectError("down")],
    ids=["in progress", "not known yet", "unreachable"],
)
def test_everything_else_is_deferred_with_a_delay(
    serve: Callable[[Api], None], answer: httpx2.Response | Exception
) -> None:
    serve(Api(answer))
    with pytest.raises(TaskDeferred) as deferred:
        sensor(poke_interval=60).execute({})
    waiting = deferred.value.trigger
    assert isinstance(waiting, BatchEndedTrigger)
    assert waiting.first_delay == 7
    assert waiting.poll_interval == 60


def test_the_trigger_outlives_outages_and_404(serve: Callable[[Api], None]) -> None:
    api = Api(
        httpx2.ConnectError("down"),
        not_found(),
        httpx2.Response(529, json={"type": "error", "error": {"type": "overloaded_error"}}),
        httpx2.Response(401, json={"type": "error", "error": {"type": "authentication_error"}}),
        batch("in_progress"),
        batch("canceling"),
        batch("ended"),
    )
    serve(api)
    assert first_event(trigger()) == {"status": "ended", "batch_id": BATCH_ID}
    assert len(api.requests) == 7


def test_nothing_but_reading_is_asked_of_the_api(serve: Callable[[Api], None]) -> None:
    api = Api(batch("in_progress"), batch("ended"))
    serve(api)
    waiting = trigger()
    first_event(waiting)
    asyncio.run(waiting.on_kill())
    assert {(request.method, request.url.path) for request in api.requests} == {
        ("GET", f"/v1/messages/batches/{BATCH_ID}")
    }


def test_the_deadline_ends_the_wait_and_says_what_was_seen(serve: Callable[[Api], None]) -> None:
    serve(Api(batch("in_progress")))
    event = first_event(trigger(deadline=time.time() + 0.2))
    assert event["status"] == "overdue"
    assert "in_progress" in event["message"]
    with pytest.raises(BatchOverdueError, match=BATCH_ID):
        sensor().execute_complete({}, event)


def test_the_first_look_waits(serve: Callable[[Api], None]) -> None:
    api = Api(batch("ended"))
    serve(api)

    async def look_early() -> None:
        waiting = asyncio.ensure_future(anext(aiter(trigger(first_delay=60).run())))
        await asyncio.sleep(0.05)
        assert api.requests == []
        waiting.cancel()

    asyncio.run(look_early())


def test_intervals_are_spread() -> None:
    waits = {trigger()._jittered(100) for _ in range(50)}
    assert len(waits) > 40
    assert all(100 <= wait <= 120 for wait in waits)


def test_another_triggerer_can_go_on() -> None:
    path, arguments = trigger(deadline=123.0).serialize()
    assert path == "batch_sensor.BatchEndedTrigger"
    assert BatchEndedTrigger(**arguments).serialize() == (path, arguments)
