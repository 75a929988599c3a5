"""What is done for the ledger outside of nights: the sweep, a person's decision, a rebuild."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from include.entries import Entry
from include.errors import ConfigurationError, LedgerStateError, TransientError
from include.steps.rebuild_warehouse import WarehouseRebuild
from include.steps.resolve_shard import Decision, ResolveParams
from include.steps.sweep_ledger import (
    LedgerStuckError,
    SweepReport,
    raise_if_stuck,
)
from include.submission import Submitted, Waiting
from local_stack.nights import wall_clock
from tests.integration.night_world import World, on_both, plan_night

pytestmark = pytest.mark.integration

REASON = "the batch was seen in the console"
LONGER_THAN_A_LOOK = 60
"""Seconds of the simulator's clock after which a lost POST is no longer looked for."""


def in_days(days: float) -> Callable[[], dt.datetime]:
    return lambda: wall_clock() + dt.timedelta(days=days)


def decide(world: World, shard_id: str, action: str, **params: Any) -> Entry:
    night = world.night
    given = {"spec": night.spec.name, "shard_id": shard_id, "action": action, "reason": REASON}
    return Decision(
        params=ResolveParams.parse(given | params),
        by="somebody",
        ledger=night.ledger,
        store=night.store,
        api=night.api,
        work_dir=night.folder(),
        now=wall_clock,
    ).carry_out()


def submit(world: World) -> tuple[str, str]:
    """Plan a night of one shard and submit it; return shard and batch."""
    (shard_id,) = plan_night(world.night).shard_ids
    submitted = world.night.submit_batch(shard_id)
    assert isinstance(submitted, Submitted)
    return shard_id, submitted.batch_id


def lose_answer(world: World) -> str:
    """Plan a night of one shard and lose the answer to its POST; return the shard."""
    (shard_id,) = plan_night(world.night).shard_ids
    world.simulator.set_faults({"kind": "reset_after", "op": "create"})
    assert isinstance(world.night.submit_batch(shard_id), Waiting)
    return shard_id


def test_batch_of_a_dead_run_is_collected_and_loaded(world: World) -> None:
    world.upload("a", "b")
    shard_id, batch_id = submit(world)
    world.night.wait_for_batch(batch_id)

    report = world.night.sweep().sweep()

    assert (report.collected, report.loaded) == ([shard_id], [shard_id])
    assert world.night.ledger.read(shard_id).record.state == "loaded"
    assert world.night.ledger.read_open().record.shards == {}
    # The next night finds the answers and pays nothing.
    again = world.night.another(run_id="manual__1").run()
    assert (again.bought_count, again.documents["pending"]) == (0, 0)
    assert world.bill["requests"] == 2


def test_shard_that_its_run_planned_anew_without_is_loaded_all_the_same(world: World) -> None:
    """Its document was replaced after it was paid, and the run was cleared."""
    world.upload("a")
    shard_id, batch_id = submit(world)
    world.upload("a", text="Something else.")
    assert shard_id not in plan_night(world.night).shard_ids
    world.night.wait_for_batch(batch_id)
    report = world.night.sweep().sweep()
    assert (report.loaded, report.failed) == ([shard_id], [])
    assert world.rows("select batch_id, outcome from nightshift.results") == [
        (batch_id, "succeeded")
    ]
    assert shard_id not in world.night.ledger.read_open().record.shards


def test_batch_that_has_not_ended_is_left_alone(world: World) -> None:
    world.upload("a")
    shard_id, _ = submit(world)
    report = world.night.sweep().sweep()
    assert (report.collected, report.loaded, report.stuck) == ([], [], [])
    assert world.night.ledger.read(shard_id).record.state == "submitted"


def buy_twice(world: World) -> tuple[str, str, str]:
    """Freeze a worker before its POST until another has paid; return shard and both batches."""
    (shard_id,) = plan_night(world.night).shard_ids
    healthy, frozen = world.night.submission(shard_id), world.night.submission(shard_id)
    bought: list[Submitted | Waiting] = []

    def freeze(seconds: float) -> None:
        world.simulator.advance(seconds=LONGER_THAN_A_LOOK)
        bought.append(healthy.advance())

    # Its own clock stands still while it is frozen: the one window that cannot be closed.
    submitted = replace(frozen, pause=freeze, monotonic=lambda: 0.0).advance()
    assert [submitted] == bought
    assert isinstance(submitted, Submitted)
    (surplus,) = world.night.ledger.read(shard_id).record.surplus_batch_ids
    return shard_id, submitted.batch_id, surplus


def test_what_was_bought_twice_is_stopped_and_accounted_for(world: World) -> None:
    world.upload("a", "b")
    shard_id, batch_id, surplus = buy_twice(world)
    world.night.wait_for_batch(batch_id)

    report = world.night.sweep().sweep()

    assert (report.loaded, report.surplus, report.failed) == ([shard_id], [surplus], [])
    opened = world.night.ledger.read_open().record
    assert (opened.shards, opened.surplus) == ({}, {})
    batches = world.rows("select batch_id, state from nightshift.batches order by state")
    assert batches == [(batch_id, "loaded"), (surplus, "surplus")]
    (cost,) = world.rows("select sum(cost_usd) from nightshift.results")[0]
    assert cost == Decimal(world.bill["cost_usd"])
    before = world.everything()
    assert world.night.sweep().sweep() == SweepReport()
    assert world.everything() == before


def test_surplus_that_could_not_be_stopped_is_stopped_by_the_sweep(world: World) -> None:
    world.upload("a")
    world.simulator.set_faults({"kind": "status", "op": "cancel", "code": 500, "times": 1})
    with pytest.raises(TransientError, match="could not cancel"):
        buy_twice(world)
    (shard_id,) = world.night.ledger.read_open().record.shards
    assert isinstance(world.night.submit_batch(shard_id), Submitted)

    assert world.night.sweep().sweep().surplus == []

    ((surplus, noted),) = world.night.ledger.read_open().record.surplus.items()
    batch = world.night.api.retrieve(surplus)
    assert batch is not None
    assert (noted, batch.status) == (shard_id, "canceling")


def test_shard_that_nobody_submitted_for_a_week_is_abandoned(world: World) -> None:
    world.upload("a")
    (shard_id,) = plan_night(world.night).shard_ids
    assert world.night.sweep(now=in_days(6)).sweep().abandoned == []
    assert world.night.sweep(now=in_days(8)).sweep().abandoned == [shard_id]
    assert world.night.ledger.read_open().record.shards == {}


def test_entry_that_does_not_move_is_reported_and_fails_the_sweep(world: World) -> None:
    world.upload("a")
    shard_id = lose_answer(world)
    report = world.night.sweep(now=in_days(2)).sweep()
    assert [line.split(":")[0] for line in report.stuck] == [shard_id]
    with pytest.raises(LedgerStuckError, match=shard_id):
        raise_if_stuck(report)


def test_batch_that_no_ledger_knows_is_reported(world: World) -> None:
    world.upload("a")
    lose_answer(world)
    (lost,) = world.simulator.control("state")["batches"]
    assert world.night.sweep().sweep().unclaimed_batch_ids == [lost["id"]]


def test_lost_batch_is_adopted_once_its_results_prove_it(world: World) -> None:
    world.upload("a")
    shard_id = lose_answer(world)
    (lost,) = world.simulator.control("state")["batches"]
    with pytest.raises(LedgerStateError, match="has not ended"):
        decide(world, shard_id, "adopt", batch_id=lost["id"])
    world.night.wait_for_batch(lost["id"])

    entry = decide(world, shard_id, "adopt", batch_id=lost["id"])

    assert (entry.state, entry.batch_id, entry.is_adopted) == ("submitted", lost["id"], True)
    assert (entry.history[-1].by, entry.history[-1].note) == ("somebody", f"adopt: {REASON}")
    assert world.night.ledger.read_open().record.shards.keys() == {shard_id}


def test_strangers_batch_is_not_adopted(world: World) -> None:
    world.upload("a")
    shard_id = lose_answer(world)
    stranger = world.night.anthropic.messages.batches.create(
        requests=[
            {
                "custom_id": "stranger",
                "params": {
                    "model": "claude-haiku-5-5",
                    "max_tokens": 10,
                    "messages": [{"role": "user", "content": "hello"}],
                },
            }
        ]
    )
    world.night.wait_for_batch(stranger.id)
    with pytest.raises(LedgerStateError, match="its requests are others"):
        decide(world, shard_id, "adopt", batch_id=stranger.id)


def test_shard_is_submitted_anew_when_a_person_says_so(world: World) -> None:
    world.upload("a")
    shard_id = lose_answer(world)
    decide(world, shard_id, "submit_anew")
    assert isinstance(world.night.submit_batch(shard_id), Submitted)


def test_abandoned_shard_is_closed_and_its_requests_can_be_bought_again(world: World) -> None:
    world.upload("a")
    (shard_id,) = plan_night(world.night).shard_ids
    decide(world, shard_id, "abandon")
    assert world.night.ledger.read_open().record.shards == {}
    report = world.night.run()
    assert (report.bought_count, report.documents["enriched"]) == (1, 1)


def test_nobody_decides_about_what_has_results(world: World) -> None:
    world.upload("a")
    report = world.night.run()
    with pytest.raises(LedgerStateError, match="is loaded"):
        decide(world, report.batches[0].shard_id, "submit_anew")


@pytest.mark.parametrize(
    "params",
    [
        {"action": "adopt"},
        {"action": "abandon", "batch_id": "msgbatch_1"},
        {"action": "abandon", "reason": "because"},
        {"action": "delete"},
    ],
    ids=["adopt without a batch", "batch without adopt", "no real reason", "unknown action"],
)
def test_incomplete_decision_is_refused(params: dict[str, Any]) -> None:
    given = {"spec": "document_metadata", "shard_id": "s-0", "reason": REASON}
    with pytest.raises(ConfigurationError, match="not complete"):
        ResolveParams.parse(given | params)


@on_both
def test_lost_warehouse_is_loaded_again_from_the_bucket(world: World) -> None:
    world.upload("a", "b", "c")
    world.upload("twin", "sister", text="The same for both.")
    world.upload("empty", text="")
    world.simulator.set_faults({"kind": "max_tokens", "rate": 0.5, "times": 1})
    world.night.run()
    next_day = world.night.night + dt.timedelta(days=1)
    world.upload("d", "a2", day="2026-11-11")
    world.night.another(run_id="scheduled__2", night=next_day).run()
    kept, bill = world.answers(), world.bill

    fresh = world.database.another()
    rebuild = WarehouseRebuild(
        spec=world.night.spec.name,
        ledger=world.night.ledger,
        store=world.night.store,
        warehouse=fresh.open(),
        work_dir=world.night.folder(),
        now=wall_clock,
    )
    assert rebuild.rebuild().run_count == 2

    assert replace(world, database=fresh).answers() == kept
    assert world.bill == bill
    rebuild.rebuild()  # once more changes nothing
    assert replace(world, database=fresh).answers() == kept
