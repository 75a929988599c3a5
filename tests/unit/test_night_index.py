import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from include.errors import StorageUnavailableError, TransientError
from include.night_index import (
    NIGHTS_KEPT,
    BrokenIndexError,
    NightIndex,
    NightSummary,
    index_key,
    note_night,
    read_index,
)
from include.reports import FailureLine, OutcomeCount, StateCount
from include.storage import ObjectStore
from tests.factories import make_report
from tests.fakes import START, FakeS3

KEY = f"nightshift/{index_key('notes')}"


def run_keys(store: ObjectStore) -> list[str]:
    return [night.run_key for night in read_index(store, "notes").nights]


def test_spec_without_nights_has_an_empty_index(store: ObjectStore) -> None:
    assert read_index(store, "notes") == NightIndex()


def test_nights_are_kept_by_window_and_a_night_again_takes_its_own_place(
    store: ObjectStore, bucket: FakeS3
) -> None:
    for name, days in (("b", 1), ("c", 2), ("a", 0)):  # the last one is backfilled
        end = START + dt.timedelta(days=days)
        note_night(store, make_report(run_key=name, window_end_at=end))
    before = bucket.objects[KEY]
    note_night(store, make_report(run_key="a", window_end_at=START))
    assert run_keys(store) == ["c", "b", "a"]
    assert bucket.objects[KEY] == before


def test_index_does_not_grow_without_end() -> None:
    index = NightIndex()
    for number in range(NIGHTS_KEPT + 2):
        end = START + dt.timedelta(days=number)
        report = make_report(run_key=f"run-{number}", window_end_at=end)
        index = index.with_night(NightSummary.of(report))
    assert len(index.nights) == NIGHTS_KEPT
    assert index.nights[-1].run_key == "run-2"


def test_two_nights_that_end_at_once_are_both_kept(store: ObjectStore, bucket: FakeS3) -> None:
    note_night(store, make_report(run_key="first"))
    bucket.fail_once("put", "index.json", "refused")
    note_night(store, make_report(run_key="second"))
    assert sorted(run_keys(store)) == ["first", "second"]


def test_index_that_others_keep_changing_is_tried_again_later(
    store: ObjectStore, bucket: FakeS3
) -> None:
    bucket.hook = lambda verb, key: "refused" if verb == "put" else None
    with pytest.raises(TransientError, match="12 times in a row"):
        note_night(store, make_report())


def test_unreadable_index_is_not_taken_for_an_empty_one(store: ObjectStore, bucket: FakeS3) -> None:
    note_night(store, make_report(run_key="first"))
    bucket.fail_once("get", "index.json", "outage")
    with pytest.raises(StorageUnavailableError):
        note_night(store, make_report(run_key="second"))
    assert run_keys(store) == ["first"]


@pytest.mark.parametrize("data", [b"", b"{", b'{"nights": [{}]}', b'{"schema_version": 2}'])
def test_broken_index_is_named_and_the_next_night_begins_anew(
    store: ObjectStore, bucket: FakeS3, data: bytes
) -> None:
    bucket.objects[KEY] = data
    with pytest.raises(BrokenIndexError, match=r"notes/runs/index\.json is not an index"):
        read_index(store, "notes")
    note_night(store, make_report(run_key="next"))
    assert run_keys(store) == ["next"]


def test_index_of_a_newer_version_is_still_read(store: ObjectStore) -> None:
    night: dict[str, Any] = NightSummary.of(make_report()).model_dump(mode="json")
    newer = {"nights": [night | {"mood": "good"}], "more": 1}
    assert NightIndex.model_validate(newer).nights[0].run_key == night["run_key"]


def test_index_names_no_document_and_quotes_no_error(store: ObjectStore, bucket: FakeS3) -> None:
    failure = FailureLine(
        document_uri="s3://documents/secret.txt",
        state="dead_letter",
        state_reason="errored",
        error_message="quoted text",
    )
    outcome = OutcomeCount(
        outcome="succeeded",
        result_count=2,
        input_tokens=1,
        output_tokens=1,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cost_usd=Decimal("0.1"),
        list_cost_usd=Decimal("0.2"),
    )
    reason = StateCount(state="dead_letter", state_reason="errored", document_count=1)
    note_night(store, make_report(failures=(failure,), outcomes=(outcome,), reasons=(reason,)))
    data = bucket.objects[KEY]
    assert b"secret" not in data
    assert b"quoted" not in data
    (night,) = read_index(store, "notes").nights
    assert (night.outcomes[0].result_count, night.reasons[0].document_count) == (2, 1)
