"""Runs that get in each other's way, or are cleared where it hurts."""

import threading
from dataclasses import replace

import pytest

from include.plans import Plan
from tests.chaos import tasks
from tests.chaos.fault_proxy import Trap, freeze_client, kill_client
from tests.chaos.scheduler import Scheduler
from tests.chaos.steps import STEPS
from tests.chaos.table import Row
from tests.chaos.world import TEXTS, World

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def documents(world: World) -> None:
    world.upload(TEXTS)


def plan(scheduler: Scheduler) -> Plan:
    """Run a night as far as its plan."""
    slices = scheduler.run(tasks.list_documents)
    built = [scheduler.run(tasks.build_requests, one) for one in slices]
    planned: Plan = scheduler.run(tasks.plan_shards, built)
    return planned


def check(world: World, table: list[Row], fault: str) -> None:
    """Run the night to its end, and put what was found into the table."""
    healed = world.heal(world.scheduler())
    traps = [proxy.trap for proxy in world.proxies.values() if proxy.trap]
    assert all(trap.sprung == 1 for trap in traps), "the step was never reached"
    table.append(Row(fault, 1, healed))
    assert (healed.lost, healed.bought_twice, healed.changed_tables) == (0, 0, 0)


def test_run_that_died_between_plan_and_submit_is_joined(world: World, table: list[Row]) -> None:
    plan(world.scheduler(run_id="manual__dead"))
    check(world, table, "another run died between plan and submit")


def test_run_is_refused_while_another_waits_for_the_same_shard(
    world: World, table: list[Row]
) -> None:
    ours, other = world.scheduler(), world.scheduler(run_id="manual__refused")
    shards = plan(ours)
    ours.run(tasks.approve_spend, shards)
    joined = plan(other)
    assert joined.shard_ids == shards.shard_ids
    other.run(tasks.reject_spend, joined)
    check(world, table, "two runs joined on one shard, one of them is refused")


@pytest.mark.thorough
def test_shard_that_its_run_was_refused_is_bought_by_the_next(
    world: World, table: list[Row]
) -> None:
    refused = world.scheduler(run_id="manual__refused")
    refused.run(tasks.reject_spend, plan(refused))
    check(world, table, "another run planned the shard and was refused")


def test_overlapping_runs_at_the_same_time(world: World, table: list[Row]) -> None:
    """One of them dies after its POST; nobody waits for anybody."""
    step = STEPS["batch is created"]
    world.proxies["api"].trap = Trap(step.is_call, "after", kill_client)
    ours, other = world.scheduler(jump=False), world.scheduler(run_id="manual__other", jump=False)
    thread = threading.Thread(target=other.run_night)
    thread.start()
    assert ours.run_night(), ours.complaints
    thread.join()
    check(world, table, "two runs of the same documents at once, one worker killed after its POST")


@pytest.mark.thorough
def test_run_is_cleared_while_its_batch_is_in_flight(world: World, table: list[Row]) -> None:
    ours = world.scheduler()
    shards = plan(ours)
    ours.run(tasks.approve_spend, shards)
    assert ours.run(tasks.submit_batch, shards.shard_ids[0])
    check(world, table, "run cleared from its start while its batch was in flight")


def test_sweep_while_a_worker_stands_still_in_the_load(world: World, table: list[Row]) -> None:
    """It loads the same shard meanwhile."""
    sweeper = world.scheduler(run_id="sweep", jump=False)
    step = STEPS["entry is loaded"]
    sweep = freeze_client(lambda: sweeper.run(tasks.sweep_ledger))
    world.proxies["store"].trap = Trap(step.is_call, "before", sweep)
    check(world, table, "sweep loads the shard while the worker that loads it stands still")


@pytest.mark.thorough
def test_two_tries_of_one_task_at_once(world: World, table: list[Row]) -> None:
    """The scheduler took the first for dead; it was only slow."""
    ours = world.scheduler(jump=False)
    shards = plan(ours)
    ours.run(tasks.approve_spend, shards)
    (shard_id,) = shards.shard_ids
    second = replace(ours, deployment=ours.deployment)
    step = STEPS["intent is written"]
    slow = freeze_client(lambda: second.submit(shard_id))
    world.proxies["store"].trap = Trap(step.is_call, "before", slow)
    ours.submit(shard_id)
    check(world, table, "a second try of submit_batch while the first stands still")
