"""Whole nights without Airflow, against a real S3 server and the simulator."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.approvals import SpendDecision, write_decision
from include.errors import LedgerStateError
from include.ledger import OpenShard
from include.plans import Plan
from include.reports import NightReport
from include.requests import RequestBuilder
from include.runs import RunFiles, RunParams
from include.specs import load_catalog
from include.submission import Waiting
from local_stack.nights import DAY, NightDriver, wall_clock
from tests.integration.night_world import World, on_both, plan_night

pytestmark = pytest.mark.integration

NEXT_DAY = DAY + dt.timedelta(days=1)


def ended(report: NightReport) -> dict[str, int]:
    """Return the documents of a report by state, without the empty ones."""
    return {state: count for state, count in report.documents.items() if count}


def request_id(name: str) -> str:
    """Return the id under which `World.upload` lets a document be asked about."""
    spec = load_catalog().specs["document_metadata"].freeze()
    return RequestBuilder(spec).build(f"Notes on {name}.").request_id


def finish(night: NightDriver, plan: Plan, failed: Sequence[str] = ()) -> NightReport:
    """Run the shards of a plan, load and reconcile."""
    for shard_id in plan.shard_ids:
        night.run_shard(shard_id)
    night.loading.load_night()
    return night.reconcile_run(failed)


def test_night_enriches_every_document(world: World) -> None:
    world.upload("a", "b", "c")
    report = world.night.run()
    assert ended(report) == {"enriched": 3}
    assert (report.verdict, report.listed_count, report.bought_count) == ("green", 3, 3)
    assert report.actual_usd == Decimal(world.bill["cost_usd"]) > 0
    topics = world.rows("select object_key, main_topic, is_stale from nightshift.document_metadata")
    assert len(topics) == 3
    assert all(topic and not is_stale for _, topic, is_stale in topics)


def test_night_without_documents_is_green(world: World) -> None:
    report = world.night.run()
    assert (report.verdict, report.listed_count, ended(report)) == ("green", 0, {})
    assert world.bill["requests"] == 0


class TestAgain:
    """Whatever runs again changes no row, and buys nothing."""

    @on_both
    def test_same_night_again(self, world: World) -> None:
        world.upload("a", "b", "c", "d")
        world.simulator.set_faults({"kind": "refusal", "rate": 0.5, "times": None})
        world.night.run()
        rows, bill = world.everything(), world.bill
        world.night.another(work_dir=world.night.work_dir / "again").run()
        assert world.everything() == rows
        assert world.bill == bill

    def test_every_task_twice(self, world: World) -> None:
        world.upload("a", "b")
        night = world.night
        for _ in range(2):
            plan = plan_night(night)
        for _ in range(2):
            report = finish(night, plan)
        assert ended(report) == {"enriched": 2}
        assert (world.bill["requests"], world.bill["bought_twice"]) == (2, 0)

    def test_backfill_over_the_same_days_finds_everything_unchanged(self, world: World) -> None:
        world.upload("a", "b")
        world.night.run()
        report = world.night.another(run_id="backfill__1", run_type="backfill").run()
        assert ended(report) == {"unchanged": 2}
        assert world.bill["requests"] == 2

    def test_equal_contents_are_asked_about_once(self, world: World) -> None:
        world.upload("a", "b", text="The same notes.")
        assert ended(world.night.run()) == {"enriched": 1, "reused": 1}
        world.upload("c", text="The same notes.", day="2026-11-11")
        tomorrow = world.night.another(run_id="tomorrow", night=NEXT_DAY)
        assert ended(tomorrow.run()) == {"reused": 1, "unchanged": 2}
        assert world.bill["requests"] == 1
        assert len(world.rows("select * from nightshift.document_metadata")) == 3

    def test_overlapping_runs_share_one_batch(self, world: World) -> None:
        world.upload("a", "b")
        first, second = world.night, world.night.another(run_id="manual__1", run_type="manual")
        plan, joined = plan_night(first), plan_night(second)
        assert (joined.shards.joined_count, joined.shard_ids) == (2, plan.shard_ids)
        submitted = [night.submit_batch(plan.shard_ids[0]) for night in (first, second)]
        assert submitted[0] == submitted[1]
        finish(first, plan)
        finish(second, joined)
        assert world.states(first.run_key) == world.states(second.run_key) == {"enriched": 2}
        assert (world.bill["requests"], len(world.bill["batches"])) == (2, 1)


class TestBrokenParts:
    """One broken part holds up no other, and the next run heals it."""

    def test_slice_that_was_not_built_stays_pending(self, world: World) -> None:
        world.upload("a", "b", "c")
        settings = world.night.settings.model_copy(update={"max_documents_per_slice": 1})
        night = world.night.another(settings=settings)
        _, *others = night.list_documents()
        plan = night.plan_shards([night.build_requests(key) for key in others])
        night.approval(plan).grant()
        report = finish(night, plan, ["build_requests"])
        assert world.states() == {"enriched": 2, "pending: not_built": 1}
        assert (report.verdict, report.listed_count) == ("red", 3)
        assert ended(night.another(run_id="next").run()) == {"enriched": 1, "unchanged": 2}
        assert world.bill["requests"] == 3

    @pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
    def test_shard_without_an_answer_is_in_flight_until_the_next_run_settles_it(
        self, world: World, kind: str
    ) -> None:
        world.upload("a", "b")
        night = world.night
        plan = plan_night(night)
        world.simulator.set_faults({"kind": kind, "op": "create"})
        assert isinstance(night.submit_batch(plan.shard_ids[0]), Waiting)
        night.loading.load_night()
        report = night.reconcile_run(["shard.submit_batch"])
        assert world.states() == {"pending: in_flight": 2}
        assert report.verdict == "red"
        tomorrow = night.another(run_id="tomorrow", night=NEXT_DAY)
        world.simulator.advance(seconds=120)
        assert ended(tomorrow.run()) == {"enriched": 2}
        assert (world.bill["requests"], world.bill["bought_twice"]) == (2, 0)
        (adopted,) = world.rows("select is_adopted from nightshift.batches")
        assert adopted == (kind == "reset_after",)

    @pytest.mark.parametrize(
        "kinds",
        [("chunk_cut", "close_midline"), ("drop_lines", "cut_at_line")],
        ids=["broken", "short"],
    )
    def test_download_that_lacks_something_is_repeated_and_nothing_bought_again(
        self, world: World, kinds: Sequence[str]
    ) -> None:
        world.upload("a", "b", "c")
        world.simulator.set_faults(*({"kind": kind} for kind in kinds))
        assert ended(world.night.run()) == {"enriched": 3}
        assert world.bill["requests"] == 3

    def test_strange_lines_are_counted_and_not_loaded(self, world: World) -> None:
        world.upload("a", "b")
        world.simulator.set_faults(
            *({"kind": kind} for kind in ("dup_lines", "unknown_id", "bom", "crlf", "blank_lines"))
        )
        assert ended(world.night.run()) == {"enriched": 2}
        assert len(world.rows("select * from nightshift.results")) == 2

    def test_document_that_changed_after_the_listing_is_superseded(self, world: World) -> None:
        world.upload("a", "b")
        night = world.night
        (slice_key,) = night.list_documents()
        world.upload("a", text="Other notes on {name}.")
        plan = night.plan_shards([night.build_requests(slice_key)])
        night.approval(plan).grant()
        finish(night, plan)
        assert world.states() == {"enriched": 1, "skipped: superseded": 1}
        again = night.another(run_id="again").run()
        assert ended(again) == {"enriched": 1, "unchanged": 1}
        current = world.rows("select count(*) from nightshift.documents where is_current")
        assert current == [(2,)]


class TestDeaths:
    """A worker dies between two writes; whoever comes next finishes."""

    @on_both
    def test_after_the_warehouse_has_it_and_before_the_ledger_knows(self, world: World) -> None:
        world.upload("a", "b")
        night = world.night
        plan = plan_night(night)
        for shard_id in plan.shard_ids:
            night.run_shard(shard_id)
        collected = night.ledger.read(plan.shard_ids[0]).record
        night.loading.load_night()
        held = night.ledger.read(collected.shard_id)
        night.ledger.put(held, collected.model_copy(update={"revision": held.record.revision}))
        opened = night.ledger.read_open()
        shards = {collected.shard_id: OpenShard(request_count=2, estimate_usd=Decimal(0))}
        changes = {"shards": shards, "loaded_count": 0}
        night.ledger.put_open(opened, opened.record.model_copy(update=changes))
        rows = world.everything()
        night.loading.load_night()
        assert world.everything() == rows
        opened = night.ledger.read_open()
        assert (opened.record.shards, opened.record.loaded_count) == ({}, 1)

    def test_warehouse_that_knows_less_than_the_ledger_buys_nothing(self, world: World) -> None:
        world.upload("a", "b")
        world.night.run()
        other = world.database.another().open()
        lost = world.night.another(run_id="manual__1", run_type="manual", warehouse=other)
        built = [lost.build_requests(key) for key in lost.list_documents()]
        with pytest.raises(LedgerStateError, match="run `make rebuild-warehouse`"):
            lost.plan_shards(built)
        assert world.bill["requests"] == 2


FOREVER = None
OUTCOMES: dict[str, tuple[str, int | None, str, dict[str, int]]] = {
    # document: fault, how many attempts it hits, state in the end, results by outcome
    "plain": ("", 0, "enriched", {"succeeded": 1}),
    "preamble": ("preamble", FOREVER, "enriched", {"succeeded": 1}),
    "fence": ("fence", FOREVER, "enriched", {"succeeded": 1}),
    "thinking": ("thinking_first", FOREVER, "enriched", {"succeeded": 1}),
    "blocks": ("two_text_blocks", FOREVER, "enriched", {"succeeded": 1}),
    "long": ("max_tokens", 2, "enriched", {"truncated": 2, "succeeded": 1}),
    "odd": ("schema", 1, "enriched", {"invalid_output": 1, "succeeded": 1}),
    "empty": ("empty", 1, "enriched", {"invalid_output": 1, "succeeded": 1}),
    "busy": ("overloaded", 3, "enriched", {"errored": 3, "succeeded": 1}),
    "late": ("expired", 1, "enriched", {"expired": 1, "succeeded": 1}),
    "endless": ("max_tokens", FOREVER, "dead_letter: truncated", {"truncated": 4}),
    "broken": ("bad_json", FOREVER, "dead_letter: invalid_output", {"invalid_output": 4}),
    "refused": ("refusal", FOREVER, "dead_letter: refused", {"refused": 1}),
    "huge": ("context", FOREVER, "dead_letter: context_exceeded", {"context_exceeded": 1}),
    "wrong": ("errored", FOREVER, "dead_letter: errored", {"errored": 1}),
    "never": ("expired", FOREVER, "pending: unanswered", {"expired": 4}),
}


def test_every_outcome_ends_as_the_design_says_and_is_not_asked_again(world: World) -> None:
    world.upload(*OUTCOMES)
    world.simulator.set_faults(
        *(
            {"kind": kind, "times": times, "custom_id_regex": request_id(name)}
            for name, (kind, times, _, _) in OUTCOMES.items()
            if kind
        )
    )
    report = world.night.run()
    states = world.rows(
        "select object_key, state || coalesce(': ' || state_reason, '') from nightshift.documents"
    )
    assert {Path(key).stem: state for key, state in states} == {
        name: state for name, (_, _, state, _) in OUTCOMES.items()
    }
    outcomes: dict[str, dict[str, int]] = {}
    for key, outcome, count in world.rows(
        "select object_key, outcome, count(*) from nightshift.results "
        "join nightshift.documents using (document_id) group by 1, 2"
    ):
        outcomes.setdefault(Path(key).stem, {})[outcome] = count
    assert outcomes == {name: results for name, (_, _, _, results) in OUTCOMES.items()}
    assert report.actual_usd == Decimal(world.bill["cost_usd"])
    assert report.verdict == "red"

    paid = world.bill["requests"]
    tomorrow = world.night.another(run_id="tomorrow", night=NEXT_DAY).run()
    assert world.bill["requests"] - paid == 4, "only what expired is asked again"
    assert tomorrow.documents["pending"] == 1


class TestDeadLetters:
    """A dead letter is final until a person requeues it."""

    def test_document_too_large_for_any_batch_is_one(self, world: World) -> None:
        world.upload("a")
        world.upload("b", text="Many notes. " * 500)
        settings = world.night.settings.model_copy(update={"max_shard_bytes": 5_000})
        night = world.night.another(settings=settings)
        assert ended(night.run()) == {"enriched": 1, "dead_letter": 1}
        assert world.states() == {"enriched": 1, "dead_letter: too_large": 1}
        tomorrow = night.another(run_id="tomorrow", night=NEXT_DAY)
        assert ended(tomorrow.run()) == {"unchanged": 2}

    def test_equal_content_is_not_asked_about_again(self, world: World) -> None:
        world.simulator.set_faults({"kind": "refusal", "times": FOREVER})
        world.upload("a", text="Bad notes.")
        world.night.run()
        world.upload("b", text="Bad notes.", day="2026-11-11")
        tomorrow = world.night.another(run_id="tomorrow", night=NEXT_DAY)
        tomorrow.run()
        assert world.states(tomorrow.run_key) == {"dead_letter: refused": 1}
        assert world.bill["requests"] == 1

    def test_requeued_one_is_asked_again(self, world: World) -> None:
        world.simulator.set_faults({"kind": "refusal", "times": 1})
        world.upload("a", "b")
        (given_up,) = world.night.run().open_dead_letters or ()
        assert (given_up.state_reason, given_up.document_count) == ("refused", 2)
        params = RunParams(requeue=("refused",))
        again = world.night.another(run_id="manual__1", run_type="manual", params=params).run()
        assert (ended(again), again.open_dead_letters) == ({"enriched": 2}, ())
        resolved = world.rows(
            "select resolution, resolved_at is not null from nightshift.dead_letters"
        )
        assert resolved == [("enriched", True)] * 2

    def test_requeued_one_that_fails_again_is_no_news(self, world: World) -> None:
        world.simulator.set_faults({"kind": "refusal", "times": FOREVER})
        world.upload("a")
        assert world.night.run().verdict == "red"
        params = RunParams(requeue=("refused",))
        again = world.night.another(run_id="manual__1", run_type="manual", params=params).run()
        assert (again.verdict, ended(again)) == ("green", {"dead_letter": 1})
        letters = world.rows("select reason, resolved_at from nightshift.dead_letters")
        assert letters == [("refused", None)]
        assert world.bill["requests"] == 2


class TestMoney:
    """Nobody is surprised by the bill."""

    @pytest.mark.parametrize(
        "refusal",
        [
            pytest.param({"code": 402, "error_type": "billing_error"}, id="credit"),
            pytest.param(
                {
                    "code": 429,
                    "error_type": "rate_limit_error",
                    "error_code": "enforced_spend_limit_reached",
                },
                id="spend cap",
            ),
        ],
    )
    def test_refused_account_leaves_documents_pending_and_the_next_run_resumes(
        self, world: World, refusal: dict[str, Any]
    ) -> None:
        world.upload("a", "b")
        world.simulator.set_faults({"kind": "status", "op": "create", **refusal})
        report = world.night.run()
        assert world.states() == {"pending: account": 2}
        assert (report.verdict, world.bill["requests"]) == ("red", 0)
        assert ended(world.night.another(run_id="next").run()) == {"enriched": 2}
        assert world.bill["requests"] == 2

    def test_account_refused_in_the_results_burns_no_retries(self, world: World) -> None:
        world.upload("a", "b")
        world.simulator.set_faults(
            {"kind": "errored", "error_type": "billing_error", "custom_id_regex": request_id("a")}
        )
        report = world.night.run()
        assert world.states() == {"enriched": 1, "pending: account": 1}
        assert (report.verdict, world.bill["requests"]) == ("red", 2)
        assert ended(world.night.another(run_id="next").run()) == {"enriched": 1, "unchanged": 1}

    def test_rejected_spend_is_asked_for_again_the_next_night(self, world: World) -> None:
        world.upload("a", "b")
        night = world.night
        plan = night.plan_shards([night.build_requests(key) for key in night.list_documents()])
        assert night.approval(plan).estimate_usd == plan.forecast_usd > 0
        assert night.approval(plan).refuse(by="person") == 1
        with pytest.raises(LedgerStateError, match=r"abandoned \(spend_rejected\)"):
            night.submit_batch(plan.shard_ids[0])
        night.loading.load_night()
        assert night.reconcile_run().verdict == "green"
        assert world.states() == {"pending: spend_rejected": 2}
        assert ended(night.another(run_id="tomorrow", night=NEXT_DAY).run()) == {"enriched": 2}
        assert world.bill["requests"] == 2

    def test_rejecting_keeps_what_another_run_has_approved(self, world: World) -> None:
        world.upload("a")
        first, second = world.night, world.night.another(run_id="manual__1", run_type="manual")
        plan = plan_night(first)
        joined = second.plan_shards([second.build_requests(key) for key in second.list_documents()])
        assert second.approval(joined).refuse(by="person") == 0
        finish(first, plan)
        assert world.states(first.run_key) == {"enriched": 1}

    def test_planning_only_buys_nothing(self, world: World) -> None:
        world.upload("a", "b")
        report = world.night.another(params=RunParams(plan_only=True)).run()
        assert (report.bought_count, report.forecast_usd > 0) == (2, True)
        assert world.bill["requests"] == 0
        assert world.states() == {"pending: spend_rejected": 2}
        assert ended(world.night.another(run_id="next").run()) == {"enriched": 2}


def test_retries_beyond_the_approved_sum_stay_pending(world: World) -> None:
    world.upload("a", "b")
    world.simulator.set_faults({"kind": "max_tokens", "times": 1})
    plan = plan_night(world.night)
    files = RunFiles(world.night.spec.name, world.night.run_key)
    decision = SpendDecision(
        is_granted=True,
        limit_usd=plan.forecast_usd,
        estimate_usd=plan.forecast_usd,
        by="somebody",
        at=wall_clock(),
    )
    write_decision(world.night.store, files, decision)
    report = world.night.run()
    assert ended(report) == {"pending": 2}
    assert world.states() == {"pending: spend_rejected": 2}
    assert world.bill["requests"] == 2
