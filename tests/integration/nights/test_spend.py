"""Nights that try requests first, cache what they share, and ask a stronger model last."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from include.approvals import SpendDecision, write_decision
from include.plans import Plan
from include.runs import RunFiles
from include.warehouse.past_usage import PAST_USED, read_past_usage
from local_stack.nights import NightDriver, wall_clock
from tests.integration.night_world import World, plan_night

pytestmark = pytest.mark.integration

SONNET = "claude-sonnet-5-5"


def of_spec(night: NightDriver, **changes: Any) -> NightDriver:
    return night.another(spec=replace(night.spec, **changes))


def preflight(night: NightDriver, plan: Plan, spare_usd: Decimal | None = None) -> None:
    night.approval(plan).preflight(night.probes(), spare_usd=spare_usd)


def calls(world: World, path: str) -> int:
    return sum(call["path"] == path for call in world.simulator.control("state")["calls"])


class TestPreflight:
    """What is wrong with all requests is said before a batch is paid for."""

    def test_it_is_paid_once_and_stands_in_the_warehouse(self, world: World) -> None:
        world.upload("a", "b")
        night = of_spec(world.night, escalation_model=SONNET)
        plan = plan_night(night)
        for _ in range(2):
            preflight(night, plan)
        # Two for the forecast; then two samples, two models, twice.
        assert calls(world, "/v1/messages/count_tokens") == 10
        assert world.bill["messages"] == 2  # one for each model
        report = night.run()
        assert report.actual_usd == Decimal(world.bill["cost_usd"])
        tried = world.rows(
            "select model, run_key, attempt, cost_usd > 0 from nightshift.results "
            "where outcome = 'preflight' order by model"
        )
        assert tried == [(model, night.run_key, 0, True) for model in ("claude-haiku-5-5", SONNET)]

    def test_without_money_to_spare_requests_are_only_counted(self, world: World) -> None:
        world.upload("a")
        plan = plan_night(world.night)
        preflight(world.night, plan, Decimal(0))
        assert calls(world, "/v1/messages/count_tokens") == 2  # one for the forecast
        assert world.bill["messages"] == 0


class TestCaching:
    """The same prefix is bought once, where that pays."""

    def test_what_past_nights_measured_decides(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("include.caching.MIN_MEASURED_REQUESTS", 4)
        names = [f"n{number}" for number in range(6)]
        reasons, rates = [], []
        for number, hit_rate in enumerate((1.0, 0.0)):
            world.simulator.control("caching", {"hit_rate": hit_rate})
            day = f"2026-11-1{number}"
            world.upload(*names, text=f"Notes on {{name}}, {day}.", day=day)
            night = world.night.another(
                run_id=day, night=world.night.night.replace(day=10 + number)
            )
            report = night.run()
            assert report.actual_usd == sum(
                Decimal(batch["cost_usd"]) for batch in world.bill["batches"][number:]
            )
            assert report.savings is not None
            choice = report.savings.caching
            reasons.append((choice.ttl, choice.is_trial))
            rates.append(report.savings.cache_usd)
        assert reasons == [("5m", True), ("5m", False)]
        assert rates[0] > 0 > rates[1]

    def test_caching_buys_nothing_again(self, world: World) -> None:
        world.upload("a", "b")
        for run_id, caching in (("one", "1h"), ("two", "off")):
            night = of_spec(world.night, caching=caching).another(run_id=run_id)
            plan = plan_night(night)
        assert (plan.shards.joined_count, plan.shards.bought_count) == (2, 0)
        night.run_shard(plan.shard_ids[0])  # as the other run has built it
        night.loading.load_night()
        assert world.rows("select sum(cache_write_tokens) > 0 from nightshift.results") == [(True,)]
        assert (world.bill["requests"], world.bill["bought_twice"]) == (2, 0)
        assert world.rows("select sum(cost_usd) from nightshift.results") == [
            (Decimal(world.bill["cost_usd"]),)
        ]


class TestEscalation:
    """What the cheap model cannot answer validly goes to the stronger one, in the last round."""

    def test_last_round_asks_the_stronger_model_at_its_price(self, world: World) -> None:
        world.upload("a", "b", "c")
        world.simulator.set_faults({"kind": "bad_json", "times": 3, "rate": 0.7})
        report = of_spec(world.night, escalation_model=SONNET).run()
        assert report.documents["enriched"] == 3
        asked = world.rows(
            "select model, attempt, count(*) from nightshift.results "
            "where outcome = 'succeeded' group by all order by all"
        )
        cheap, strong = asked
        assert (cheap[:2], strong[:2]) == (("claude-haiku-5-5", 1), (SONNET, 4))
        answered = world.rows("select distinct answer_model from nightshift.document_metadata")
        assert {name.removesuffix("-simulated") for (name,) in answered} == {
            "claude-haiku-5-5",
            SONNET,
        }
        by_model = {line.model: line for line in report.models}
        assert by_model[SONNET].succeeded_count == strong[2]
        assert sum(line.cost_usd for line in report.models) == Decimal(world.bill["cost_usd"])

    def test_next_forecast_knows_what_it_cost(self, world: World) -> None:
        world.upload("a", "b", "c")
        world.simulator.set_faults({"kind": "bad_json", "times": 3, "rate": 0.7})
        night = of_spec(world.night, escalation_model=SONNET)
        night.run()
        ((batches_usd,),) = world.rows(
            "select sum(cost_usd) from nightshift.results where attempt > 0"
        )
        with night.warehouse.session(read_only=True) as session:
            past = read_past_usage(
                session,
                spec=night.spec.name,
                model=night.spec.model,
                escalation_model=SONNET,
                since=wall_clock() - PAST_USED,
            )
        assert sum(one.cost_usd for one in past) == batches_usd

    def test_beyond_the_approved_sum_only_the_stronger_model_is_left_out(
        self, world: World
    ) -> None:
        world.upload("a", "b")
        night = of_spec(world.night, escalation_model=SONNET)
        plan = plan_night(night)
        decision = SpendDecision(
            is_granted=True,
            limit_usd=plan.forecast_usd * 5,
            estimate_usd=plan.forecast_usd,
            by="test",
            at=wall_clock(),
        )
        write_decision(night.store, RunFiles(night.spec.name, night.run_key), decision)
        world.simulator.set_faults({"kind": "bad_json", "times": None})
        report = night.run()
        assert world.states() == {"pending: spend_rejected": 2}
        assert [line.model for line in report.models] == ["claude-haiku-5-5"]
        assert world.bill["requests"] == 6
