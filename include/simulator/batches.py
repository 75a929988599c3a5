"""The life of one batch: when it ends, what its requests come to, how the API shows it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

ResultType = Literal["succeeded", "errored", "canceled", "expired"]
ProcessingStatus = Literal["in_progress", "canceling", "ended"]

WINDOW_SECONDS = timedelta(hours=24).total_seconds()
RETENTION_SECONDS = timedelta(days=29).total_seconds()
"""Counted from the creation, not from the end. Source: Message Batches, results retention."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One batch, its times as seconds since 1970 on the virtual clock."""

    number: int
    batch_id: str
    workspace: str
    request_count: int
    created_at: float
    visible_at: float
    done_at: float
    due_at: float
    body_bytes: int
    body_sha256: str
    cancel_initiated_at: float | None = None
    ended_at: float | None = None
    cutoff_at: float | None = None
    cutoff_result: ResultType | None = None
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0
    deleted_at: float | None = None

    @property
    def expires_at(self) -> float:
        """When the API gives up on it."""
        return self.created_at + WINDOW_SECONDS

    @property
    def archives_at(self) -> float:
        """When its results are gone."""
        return self.created_at + RETENTION_SECONDS

    @property
    def status(self) -> ProcessingStatus:
        """Its `processing_status`."""
        if self.ended_at is not None:
            return "ended"
        return "canceling" if self.cancel_initiated_at is not None else "in_progress"


def due_at(created_at: float, done_at: float) -> float:
    """Return when a batch ends that nobody cancels."""
    return min(done_at, created_at + WINDOW_SECONDS)


def cancel(batch: Batch, *, now: float, grace_seconds: float) -> Batch:
    """Begin to cancel an unfinished batch; a second time changes nothing."""
    if batch.cancel_initiated_at is not None:
        return batch
    return replace(batch, cancel_initiated_at=now, due_at=min(batch.due_at, now + grace_seconds))


def end(batch: Batch) -> Batch:
    """End a batch that is due: freeze which of its requests were too late."""
    cutoff_at: float | None = None
    cutoff_result: ResultType | None = None
    if batch.cancel_initiated_at is not None:
        cutoff_at, cutoff_result = batch.cancel_initiated_at, "canceled"
    elif batch.done_at > batch.expires_at:
        cutoff_at, cutoff_result = batch.expires_at, "expired"
    return replace(batch, ended_at=batch.due_at, cutoff_at=cutoff_at, cutoff_result=cutoff_result)


def outcome(batch: Batch, *, finish_seconds: float, result_type: ResultType) -> ResultType:
    """Return what one request of an ended batch came to."""
    if batch.cutoff_at is None or batch.cutoff_result is None:
        return result_type
    is_in_time = finish_seconds <= batch.cutoff_at - batch.created_at
    return result_type if is_in_time else batch.cutoff_result


def render(batch: Batch, *, now: float, origin: str) -> dict[str, Any]:
    """Return the batch as the API shows it: every key, always."""
    is_ended = batch.ended_at is not None
    is_archived = now >= batch.archives_at
    url = f"{origin}/v1/messages/batches/{batch.batch_id}/results"
    return {
        "id": batch.batch_id,
        "type": "message_batch",
        "processing_status": batch.status,
        "request_counts": {
            "processing": 0 if is_ended else batch.request_count,
            "succeeded": batch.succeeded,
            "errored": batch.errored,
            "canceled": batch.canceled,
            "expired": batch.expired,
        },
        "created_at": timestamp(batch.created_at),
        "expires_at": timestamp(batch.expires_at),
        "ended_at": timestamp(batch.ended_at),
        "cancel_initiated_at": timestamp(batch.cancel_initiated_at),
        "archived_at": timestamp(batch.archives_at) if is_archived else None,
        "results_url": url if is_ended and not is_archived else None,
    }


def timestamp(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")
