import datetime as dt

import pyarrow as pa
import pytest

from include.warehouse.listings import ABANDONED_AFTER, mark_deleted
from include.warehouse.staging import LISTED_URIS
from tests.integration.warehouse.nights import DAY, HOUR, MONDAY, SPEC, Nights, Version, reader

pytestmark = pytest.mark.integration

A, B, C = Version("a"), Version("b"), Version("c")


def current_versions(nights: Nights) -> list[str]:
    rows = nights.rows("select document_id from nightshift.documents where is_current order by 1")
    return [row["document_id"] for row in rows]


def delete_all_but(nights: Nights, *kept: Version, at: dt.datetime = MONDAY + DAY) -> int:
    uris = reader([{"document_uri": version.uri} for version in kept], LISTED_URIS)
    with nights.warehouse.session() as session:
        return mark_deleted(
            session, spec=SPEC, prefixes=[("inbox", "")], listed_uris=uris, listed_at=at
        )


def test_versions_never_seen_are_taken_up_in_order(nights: Nights) -> None:
    result, taken = nights.list_versions("run-1", B, A)

    assert taken == ["a@1", "b@1"]
    assert (result.listed_count, result.taken_count, result.unchanged_count) == (2, 2, 0)
    assert nights.latest() == {"a@1": "pending in_flight", "b@1": "pending in_flight"}
    assert nights.states("run-1") == nights.latest()


def test_settled_versions_are_unchanged(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    nights.load("run-1", {A: "answered", B: "skipped empty", C: "failed refused"})

    result, taken = nights.list_versions("run-2", A, B, C, at=MONDAY + DAY)

    assert taken == []
    assert result.unchanged_count == 3
    assert nights.states("run-2") == {}


def test_an_object_listed_twice_is_one_document(nights: Nights) -> None:
    result, taken = nights.list_versions("run-1", A, A)

    assert (result.listed_count, taken) == (1, ["a@1"])


def test_a_cleared_run_lists_again_what_it_listed(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "answered", B: "failed refused"})
    before = nights.everything()

    result, taken = nights.list_versions("run-1", A, B, at=MONDAY + 3 * DAY)

    assert taken == ["a@1", "b@1"]
    assert result.unchanged_count == 0
    assert nights.everything() == before


def test_an_earlier_run_listed_again_leaves_the_later_one_alone(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.list_versions("run-2", A, at=MONDAY + DAY)
    before = nights.everything()

    nights.list_versions("run-1", A, at=MONDAY + 2 * DAY)

    assert nights.everything() == before


def test_pending_versions_that_are_listed_are_taken_up(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "pending fetch_failed"})

    _, taken = nights.list_versions("run-2", A, at=MONDAY + HOUR)

    assert taken == ["a@1"]
    assert nights.latest() == {"a@1": "pending in_flight"}
    assert nights.states("run-1") == {"a@1": "pending fetch_failed"}


def test_pending_documents_of_a_finished_run_are_carried_over(nights: Nights) -> None:
    first, _ = nights.list_versions("run-1", A)
    nights.load("run-1", {A: "pending fetch_failed"})
    nights.settle("run-1", first)

    result, taken = nights.list_versions("run-2", B, at=MONDAY + HOUR * 3)

    assert taken == ["a@1", "b@1"]
    assert (result.listed_count, result.taken_count, result.carried_over_count) == (1, 2, 1)


@pytest.mark.parametrize(
    ("waited", "expected"),
    [(ABANDONED_AFTER, ["b@1"]), (ABANDONED_AFTER + HOUR, ["a@1", "b@1"])],
    ids=["still going", "given up"],
)
def test_pending_documents_of_a_run_without_an_end(
    nights: Nights, waited: dt.timedelta, expected: list[str]
) -> None:
    nights.list_versions("run-1", A)

    _, taken = nights.list_versions("run-2", B, at=MONDAY + waited)

    assert taken == expected


def test_pending_documents_that_are_gone_are_carried_over_to_be_settled(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    delete_all_but(nights)

    result, taken = nights.list_versions("run-2", at=MONDAY + 5 * DAY)
    nights.load("run-2", {A: "skipped vanished"}, at=MONDAY + 5 * DAY)

    assert (taken, result.carried_over_count) == (["a@1"], 1)
    assert nights.latest() == {"a@1": "skipped vanished"}


def test_what_had_vanished_and_is_listed_again_is_taken_up_once(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "skipped vanished"})
    assert nights.list_versions("run-1", A, at=MONDAY + DAY)[1] == ["a@1"]
    assert nights.latest() == {"a@1": "skipped vanished"}

    nights.list_versions("run-2", A, at=MONDAY + DAY)
    nights.load("run-2", {A: "answered"}, at=MONDAY + DAY)

    assert nights.latest() == {"a@1": "enriched"}
    assert nights.list_versions("run-3", A, at=MONDAY + 2 * DAY)[1] == []


def test_what_is_gone_is_not_requeued(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "failed refused", B: "skipped image_only"})
    delete_all_but(nights)
    before = nights.everything()

    _, taken = nights.list_versions(
        "run-2", at=MONDAY + 2 * DAY, requeue_reasons=("refused", "image_only")
    )

    assert (taken, nights.everything()) == ([], before)


def test_a_newer_version_becomes_the_current_one(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.list_versions("run-2", Version("a", 2), at=MONDAY + DAY)

    assert current_versions(nights) == ["a@2", "b@1"]


def test_a_backfill_never_makes_an_old_version_current(nights: Nights) -> None:
    nights.list_versions("run-1", Version("a", 3))
    nights.list_versions("backfill", Version("a", 1), Version("a", 2), at=MONDAY + DAY)

    assert current_versions(nights) == ["a@3"]


def test_what_a_complete_listing_did_not_see_is_marked(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)

    assert delete_all_but(nights, B) == 1
    assert delete_all_but(nights, B, at=MONDAY + 2 * DAY) == 0

    rows = nights.rows("select document_id, deleted_at from nightshift.documents order by 1")
    assert [row["deleted_at"] for row in rows] == [MONDAY + DAY, None]
    assert nights.latest()["a@1"] == "pending in_flight"


def test_only_the_listed_places_are_searched_for_deletions(nights: Nights) -> None:
    nights.list_versions("run-1", Version("in/a"), Version("out/b"))

    with nights.warehouse.session() as session:
        marked = mark_deleted(
            session,
            spec=SPEC,
            prefixes=[("inbox", "in/"), ("elsewhere", "")],
            listed_uris=reader([], LISTED_URIS),
            listed_at=MONDAY + DAY,
        )

    assert marked == 1


def test_what_another_run_saw_after_the_listing_began_is_not_deleted(nights: Nights) -> None:
    nights.list_versions("run-1", A, at=MONDAY + HOUR)

    assert delete_all_but(nights, at=MONDAY) == 0


def test_a_reappearing_object_is_no_longer_deleted(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})
    delete_all_but(nights)
    assert nights.rows("select 1 from nightshift.notes") == []

    result, _ = nights.list_versions("run-2", A, at=MONDAY + 2 * DAY)

    assert result.unchanged_count == 1
    assert len(nights.rows("select 1 from nightshift.notes")) == 1


def test_a_complete_listing_finds_again_what_lies_outside_the_window(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    delete_all_but(nights)

    assert delete_all_but(nights, A, at=MONDAY + 2 * DAY) == 1

    (row,) = nights.rows("select deleted_at from nightshift.documents")
    assert row["deleted_at"] is None


def test_a_requeued_dead_letter_is_taken_up_outside_the_window(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "failed refused", B: "failed invalid_output"})

    result, taken = nights.list_versions(
        "run-2", at=MONDAY + DAY, requeue_reasons=("refused", "unheard_of")
    )

    assert taken == ["a@1"]
    assert result.carried_over_count == 1
    assert nights.letters() == {"a@1": "requeued", "b@1": "open"}
    assert nights.latest()["a@1"] == "pending in_flight"


def test_requeued_skipped_document_is_taken_up_until_it_is_skipped_again(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "skipped image_only", B: "skipped encrypted"})

    _, taken = nights.list_versions("run-2", at=MONDAY + DAY, requeue_reasons=("image_only",))
    assert (taken, nights.latest()["a@1"]) == (["a@1"], "pending in_flight")

    nights.load("run-2", {A: "skipped too_many_pages"}, at=MONDAY + DAY)
    before = nights.everything()
    nights.list_versions("run-2", at=MONDAY + 2 * DAY, requeue_reasons=("too_many_pages",))
    assert nights.everything() == before


def test_requeueing_again_in_the_same_run_changes_nothing(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})
    nights.list_versions("run-2", at=MONDAY + DAY, requeue_reasons=("refused",))
    nights.load("run-2", {A: "failed refused"}, at=MONDAY + DAY)
    before = nights.everything()

    _, taken = nights.list_versions("run-2", at=MONDAY + 2 * DAY, requeue_reasons=("refused",))

    assert taken == ["a@1"]
    assert nights.everything() == before
    assert nights.letters() == {"a@1": "open"}


def test_reprocessing_takes_up_what_an_older_prompt_settled(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    nights.load("run-1", {A: "answered", B: "skipped empty", C: "failed refused"})

    _, taken = nights.list_versions(
        "run-2", A, B, C, at=MONDAY + DAY, prompt_version="prompt-2", reprocess=True
    )
    nights.load("run-2", {A: "answered", C: "failed refused"}, at=MONDAY + DAY, prompt="prompt-2")
    _, taken_next = nights.list_versions(
        "run-3", A, B, C, at=MONDAY + 2 * DAY, prompt_version="prompt-2", reprocess=True
    )

    assert taken == ["a@1", "c@1"]
    assert taken_next == []


def test_a_listing_without_documents_is_a_listing(nights: Nights) -> None:
    result, taken = nights.list_versions("run-1")

    assert (result.listed_count, result.taken_count, taken) == (0, 0, [])


def test_columns_come_back_as_they_were_listed(nights: Nights) -> None:
    listing, _ = nights.list_versions("run-1", A)

    assert listing.documents.schema.names == [
        "document_id",
        "document_uri",
        "bucket",
        "object_key",
        "object_version",
        "size_bytes",
        "last_modified_at",
        "storage_class",
    ]
    assert listing.documents.schema.field("last_modified_at").type == pa.timestamp("us", "UTC")
