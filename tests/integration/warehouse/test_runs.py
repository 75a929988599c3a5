from decimal import Decimal
from functools import partial

import pytest

from include.errors import CountMismatchError
from include.warehouse.past_usage import read_past_usage
from include.warehouse.reports import read_day_cost, read_failures, read_spend, read_states
from include.warehouse.runs import read_last_window_end
from tests.integration.warehouse.nights import DAY, MONDAY, SPEC, Nights, Version

pytestmark = pytest.mark.integration

A, B, C, D = (Version(key) for key in "abcd")


def test_counts_add_up_to_what_was_listed(nights: Nights) -> None:
    nights.list_versions("run-0", D)
    nights.load("run-0", {D: "answered"})
    listing, _ = nights.list_versions("run-1", A, B, C, D, at=MONDAY + DAY)
    nights.load("run-1", {A: "answered", B: "skipped empty", C: "failed refused"})

    counts = nights.settle("run-1", listing)

    assert (counts.listed_count, counts.enriched_count, counts.unchanged_count) == (4, 1, 1)
    assert (counts.skipped_count, counts.dead_letter_count, counts.pending_count) == (1, 1, 0)
    assert counts.actual_usd == Decimal("0.02")


def test_counts_that_do_not_add_up_are_refused(nights: Nights) -> None:
    listing, _ = nights.list_versions("run-1", A)

    with pytest.raises(CountMismatchError, match="check_run_counts"):
        nights.settle("run-1", listing, listed_count=7)

    assert nights.rows("from nightshift.runs") == []


def test_settling_again_keeps_the_first_end_unless_something_changed(nights: Nights) -> None:
    listing, _ = nights.list_versions("run-1", A)
    nights.settle("run-1", listing)
    before = nights.everything()

    nights.settle("run-1", listing, finished_at=MONDAY + DAY)
    assert nights.everything() == before

    nights.load("run-1", {A: "answered"})
    nights.settle("run-1", listing, finished_at=MONDAY + DAY, started_at=MONDAY + DAY)
    (run,) = nights.rows("from nightshift.runs")
    assert (run["enriched_count"], run["finished_at"]) == (1, MONDAY + DAY)
    assert run["started_at"] == MONDAY


def test_the_last_complete_scheduled_window_is_found(nights: Nights) -> None:
    listing, _ = nights.list_versions("run-1")
    with nights.warehouse.session() as session:
        assert read_last_window_end(session, spec=SPEC) is None
    nights.settle("run-1", listing)
    nights.settle("run-2", listing, window_end_at=MONDAY + DAY, is_complete=False)
    nights.settle("run-3", listing, window_end_at=MONDAY + DAY, run_type="manual")

    with nights.warehouse.session() as session:
        assert read_last_window_end(session, spec=SPEC) == MONDAY


def test_a_run_is_reported(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    nights.load("run-1", {A: "answered", B: "skipped empty", C: "failed refused"})

    with nights.warehouse.session() as session:
        states = read_states(session, spec=SPEC, run_key="run-1").to_pylist()
        spend = read_spend(session, spec=SPEC, run_key="run-1").to_pylist()
        failures = read_failures(session, spec=SPEC, run_key="run-1", limit=1).to_pylist()

    assert [tuple(row.values()) for row in states] == [
        ("dead_letter", "refused", 1),
        ("enriched", None, 1),
        ("skipped", "empty", 1),
    ]
    assert [(row["outcome"], row["input_tokens"], str(row["cost_usd"])) for row in spend] == [
        ("refused", 100, "0.010000000"),
        ("succeeded", 100, "0.010000000"),
    ]
    (failure,) = failures
    assert (failure["document_uri"], failure["state_reason"]) == ("s3://inbox/c", "refused")
    assert failure["error_type"] == "model"


def test_past_usage_is_summed_once_for_each_batch_and_class(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    for _ in range(2):
        nights.load("run-1", {A: "answered", B: "failing truncated", C: "asked"})
    with nights.warehouse.session(read_only=True) as session:
        read = partial(read_past_usage, session, spec=SPEC, since=MONDAY - DAY)
        (usage,) = read(model="claude", escalation_model=None)
        assert read(model="other", escalation_model="claude") == []
        assert read_day_cost(session, day=MONDAY.date()) == Decimal("0.02")
        assert read_day_cost(session, day=(MONDAY + DAY).date()) == 0
    assert (usage.batch_id, usage.round, usage.created_at) == ("batch-run-1", 0, MONDAY)
    assert (usage.request_count, usage.prompt_tokens, usage.output_tokens) == (2, 200, 20)
    assert usage.usual_tokens == pytest.approx(200.8)
    assert usage.token_product == pytest.approx(20_080)
