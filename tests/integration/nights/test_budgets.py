"""Budgets of a run and of a day, over nights that look at them at the same time."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from include.errors import BudgetError
from include.plans import Plan
from local_stack.nights import DAY, NightDriver
from tests.integration.night_world import World

pytestmark = pytest.mark.integration


def with_day_budget(night: NightDriver, budget_usd: Decimal) -> NightDriver:
    settings = night.settings.model_copy(update={"daily_budget_usd": budget_usd})
    return night.another(settings=settings)


def planned(night: NightDriver) -> Plan:
    """List, build and plan."""
    return night.plan_shards([night.build_requests(key) for key in night.list_documents()])


def backfills(world: World, count: int) -> list[NightDriver]:
    """Return nights of one document each, all about as dear."""
    days = [DAY + dt.timedelta(days=number) for number in range(count)]
    for number, day in enumerate(days):
        world.upload(f"note-{number:02}", day=f"{day:%F}")
    return [
        world.night.another(run_id=f"backfill__{day:%F}", run_type="backfill", night=day)
        for day in days
    ]


def most_usd(night: NightDriver, plan: Plan) -> Decimal:
    """Return the most that a plan will probably cost."""
    still_open = night.ledger.read_open().record.shards
    return sum((still_open[one].most_usd for one in plan.shard_ids), Decimal(0))


def test_of_ten_nights_at_once_as_many_pass_as_the_day_can_pay(world: World) -> None:
    nights = backfills(world, 10)
    plans = [planned(night) for night in nights]
    budget = most_usd(nights[0], plans[0]) * Decimal("3.5")
    gates = [
        with_day_budget(night, budget).gate(plan) for night, plan in zip(nights, plans, strict=True)
    ]
    with ThreadPoolExecutor(10) as pool:
        problems = list(pool.map(lambda gate: gate.problem(), gates))
    passed = [number for number, problem in enumerate(problems) if problem is None]
    assert len(passed) == 3
    for number in passed:
        gates[number].approval.grant()
        for shard_id in plans[number].shard_ids:
            nights[number].run_shard(shard_id)
    assert 0 < Decimal(world.bill["cost_usd"]) <= budget


def test_what_the_day_has_paid_counts_and_yesterday_does_not(world: World) -> None:
    first, second = backfills(world, 2)
    report = first.run()
    plan = planned(second)
    budget = most_usd(second, plan) + report.actual_usd / 2
    problem = with_day_budget(second, budget).gate(plan).problem()
    assert problem is not None
    assert f"of which ${report.actual_usd:.4f} are paid" in problem
    with world.night.warehouse.session() as session:
        session.define("update nightshift.batches set created_at = created_at - interval '1 day'")
    assert with_day_budget(second, budget).gate(plan).problem() is None


def test_what_waits_for_a_person_holds_up_nobody_until_it_is_approved(world: World) -> None:
    large, small, late = backfills(world, 3)
    plans = [planned(night) for night in (large, small, late)]
    one = most_usd(large, plans[0])
    asking = with_day_budget(large, one / 2).gate(plans[0])
    assert asking.problem() is not None
    budget = one * Decimal("1.5")
    assert with_day_budget(small, budget).gate(plans[1]).problem() is None
    asking.note_granted()
    asking.approval.grant()
    assert asking.problem() is None
    assert with_day_budget(late, one * Decimal("2.5")).gate(plans[2]).problem() is not None


def test_run_that_asks_nobody_fails_and_leaves_its_documents_pending(world: World) -> None:
    world.upload("a")
    params = world.night.params.model_copy(update={"budget_usd": Decimal(0)})
    night = world.night.another(params=params)
    plan = planned(night)
    gate = night.gate(plan)
    problem = gate.problem()
    assert problem == "the run's budget is $0.0000"
    with pytest.raises(BudgetError, match=r"1 shards of document_metadata are estimated at \$0"):
        gate.refuse(problem)
    night.loading.load_night()
    assert world.states() == {"pending: spend_rejected": 1}
    assert world.bill["requests"] == 0
