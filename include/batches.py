"""What we ask of the Message Batches API, and what its answers mean for paying once."""

import datetime as dt
import email.utils
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import anthropic
import httpx2
import msgspec
from anthropic.types.messages import MessageBatch

from include.errors import AccountError, PermanentError, TransientError
from include.results import is_account_message

if TYPE_CHECKING:
    from include.config import Settings

logger = logging.getLogger(__name__)

BATCHES_PATH = "/v1/messages/batches"
PAGE_LIMIT = 1_000
"""Source: the API's largest page of batches."""
BATCH_LIFE = dt.timedelta(hours=24)
"""Source: a batch that is not done 24 hours after its creation expires."""

_CHUNK_BYTES = 256 * 1024
_LEADING = b"\xef\xbb\xbf\r\n"
"""What may stand before the first line: a byte order mark, blank lines."""
_RAW_STREAM = {"X-Stainless-Raw-Response": "stream"}
"""How the SDK is told to hand out the bytes instead of typed lines."""
_ACCOUNT_STATUSES = frozenset({401, 402, 403})
_UNDECIDED_STATUSES = frozenset({408, 409})


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as the API lists it."""

    batch_id: str
    status: Literal["in_progress", "canceling", "ended"]
    request_count: int
    counts: dict[str, int]
    """Results by type; all zero until the batch has ended."""
    created_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None
    archived_at: dt.datetime | None

    @property
    def is_ended(self) -> bool:
        """Whether there are results."""
        return self.status == "ended"


@dataclass(frozen=True, slots=True)
class Listing:
    """Batches, newest first, and when the API said so, by its clock."""

    batches: tuple[Batch, ...]
    server_time: dt.datetime

    @property
    def unfinished_requests(self) -> int:
        """Requests of the workspace that are not answered yet."""
        return sum(b.request_count for b in self.batches if not b.is_ended)


@dataclass(frozen=True, slots=True)
class Posted:
    """The API answered with a batch."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Throttled:
    """The API refused for now, and created nothing."""

    wait_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No usable answer: a batch may exist, or may come to exist."""

    reason: str


class BatchRefusedError(PermanentError):
    """The API refuses this body; nothing was created."""


class BatchesApi:
    """The batch endpoints, through an open SDK client."""

    def __init__(self, client: anthropic.Anthropic, settings: "Settings") -> None:
        """Use `client` for small calls with its retries, and without any to create a batch."""
        self._client = client
        self._settings = settings

    def list_since(self, since: dt.datetime) -> Listing:
        """List the batches created after `since`, or in the last life of a batch if that is longer.

        Raises:
            TransientError: The API did not answer.
            AccountError: It refuses the account.
        """
        found: list[Batch] = []
        after_id: str | None = None
        server_time: dt.datetime | None = None
        while True:
            with translated("list batches"):
                response = self._client.messages.batches.with_raw_response.list(
                    limit=PAGE_LIMIT, after_id=after_id or anthropic.omit
                )
                page = response.parse()
            if server_time is None:
                server_time = _server_time(response.headers)
                since = min(since, server_time - BATCH_LIFE)
            batches = [_batch(item) for item in page.data]
            found += [batch for batch in batches if batch.created_at >= since]
            if not page.has_more or not batches or batches[-1].created_at < since:
                return Listing(tuple(found), server_time)
            after_id = page.last_id

    def retrieve(self, batch_id: str) -> Batch | None:
        """Return a batch, or None when the API does not know it: yet, or with this key."""
        try:
            with translated(f"retrieve {batch_id}"):
                return _batch(self._client.messages.batches.retrieve(batch_id))
        except NotKnownError:
            return None

    def cancel(self, batch_id: str) -> None:
        """Ask the API to stop a batch; what it has answered stays paid."""
        with translated(f"cancel {batch_id}"):
            self._client.messages.batches.cancel(batch_id)

    def post(self, body: Path) -> Posted | Throttled | Unknown:
        """Create a batch from a body on disk, once.

        Raises:
            AccountError: The API refuses the account.
            BatchRefusedError: It refuses the body.
        """
        limit = self._settings.post_timeout_seconds
        quick = min(limit / 20, 5)
        timeout = httpx2.Timeout(connect=quick, pool=quick, write=limit / 10, read=limit / 5)
        try:
            created = self._client.with_options(max_retries=0, timeout=timeout).post(
                BATCHES_PATH,
                cast_to=MessageBatch,
                content=_chunks(body, deadline=time.monotonic() + limit / 2),
                options={
                    "headers": {
                        "Content-Type": "application/json",
                        "Content-Length": str(body.stat().st_size),
                    }
                },
            )
        except anthropic.APIStatusError as error:
            return _refusal(error)
        except (anthropic.APIConnectionError, httpx2.HTTPError, _SendTimeoutError) as error:
            return Unknown(type(error).__name__)
        if not getattr(created, "id", None):
            return Unknown("an answer without a batch id")
        return Posted(_batch(created))

    @contextmanager
    def results(self, batch_id: str) -> Iterator[Iterator[bytes]]:
        """Stream the raw result file of an ended batch.

        The address is built from the client's own base URL: the one that the API names may lie on
        another host, which must never see the key.
        """
        with translated(f"download results of {batch_id}"):
            response = self._client.get(
                f"{BATCHES_PATH}/{batch_id}/results",
                cast_to=httpx2.Response,
                options={"headers": {"Accept": "application/binary", **_RAW_STREAM}},
            )
            try:
                yield response.iter_bytes()
            finally:
                response.close()

    def first_result_id(self, batch_id: str) -> str:
        """Return the `custom_id` of the first line of an ended batch's results.

        Raises:
            TransientError: The results cannot be read yet.
        """
        with self.results(batch_id) as chunks:
            head = b""
            for chunk in chunks:
                head += chunk
                if b"\n" in head.lstrip(_LEADING):
                    break
        line = head.lstrip(_LEADING).split(b"\n", 1)[0]
        try:
            return msgspec.json.decode(line, type=_FirstId).custom_id
        except msgspec.DecodeError:
            msg = f"the results of {batch_id} cannot be read yet"
            raise TransientError(msg) from None


class _FirstId(msgspec.Struct):
    custom_id: str


class NotKnownError(TransientError):
    """404: not known yet, not known to this key, or never there."""


class _SendTimeoutError(Exception):
    """Sending took longer than it may."""


def _chunks(body: Path, *, deadline: float) -> Iterator[bytes]:
    with body.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if time.monotonic() > deadline:
                raise _SendTimeoutError
            yield chunk


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the SDK's errors of a repeatable call into ours."""
    try:
        yield
    except anthropic.NotFoundError as error:
        msg = f"could not {what}: 404"
        raise NotKnownError(msg) from error
    except anthropic.APIStatusError as error:
        raise_if_account(error)
        msg = f"could not {what}: {error.status_code} {error.type}"
        raise TransientError(msg) from error
    except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
        msg = f"could not {what}: {type(error).__name__}"
        raise TransientError(msg) from error


def _refusal(error: anthropic.APIStatusError) -> Throttled | Unknown:
    """Say what a status means for a POST: nothing created, or not known."""
    status = error.status_code
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR or status in _UNDECIDED_STATUSES:
        return Unknown(f"status {status}")  # whatever it says: a batch may exist
    raise_if_account(error)
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        return Throttled(_retry_after_seconds(error.response.headers), f"{error.type}")
    msg = f"the API refuses the batch: {status} {error.type}: {error.message[:300]}"
    raise BatchRefusedError(msg) from error


def raise_if_account(error: anthropic.APIStatusError) -> None:
    """Tell errors of the account from others.

    Raises:
        AccountError: The API refuses the account.
    """
    message = error.message
    is_spend_limit = isinstance(
        error,
        anthropic.EnforcedSpendLimitReachedError
        | anthropic.ContractSpendLimitReachedError
        | anthropic.LinkedOrganizationSpendLimitReachedError,
    )
    if error.status_code in _ACCOUNT_STATUSES or is_spend_limit or is_account_message(message):
        msg = (
            f"the API refuses the account: {error.status_code} {error.type}: {message[:300]}; "
            "check the key of the Anthropic connection, the credit and the spend limits"
        )
        raise AccountError(msg) from error


def _retry_after_seconds(headers: httpx2.Headers) -> float:
    value = headers.get("retry-after", "")
    try:
        return max(float(value), 0)
    except ValueError:
        return 0


def _server_time(headers: httpx2.Headers) -> dt.datetime:
    """Return the API's clock, to the second."""
    try:
        return email.utils.parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        msg = "the API's answer has no Date; its clock is needed before anything is bought"
        raise TransientError(msg) from None


def _batch(raw: MessageBatch) -> Batch:
    counts = raw.request_counts
    return Batch(
        batch_id=raw.id,
        status=raw.processing_status,
        request_count=counts.processing
        + counts.succeeded
        + counts.errored
        + counts.canceled
        + counts.expired,
        counts={
            "succeeded": counts.succeeded,
            "errored": counts.errored,
            "canceled": counts.canceled,
            "expired": counts.expired,
        },
        created_at=raw.created_at,
        expires_at=raw.expires_at,
        ended_at=raw.ended_at,
        archived_at=raw.archived_at,
    )
