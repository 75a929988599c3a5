from typing import Any

import pytest

from include.errors import CountMismatchError
from include.warehouse.staging import FAILURES
from tests.integration.warehouse.nights import (
    DAY,
    HOUR,
    MONDAY,
    Nights,
    Version,
    reader,
)

pytestmark = pytest.mark.integration

A, B, C, D, E, F = (Version(key) for key in "abcdef")
TWIN = Version("twin", content="same")
OTHER_TWIN = Version("zwilling", content="same")


def test_each_document_ends_in_the_state_of_its_outcome(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C, D, E, F)

    summary = nights.load(
        "run-1",
        {
            A: "answered",
            B: "failed refused",
            C: "failing truncated",
            D: "skipped image_only",
            E: "dead_letter too_large",
            F: "pending not_built",
        },
        pending_reason="unanswered",
    )

    assert nights.states("run-1") == {
        "a@1": "enriched",
        "b@1": "dead_letter refused",
        "c@1": "pending unanswered",
        "d@1": "skipped image_only",
        "e@1": "dead_letter too_large",
        "f@1": "pending not_built",
    }
    assert nights.latest() == nights.states("run-1")
    assert nights.letters() == {"b@1": "open", "e@1": "open"}
    assert (summary.result_count, summary.enrichment_count, summary.settled_count) == (3, 1, 6)
    assert sum(paid.result_count for paid in summary.paid) == 3


def test_what_was_paid_is_told_once(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    first = nights.load("run-1", {A: "answered", B: "asked", C: "failed refused"})
    told = {one.outcome: (one.result_count, one.cost_usd) for one in first.paid}
    assert told.keys() == {"succeeded", "refused"}

    again = nights.load("run-1", {A: "answered", B: "answered", C: "failed refused"})

    assert [(one.outcome, one.result_count) for one in again.paid] == [("succeeded", 1)]
    assert again.paid[0].cost_usd == told["succeeded"][1] > 0
    assert nights.load("run-1", {A: "answered", B: "answered", C: "failed refused"}).paid == ()


def test_loading_again_changes_no_row(nights: Nights) -> None:
    outcomes = {
        A: "answered",
        B: "failed refused",
        C: "failing truncated",
        D: "skipped empty",
        TWIN: "answered",
        OTHER_TWIN: "answered",
    }
    nights.list_versions("run-1", *outcomes)
    nights.load("run-1", outcomes)
    before = nights.everything()

    summary = nights.load("run-1", outcomes, at=MONDAY + 5 * DAY)

    assert nights.everything() == before
    assert (summary.result_count, summary.batch_count) == (0, 0)
    assert (summary.enrichment_count, summary.settled_count) == (0, 0)


def test_documents_of_equal_content_share_one_answer(nights: Nights) -> None:
    nights.list_versions("run-1", TWIN, OTHER_TWIN)

    summary = nights.load("run-1", {TWIN: "answered", OTHER_TWIN: "answered"})

    assert nights.states("run-1") == {"twin@1": "enriched", "zwilling@1": "reused"}
    assert (summary.result_count, summary.enrichment_count) == (1, 1)


def test_next_weeks_copy_reuses_this_weeks_answer(nights: Nights) -> None:
    nights.list_versions("run-1", TWIN)
    nights.load("run-1", {TWIN: "answered"})
    nights.list_versions("run-2", OTHER_TWIN, at=MONDAY + DAY)

    nights.load("run-2", {OTHER_TWIN: "asked"}, at=MONDAY + DAY)

    assert nights.states("run-2") == {"zwilling@1": "reused"}
    assert len(nights.rows("select 1 from nightshift.notes")) == 2


def test_items_of_two_answers_to_one_request_do_not_mix(nights: Nights) -> None:
    nights.list_versions("run-1", TWIN, OTHER_TWIN)

    nights.load("run-1", {TWIN: "answered", OTHER_TWIN: "answered"})

    rows = nights.rows("""
        select e.topic, i.title
        from nightshift.notes_enrichments as e
        join nightshift.notes__terms as i using (enrichment_id)
        order by i.ordinal
    """)
    assert rows == [{"topic": "twin", "title": "twin@1"}, {"topic": "twin", "title": "b"}]


def test_a_retry_settles_what_round_0_left_pending(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "answered", B: "failing truncated"})

    nights.load("run-1", {B: "answered"}, at=MONDAY + 5 * HOUR, bought_by="run-1-retry")

    assert nights.states("run-1") == {"a@1": "enriched", "b@1": "enriched"}
    assert nights.latest() == nights.states("run-1")


def test_a_final_state_is_never_replaced_by_a_lesser_one(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    nights.load("run-1", {A: "answered", B: "failed refused", C: "skipped empty"})
    before = nights.everything()

    nights.load("run-1", {A: "skipped empty", B: "skipped empty", C: "pending fetch_failed"})

    assert nights.everything() == before


def test_another_run_does_not_lessen_a_final_state_either(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.list_versions("run-2", A, at=MONDAY + HOUR)
    nights.load("run-1", {A: "answered"})

    nights.load("run-2", {A: "skipped superseded"}, at=MONDAY + 2 * HOUR)

    assert nights.states("run-2") == {"a@1": "skipped superseded"}
    assert nights.latest() == {"a@1": "enriched"}


def test_reloading_an_old_run_does_not_undo_a_newer_one(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "failed refused", B: "pending fetch_failed"})
    nights.list_versions("run-2", A, B, at=MONDAY + DAY, requeue_reasons=("refused",))
    nights.load("run-2", {A: "asked", B: "asked"}, at=MONDAY + DAY, pending_reason="unanswered")
    before = nights.everything()

    nights.load("run-1", {A: "failed refused", B: "pending fetch_failed"}, at=MONDAY + 2 * DAY)

    assert nights.everything() == before
    assert nights.latest() == {"a@1": "pending unanswered", "b@1": "pending unanswered"}


def test_a_requeued_document_that_succeeds_resolves_its_letter(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})
    nights.list_versions("run-2", at=MONDAY + DAY, requeue_reasons=("refused",))

    nights.load("run-2", {A: "answered"}, at=MONDAY + DAY)

    assert nights.latest() == {"a@1": "enriched"}
    assert nights.letters() == {"a@1": "enriched"}
    assert nights.states("run-1") == {"a@1": "dead_letter refused"}


def test_a_requeued_document_that_fails_again_is_a_dead_letter_again(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})
    nights.list_versions("run-2", at=MONDAY + DAY, requeue_reasons=("refused",))

    nights.load("run-2", {A: "failed invalid_output"}, at=MONDAY + DAY)

    assert nights.latest() == {"a@1": "dead_letter invalid_output"}
    assert nights.letters() == {"a@1": "open"}


def test_a_known_dead_letter_counts_for_equal_content(nights: Nights) -> None:
    nights.list_versions("run-1", TWIN)
    nights.load("run-1", {TWIN: "failed refused"})
    nights.list_versions("run-2", OTHER_TWIN, at=MONDAY + DAY)

    nights.load("run-2", {OTHER_TWIN: "asked"}, at=MONDAY + DAY)

    assert nights.states("run-2") == {"zwilling@1": "dead_letter refused"}


def test_an_answer_wins_over_a_fixed_pending(nights: Nights) -> None:
    nights.list_versions("run-1", TWIN, OTHER_TWIN)
    nights.load("run-1", {TWIN: "answered"})

    nights.load("run-1", {OTHER_TWIN: "asked"})

    assert nights.states("run-1")["zwilling@1"] == "reused"


def test_a_reprocessed_document_that_fails_keeps_its_old_answer(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})
    nights.list_versions("run-2", A, at=MONDAY + DAY, prompt_version="prompt-2", reprocess=True)

    nights.load("run-2", {A: "failed refused"}, at=MONDAY + DAY, prompt="prompt-2")

    assert nights.states("run-2") == {"a@1": "dead_letter refused"}
    assert nights.latest() == {"a@1": "enriched"}
    assert len(nights.rows("select 1 from nightshift.notes")) == 1


def test_the_view_prefers_the_prompt_activated_last(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "answered", B: "answered"})
    nights.list_versions("run-2", A, at=MONDAY + DAY, prompt_version="prompt-2", reprocess=True)
    nights.load("run-2", {A: "answered"}, at=MONDAY + DAY, prompt="prompt-2")

    view = "select document_id, prompt_version from nightshift.notes order by 1"
    assert [row["prompt_version"] for row in nights.rows(view)] == ["prompt-2", "prompt-1"]

    nights.list_versions("run-3", C, at=MONDAY + 2 * DAY)
    nights.load("run-3", {C: "answered"}, at=MONDAY + 2 * DAY)
    assert [row["prompt_version"] for row in nights.rows(view)] == ["prompt-1"] * 3

    history = nights.rows("select 1 from nightshift.notes_history")
    assert len(history) == 4


def test_loading_an_old_night_again_does_not_activate_its_prompt(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})
    nights.list_versions("run-2", B, at=MONDAY + DAY, prompt_version="prompt-2")
    nights.load("run-2", {B: "answered"}, at=MONDAY + DAY, prompt="prompt-2")
    before = nights.everything()

    nights.load("run-1", {A: "answered"})

    assert nights.everything() == before


def test_the_view_keeps_the_old_answer_of_a_changed_document(nights: Nights) -> None:
    changed = Version("a", 2)
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "answered", B: "answered"})
    nights.list_versions("run-2", changed, at=MONDAY + DAY)

    nights.load("run-2", {changed: "failed refused"}, at=MONDAY + DAY)

    rows = nights.rows("select document_id, is_stale from nightshift.notes order by 1")
    assert rows == [
        {"document_id": "a@1", "is_stale": True},
        {"document_id": "b@1", "is_stale": False},
    ]


def test_lists_can_be_joined_on(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})

    tags = nights.rows("select ordinal, value from nightshift.notes__tags order by 1")
    terms = nights.rows("select ordinal, title from nightshift.notes__terms order by 1")

    assert tags == [{"ordinal": 1, "value": "first"}, {"ordinal": 2, "value": "second"}]
    assert terms == [{"ordinal": 1, "title": "a@1"}, {"ordinal": 2, "title": "b"}]


def test_costs_are_sums_over_what_was_paid(nights: Nights) -> None:
    nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "answered", B: "failed refused"})

    (spend,) = nights.rows("from nightshift.spend_by_day")
    (batch,) = nights.rows("from nightshift.batch_health")

    assert (spend["spend_day"], str(spend["cost_usd"])) == (MONDAY.date(), "0.020000000")
    assert (batch["result_count"], batch["succeeded_count"]) == (2, 1)


def test_character_that_not_every_database_holds_does_not_stop_a_night(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    failure = {"request_id": A.request_id(), "reason": "errored", "attempts": 1, "is_final": True}
    strange = reader([failure | {"error_message": "a\0b"}], FAILURES)

    nights.load("run-1", {A: "asked"}, failures=strange)

    (letter,) = nights.rows("select error_message from nightshift.dead_letters")
    assert letter == {"error_message": "a\N{REPLACEMENT CHARACTER}b"}


def test_open_dead_letters_name_their_object(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})

    (letter,) = nights.rows("from nightshift.open_dead_letters")

    assert (letter["document_uri"], letter["reason"]) == ("s3://inbox/a", "refused")


@pytest.mark.parametrize(
    ("outcomes", "check"),
    [
        ([(A, "answered"), (A, "answered")], "check_documents_once"),
        ([(A, "answered"), (B, "answered")], "check_documents_known"),
    ],
    ids=["a document twice", "a document that was never listed"],
)
def test_a_failing_check_rolls_back_and_names_the_rows(
    nights: Nights, outcomes: list[Any], check: str
) -> None:
    nights.list_versions("run-1", A)
    before = nights.everything()

    with pytest.raises(CountMismatchError, match=f"{check}.*@1"):
        nights.load("run-1", outcomes)

    assert nights.everything() == before
