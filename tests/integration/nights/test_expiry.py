"""Requests and raw results go with time; what the warehouse is rebuilt from stays."""

import datetime as dt

import pytest

from include.steps.expire_files import ExpiryReport, FileExpiry
from local_stack.nights import wall_clock
from tests.integration.night_world import World, plan_night
from tests.integration.nights.test_erasure import rebuilt

pytestmark = pytest.mark.integration


def expire(world: World, *, days: float) -> ExpiryReport:
    night = world.night
    return FileExpiry(
        spec=night.spec.name,
        ledger=night.ledger,
        store=night.store,
        settings=night.settings,
        now=lambda: wall_clock() + dt.timedelta(days=days),
    ).expire()


def kept(world: World, end: str) -> int:
    """Return how many files with this end there are."""
    return sum(key.endswith(end) for key in world.night.store.list_keys(world.night.spec.name))


def test_segments_go_first_then_raw_results_and_the_warehouse_can_be_rebuilt(world: World) -> None:
    world.upload("a", "b")
    world.simulator.set_faults({"kind": "max_tokens", "rate": 1, "times": 1})
    world.night.run()
    raw, segments = 2, 2  # of the night and of its retry round
    assert kept(world, ".jsonl.zst") == raw + segments
    assert expire(world, days=29) == ExpiryReport()
    assert expire(world, days=31) == ExpiryReport(segment_count=segments)
    assert expire(world, days=31) == ExpiryReport()
    assert expire(world, days=91) == ExpiryReport(result_count=raw)
    assert expire(world, days=91) == ExpiryReport()
    assert kept(world, ".jsonl.zst") == 0
    assert rebuilt(world).answers() == world.answers()
    report = world.night.another(run_id="manual__1").run()
    assert (report.documents["unchanged"], report.bought_count) == (2, 0)


def test_run_with_an_open_shard_keeps_everything(world: World) -> None:
    world.upload("a")
    plan_night(world.night)
    assert expire(world, days=1_000) == ExpiryReport()
    assert kept(world, ".jsonl.zst") == 1


def test_requests_that_a_run_built_lately_stay(world: World) -> None:
    """Nothing was planned with them: the run may have been cleared a moment ago."""
    world.upload("a")
    for key in world.night.list_documents():
        world.night.build_requests(key)
    assert expire(world, days=7) == ExpiryReport()
    assert expire(world, days=31) == ExpiryReport(segment_count=1)
