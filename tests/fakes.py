"""Stand-ins for what lies outside: a clock, a bucket, and the batches of a workspace."""

import datetime as dt
import email.utils
import hashlib
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
import msgspec
from botocore.exceptions import ClientError, EndpointConnectionError

from include.batches import Batch, Listing, Posted, Throttled, Unknown

START = dt.datetime(2026, 11, 10, 2, tzinfo=dt.UTC)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class FakeClock:
    """One clock for everybody: wall, monotonic and the API's."""

    now: dt.datetime = START

    def __call__(self) -> dt.datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - START).total_seconds()

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


StorageFault = Literal["outage", "lost", "late", "refused", "forbidden"]
"""Nothing happens; a write lands and its answer is lost; it lands after the next call; the answer
is 409; the answer is 403."""


class FakeS3:
    """A bucket as the S3 client shows it, with honest conditional writes and faults on demand."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self.hook: Callable[[str, str], StorageFault | None] = lambda verb, key: None
        """Asked before each call, by verb and key, for a fault; may raise `Crash`."""
        self.ignores_conditions = False
        self._late: list[Callable[[], None]] = []

    def fail_once(self, verb: str, key_part: str, fault: StorageFault) -> None:
        """Let the next such call end in a fault."""
        faults = deque([fault])

        def hook(called: str, key: str) -> StorageFault | None:
            return faults.popleft() if faults and called == verb and key_part in key else None

        self.hook = hook

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:  # noqa: N803  # boto3
        with self._call("get", Key):
            data = self._stored(Key)
        if Range:
            start, end = map(int, Range.removeprefix("bytes=").split("-"))
            data = data[start : end + 1]
        return {"Body": io.BytesIO(data), "ETag": _etag(data)}

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803  # boto3
        Key: str,  # noqa: N803  # boto3
        Body: bytes,  # noqa: N803  # boto3
        IfNoneMatch: str | None = None,  # noqa: N803  # boto3
        IfMatch: str | None = None,  # noqa: N803  # boto3
    ) -> dict[str, Any]:
        def land() -> None:
            found = self.objects.get(Key)
            is_unmet = (IfNoneMatch and found is not None) or (
                IfMatch and (found is None or _etag(found) != IfMatch)
            )
            if is_unmet and not self.ignores_conditions:
                raise _client_error(412, "PreconditionFailed")
            self.objects[Key] = Body

        with self._call("put", Key, land):
            land()
        return {"ETag": _etag(Body)}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        with self._call("get", key):
            Path(path).write_bytes(self._stored(key))

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=Path(path).read_bytes())

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int = 1_000) -> dict[str, Any]:  # noqa: N803  # boto3
        with self._call("list", Prefix):
            keys = sorted(key for key in self.objects if key.startswith(Prefix))[:MaxKeys]
        found = [{"Key": key, "LastModified": START} for key in keys]
        return {"KeyCount": len(keys), "Contents": found}

    def get_paginator(self, operation: str) -> "FakeS3":
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        yield self.list_objects_v2(**arguments)

    def _stored(self, key: str) -> bytes:
        if key not in self.objects:
            raise _client_error(404, "NoSuchKey")
        return self.objects[key]

    @contextmanager
    def _call(self, verb: str, key: str, land: Callable[[], None] | None = None) -> Iterator[None]:
        fault = self.hook(verb, key)
        self.calls.append((verb, key))
        if fault == "refused":
            raise _client_error(409, "ConditionalRequestConflict")
        if fault == "forbidden":
            raise _client_error(403, "AccessDenied")
        if fault in {"outage", "late"}:
            if land is not None and fault == "late":
                self._late.append(land)
            raise EndpointConnectionError(endpoint_url="https://s3.test")
        yield
        if fault == "lost":
            raise EndpointConnectionError(endpoint_url="https://s3.test")
        self._land_late()

    def _land_late(self) -> None:
        while self._late:
            try:
                self._late.pop()()
            except ClientError:
                continue  # by now the condition is unmet


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _client_error(status: int, code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Fake")


Fate = Literal["answered", "lost", "late", "nothing"]
"""The batch exists and is answered; it exists, and the answer is lost; it exists only after
`landing_seconds`, and the answer is lost; it never exists, and the answer is lost."""


@dataclass
class FakeBatch:
    """What the workspace knows of a batch."""

    batch_id: str
    custom_ids: tuple[str, ...]
    created_at: dt.datetime
    ended_at: dt.datetime | None = None
    is_canceled: bool = False
    lines: Sequence[dict[str, Any]] = ()

    @property
    def counts(self) -> dict[str, int]:
        counts = dict.fromkeys(("succeeded", "errored", "canceled", "expired"), 0)
        if self.ended_at:
            for line in self.lines:
                counts[line["result"]["type"]] += 1
        return counts


@dataclass
class FakeWorkspace:
    """Every batch that one API key can see, and what happens to the next POSTs."""

    clock: FakeClock
    landing_seconds: float = 0
    fates: deque[Fate] = field(default_factory=deque)
    """Of the next POSTs; `answered` when there are none left."""
    accepted: list[FakeBatch] = field(default_factory=list)
    canceled_ids: list[str] = field(default_factory=list)

    def create(self, custom_ids: Iterable[str]) -> tuple[FakeBatch | None, Fate]:
        """Take a POST; return the batch that came to be, and whether the caller hears of it."""
        fate = self.fates.popleft() if self.fates else "answered"
        if fate == "nothing":
            return None, fate
        delay = dt.timedelta(seconds=self.landing_seconds if fate == "late" else 0)
        number = len(self.accepted) + 1
        batch = FakeBatch(f"msgbatch_{number}", tuple(custom_ids), self.clock.now + delay)
        self.accepted.append(batch)
        return batch, fate

    def end(self, batch: FakeBatch, lines: Sequence[dict[str, Any]] | None = None) -> None:
        """Let a batch end, by default with an error for each request."""
        batch.lines = lines if lines is not None else [_errored(one) for one in batch.custom_ids]
        batch.ended_at = self.clock.now

    def listed(self) -> list[FakeBatch]:
        """Return what a listing shows now, newest first."""
        return [one for one in reversed(self.accepted) if one.created_at <= self.clock.now]

    def purchases(self) -> dict[tuple[str, ...], int]:
        """Return how many batches were accepted, by their requests."""
        ids = [tuple(sorted(batch.custom_ids)) for batch in self.accepted]
        return {one: ids.count(one) for one in ids}

    def find(self, batch_id: str) -> FakeBatch | None:
        return next((one for one in self.listed() if one.batch_id == batch_id), None)


def _errored(custom_id: str) -> dict[str, Any]:
    error = {"type": "error", "error": {"type": "api_error", "message": "try again"}}
    return {"custom_id": custom_id, "result": {"type": "errored", "error": error}}


@dataclass
class FakeBatchesApi:
    """`BatchesApi` over a workspace, without HTTP: for searches that ask thousands of times."""

    workspace: FakeWorkspace
    hook: Callable[[str], None] = lambda verb: None
    """Called before each request with what it is."""

    def list_since(self, since: dt.datetime) -> Listing:
        self.hook("list")
        # The API's clock is told to the second.
        now = self.workspace.clock.now.replace(microsecond=0)
        return Listing(tuple(_batch(one) for one in self.workspace.listed()), now)

    def cancel(self, batch_id: str) -> None:
        self.hook("cancel")
        self.workspace.canceled_ids.append(batch_id)

    def post(self, body: Path) -> Posted | Throttled | Unknown:
        self.hook("post")
        requests = msgspec.json.decode(body.read_bytes())["requests"]
        batch, fate = self.workspace.create(one["custom_id"] for one in requests)
        if batch is None or fate != "answered":
            return Unknown(fate)
        return Posted(_batch(batch))

    def first_result_id(self, batch_id: str) -> str:
        self.hook("results")
        batch = self.workspace.find(batch_id)
        assert batch is not None
        custom_id: str = batch.lines[0]["custom_id"]
        return custom_id


def _batch(batch: FakeBatch) -> Batch:
    return Batch(
        batch_id=batch.batch_id,
        status="ended" if batch.ended_at else "in_progress",
        request_count=len(batch.custom_ids),
        counts=batch.counts,
        created_at=batch.created_at,
        expires_at=batch.created_at + dt.timedelta(hours=24),
        ended_at=batch.ended_at,
        archived_at=None,
    )


def _result_file(batch: FakeBatch) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in batch.lines)


Answer = Callable[[httpx2.Request], httpx2.Response]


class FakeAnthropicServer:
    """The batch endpoints over HTTP, for a real client over `httpx2.MockTransport`."""

    def __init__(self, workspace: FakeWorkspace) -> None:
        self.workspace = workspace
        self.answers: deque[Answer | Exception] = deque()
        """What the next POSTs get instead of what the workspace says."""
        self.overrides: dict[str, Answer] = {}
        """Answers of other calls: `list`, `retrieve`, `cancel`, `results`."""
        self.posted_count = 0
        self.now: Callable[[], dt.datetime] = workspace.clock
        self.page_size = 1_000

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        verb = self._verb(request)
        if verb == "post":
            response = self._post(request)
        elif verb in self.overrides:
            response = self.overrides[verb](request)
        else:
            response = getattr(self, f"_{verb}")(request)
        response.headers.setdefault("date", email.utils.format_datetime(self.now(), usegmt=True))
        return response

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.handle)

    @staticmethod
    def _verb(request: httpx2.Request) -> str:
        tail = request.url.path.removeprefix("/v1/messages/batches").strip("/")
        if not tail:
            return "post" if request.method == "POST" else "list"
        _, _, action = tail.partition("/")
        return action or "retrieve"

    def _post(self, request: httpx2.Request) -> httpx2.Response:
        self.posted_count += 1
        body = json.loads(request.read())
        if self.answers:
            answer = self.answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer(request)
        batch, fate = self.workspace.create(one["custom_id"] for one in body["requests"])
        if batch is None or fate != "answered":
            message = "connection lost"
            raise httpx2.ReadError(message, request=request)
        return httpx2.Response(200, json=_wire(batch))

    def _list(self, request: httpx2.Request) -> httpx2.Response:
        found = self.workspace.listed()
        after = request.url.params.get("after_id")
        ids = [one.batch_id for one in found]
        first = ids.index(after) + 1 if after else 0
        page = found[first : first + self.page_size]
        return httpx2.Response(
            200,
            json={
                "data": [_wire(one) for one in page],
                "has_more": first + len(page) < len(found),
                "first_id": page[0].batch_id if page else None,
                "last_id": page[-1].batch_id if page else None,
            },
        )

    def _retrieve(self, request: httpx2.Request) -> httpx2.Response:
        batch = self.workspace.find(request.url.path.rsplit("/", 1)[1])
        return httpx2.Response(200, json=_wire(batch)) if batch else error_response(404)

    def _cancel(self, request: httpx2.Request) -> httpx2.Response:
        batch_id = request.url.path.split("/")[-2]
        self.workspace.canceled_ids.append(batch_id)
        return self._retrieve(httpx2.Request("GET", f"https://api.test/{batch_id}"))

    def _results(self, request: httpx2.Request) -> httpx2.Response:
        batch = self.workspace.find(request.url.path.split("/")[-2])
        return httpx2.Response(200, content=_result_file(batch)) if batch else error_response(404)


def error_response(
    status: int,
    error_type: str = "api_error",
    message: str = "no",
    *,
    headers: dict[str, str] | None = None,
    details: dict[str, Any] | None = None,
) -> httpx2.Response:
    """Return an error as the API words it."""
    error = {"type": error_type, "message": message} | ({"details": details} if details else {})
    return httpx2.Response(status, json={"type": "error", "error": error}, headers=headers)


def _wire(batch: FakeBatch) -> dict[str, Any]:
    def text(moment: dt.datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    processing = 0 if batch.ended_at else len(batch.custom_ids)
    return {
        "id": batch.batch_id,
        "type": "message_batch",
        "processing_status": "ended" if batch.ended_at else "in_progress",
        "request_counts": {"processing": processing, **batch.counts},
        "created_at": text(batch.created_at),
        "expires_at": text(batch.created_at + dt.timedelta(hours=24)),
        "ended_at": text(batch.ended_at),
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None,
    }
