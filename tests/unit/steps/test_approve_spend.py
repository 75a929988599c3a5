from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.errors import AccountError, ConfigurationError, PipelineError, TransientError
from include.plans import Plan
from include.steps.approve_spend import Approval
from tests.factories import make_store, plan_shards
from tests.unit.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def plan(bench: Bench) -> Plan:
    """A plan of one shard."""
    shards = plan_shards(make_store(bench.s3), bench.work_dir, ["a", "b"], clock=bench.clock)
    return Plan(
        round=0,
        index_keys=(),
        known_key="known",
        forecast_usd=shards.estimate_usd,
        shards=shards,
    )


def approval(bench: Bench, plan: Plan, run_key: str = "run-1") -> Approval:
    return Approval(run_key, plan, bench.ledger, bench.clock)


def move(bench: Bench, plan: Plan, state: Any, **changes: Any) -> None:
    for one in plan.shard_ids:
        bench.ledger.change(
            one, lambda entry: entry.moved(state=state, by="x", at=bench.clock.now, **changes)
        )


def approved_by(bench: Bench, plan: Plan) -> tuple[str, ...]:
    return bench.entry(plan.shard_ids[0]).approved_by


def test_granting_twice_notes_a_run_once(bench: Bench, plan: Plan) -> None:
    assert [approval(bench, plan).grant() for _ in range(2)] == [1, 1]
    assert approved_by(bench, plan) == ("run-1",)


def test_shard_that_another_run_is_posting_is_covered_too(bench: Bench, plan: Plan) -> None:
    """Should that POST come to nothing, this run may go on with it."""
    approval(bench, plan).grant()
    move(bench, plan, "intent")
    assert approval(bench, plan, "run-2").grant() == 0
    assert approved_by(bench, plan) == ("run-1", "run-2")


@pytest.mark.parametrize("state", ["submitted", "collected", "abandoned"])
def test_shard_that_needs_no_approval_is_left_alone(bench: Bench, plan: Plan, state: str) -> None:
    move(bench, plan, state)
    assert approval(bench, plan).grant() == 0
    assert approved_by(bench, plan) == ()


def test_estimate_counts_what_is_not_submitted_yet_joined_or_not(bench: Bench, plan: Plan) -> None:
    joined = tuple(shard.model_copy(update={"is_joined": True}) for shard in plan.shards.shards)
    other = plan.model_copy(update={"shards": plan.shards.model_copy(update={"shards": joined})})
    assert approval(bench, other, "run-2").estimate_usd == plan.forecast_usd > 0
    move(bench, plan, "submitted")
    assert approval(bench, other, "run-2").estimate_usd == Decimal(0)


def test_refused_shards_are_abandoned_and_closed(bench: Bench, plan: Plan) -> None:
    assert approval(bench, plan).refuse(by="person") == 1
    entry = bench.entry(plan.shard_ids[0])
    assert (entry.state, entry.history[-1].note) == ("abandoned", "spend_rejected")
    assert entry.history[-1].by == "person"
    assert bench.ledger.read_open().record.shards == {}


def test_refusal_takes_back_only_ones_own_approval(bench: Bench, plan: Plan) -> None:
    for run_key in ("run-1", "run-2"):
        approval(bench, plan, run_key).grant()
    assert approval(bench, plan, "run-2").refuse(by="person") == 0
    assert bench.entry(plan.shard_ids[0]).state == "planned"


def test_refusal_comes_too_late_for_what_is_posted(bench: Bench, plan: Plan) -> None:
    move(bench, plan, "intent")
    assert approval(bench, plan).refuse(by="person") == 0
    assert bench.entry(plan.shard_ids[0]).state == "intent"


@pytest.mark.parametrize(
    ("error", "state", "note"),
    [
        (ConfigurationError("no"), "abandoned", "spend_rejected"),
        (AccountError("no"), "planned", "account"),
        (TransientError("no"), "planned", ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_failed_preflight_leaves_nothing_wrong_to_join(
    bench: Bench, plan: Plan, error: PipelineError, state: str, note: str
) -> None:
    def check(*_: Any, **__: Any) -> None:
        raise error

    probes: Any = SimpleNamespace(spec=SimpleNamespace(models=()), client=None, check=check)
    with pytest.raises(type(error)):
        approval(bench, plan).preflight(probes, spare_usd=None)
    entry = bench.entry(plan.shard_ids[0])
    assert (entry.state, entry.history[-1].note) == (state, note)


def test_person_is_asked_with_the_forecast(bench: Bench, plan: Plan) -> None:
    told = plan.model_copy(update={"forecast": plan.shards.forecast})
    asking = approval(bench, told)
    assert asking.headline("notes").startswith("A night of notes is estimated at $0.00")
    text = asking.question("notes", "the run's budget is $0.0000")
    assert "1 shard of `notes`, estimated at **$0.00" in text
    assert "; the run's budget is $0.0000. Approve to submit them" in text
    assert "- cost $0.00" in text
    assert ", between $0.00" in text


def test_earlier_try_that_was_granted_asks_nobody_again(bench: Bench, plan: Plan) -> None:
    assert not approval(bench, plan).is_granted
    approval(bench, plan).grant()
    assert approval(bench, plan).is_granted
    assert not approval(bench, plan, "run-2").is_granted
