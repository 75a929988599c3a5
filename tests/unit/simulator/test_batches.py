from dataclasses import replace

import pytest

from include.simulator import batches
from include.simulator.batches import RETENTION_SECONDS, WINDOW_SECONDS, Batch

CREATED = 1_790_000_000.0


def make_batch(done_after: float = 600, **changes) -> Batch:
    done_at = CREATED + done_after
    batch = Batch(
        number=1,
        batch_id="msgbatch_1",
        workspace="wrkspc_1",
        request_count=2,
        created_at=CREATED,
        visible_at=CREATED,
        done_at=done_at,
        due_at=batches.due_at(CREATED, done_at),
        body_bytes=1,
        body_sha256="",
    )
    return replace(batch, **changes)


def test_a_batch_ends_when_its_last_request_is_done():
    ended = batches.end(make_batch())
    assert (ended.status, ended.ended_at) == ("ended", CREATED + 600)
    assert batches.outcome(ended, finish_seconds=600, result_type="errored") == "errored"


def test_a_batch_expires_after_its_window():
    ended = batches.end(make_batch(done_after=WINDOW_SECONDS + 1))
    assert ended.ended_at == CREATED + WINDOW_SECONDS
    assert batches.outcome(ended, finish_seconds=5, result_type="succeeded") == "succeeded"
    late = batches.outcome(ended, finish_seconds=WINDOW_SECONDS + 1, result_type="succeeded")
    assert late == "expired"


def test_a_cancellation_takes_its_grace_and_keeps_what_was_done_before():
    canceling = batches.cancel(make_batch(), now=CREATED + 100, grace_seconds=30)
    ended = batches.end(canceling)
    assert canceling.status == "canceling"
    assert ended.ended_at == CREATED + 130
    assert batches.outcome(ended, finish_seconds=100, result_type="succeeded") == "succeeded"
    assert batches.outcome(ended, finish_seconds=101, result_type="succeeded") == "canceled"


def test_a_cancellation_does_not_delay_the_end():
    canceling = batches.cancel(make_batch(), now=CREATED + 590, grace_seconds=30)
    assert canceling.due_at == CREATED + 600


def test_a_second_cancellation_changes_nothing():
    first = batches.cancel(make_batch(), now=CREATED + 1, grace_seconds=30)
    assert batches.cancel(first, now=CREATED + 2, grace_seconds=30) == first


@pytest.mark.parametrize(
    ("now", "has_url", "is_archived"),
    [(CREATED + 601, True, False), (CREATED + RETENTION_SECONDS, False, True)],
    ids=["kept", "archived"],
)
def test_results_are_shown_until_they_are_archived(now, has_url, is_archived):
    shown = batches.render(batches.end(make_batch()), now=now, origin="http://host")
    assert (shown["results_url"] is not None) == has_url
    assert (shown["archived_at"] is not None) == is_archived


def test_a_running_batch_shows_every_request_as_processing():
    shown = batches.render(make_batch(), now=CREATED, origin="http://host")
    assert shown["request_counts"] == {
        "processing": 2,
        "succeeded": 0,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    assert shown["created_at"] == "2026-09-21T14:13:20.000000Z"
