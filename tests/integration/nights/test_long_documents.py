"""Nights with documents that are longer than one request takes."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from include.long_documents import LongDocuments
from include.plans import write_plan
from include.questions import questions_about
from include.requests import RequestBuilder
from include.runs import RunFiles, RunParams
from include.spec import Spec
from include.specs import load_catalog
from include.steps.rebuild_warehouse import WarehouseRebuild
from include.steps.sweep_ledger import LedgerSweep
from local_stack.nights import DAY, NightDriver, wall_clock
from tests.integration.night_world import World, plan_night

pytestmark = pytest.mark.integration

NEXT_DAY = DAY + dt.timedelta(days=1)
FOREVER = None


def paragraph(words: str) -> str:
    return f"{words} " * (80 // (len(words) + 1)) + "\n\n"


ONE, TWO, THREE, FOUR = map(paragraph, ("Rain fell.", "Snow came.", "Sun shone.", "Wind blew."))
LONG = ONE + TWO + THREE


def spec(**changes: Any) -> Spec:
    """Return the shipped spec, with parts of about one paragraph."""
    return replace(load_catalog().specs["document_metadata"], max_characters=90, **changes)


def part_ids(text: str) -> list[str]:
    frozen = spec().freeze()
    questions = questions_about(text, frozen, RequestBuilder(frozen))
    assert len(questions) > 1
    return [one.request.request_id for one in questions]


def refuse(request_id: str, kind: str = "refusal", times: int | None = FOREVER) -> dict[str, Any]:
    return {"kind": kind, "times": times, "custom_id_regex": request_id}


@pytest.fixture
def night(world: World) -> NightDriver:
    """The night of the world, with short parts; `world` has the same one."""
    world.night = world.night.another(spec=spec())
    return world.night


def tomorrow(night: NightDriver, **changes: Any) -> NightDriver:
    return night.another(**({"run_id": "tomorrow", "night": NEXT_DAY} | changes))


def bought(world: World) -> tuple[int, int]:
    return world.bill["requests"], world.bill["bought_twice"]


def test_failed_part_is_retried_alone_and_one_answer_is_made_of_all(
    world: World, night: NightDriver
) -> None:
    world.upload("short")
    world.upload("long", text=LONG)
    world.simulator.set_faults(refuse(part_ids(LONG)[1], "schema", times=1))

    report = night.run()

    assert (report.documents["enriched"], report.listed_count, report.split_count) == (2, 2, 1)
    assert report.needed_count == 4
    assert bought(world) == (5, 0)
    assert report.actual_usd == Decimal(world.bill["cost_usd"]) > 0
    assert world.rows("select part_count from nightshift.document_metadata order by 1") == [
        (3,),
        (None,),
    ]
    paid = world.rows(
        "select part_number, part_count, outcome from nightshift.results "
        "where part_number is not null order by all"
    )
    assert paid == [
        (1, 3, "succeeded"),
        (2, 3, "invalid_output"),
        (2, 3, "succeeded"),
        (3, 3, "succeeded"),
    ]
    (answer,) = world.rows(
        "select e.enrichment_id, list(distinct r.enrichment_id) from nightshift.results as r "
        "join nightshift.document_metadata_enrichments as e using (enrichment_id) "
        "where part_number is not null group by all"
    )
    assert answer[1] == [answer[0]]


def test_second_time_changes_no_row_and_buys_nothing(world: World, night: NightDriver) -> None:
    world.upload("long", text=LONG)
    night.run()
    rows, bill = world.everything(), world.bill
    night.another(work_dir=night.work_dir / "again").run()
    assert world.everything() == rows
    assert world.bill == bill
    report = tomorrow(night).run()
    assert report.documents["unchanged"] == 1
    assert world.bill == bill


def test_answered_parts_of_a_night_that_died_are_not_bought_again(
    world: World, night: NightDriver
) -> None:
    world.upload("long", text=LONG)
    world.simulator.set_faults(refuse(part_ids(LONG)[2], "expired", times=1))
    for shard_id in plan_night(night).shard_ids:
        night.run_shard(shard_id)
    night.loading.load_night()
    assert world.states() == {"pending: in_flight": 1}
    assert world.rows("select * from nightshift.document_metadata_enrichments") == []
    night.reconcile_run(["retry_failures"])

    report = tomorrow(night).run()

    assert (report.known_count, report.bought_count, report.documents["enriched"]) == (2, 1, 1)
    assert world.bill["requests"] == 4


def test_swept_parts_are_merged_by_the_next_night_without_buying(
    world: World, night: NightDriver
) -> None:
    world.upload("long", text=LONG)
    plan = plan_night(night)
    for shard_id in plan.shard_ids:
        night.run_shard(shard_id)
    # The run has planned anew and bought nothing: its plan names the shard no more.
    files = RunFiles(night.spec.name, night.run_key)
    write_plan(night.store, files, plan.model_copy(update={"is_dry_run": True}))
    sweep = LedgerSweep(
        spec=night.spec.name,
        run_key="sweep",
        ledger=night.ledger,
        store=night.store,
        warehouse=night.warehouse,
        api=night.api,
        settings=night.settings,
        work_dir=night.folder(),
        now=wall_clock,
    )
    assert sweep.sweep().loaded == plan.shard_ids
    assert len(world.rows("select * from nightshift.part_answers")) == 3
    assert world.rows("select * from nightshift.document_metadata_enrichments") == []

    night.reconcile_run(["load_warehouse"])
    report = tomorrow(night).run()

    assert (report.known_count, report.bought_count, report.documents["pending"]) == (3, 0, 0)
    assert len(world.rows("select * from nightshift.document_metadata")) == 1
    assert world.bill["requests"] == 3


def test_document_of_which_a_part_was_given_up_is_a_dead_letter(
    world: World, night: NightDriver
) -> None:
    world.upload("long", text=LONG)
    first, second, third = part_ids(LONG)
    world.simulator.set_faults(refuse(second, times=1), refuse(third, "schema", times=1))

    report = night.run()

    assert world.states() == {"dead_letter: refused": 1}
    assert world.bill["requests"] == 3, "a part that failed is not retried for a dead document"
    (line,) = report.failures
    assert (line.error_message or "").startswith("part 2 of 3")
    # A copy has the same end, and nothing is bought for it.
    world.upload("copy", text=LONG, day="2026-11-11")
    copied = tomorrow(night)
    copied.run()
    assert world.states(copied.run_key) == {"dead_letter: refused": 1}
    assert world.bill["requests"] == 3
    # Requeued, only what has no answer is bought.
    params = RunParams(requeue=("refused",))
    again = night.another(run_id="manual__1", run_type="manual", params=params).run()
    assert again.documents["enriched"] + again.documents["reused"] == 2
    assert bought(world)[0] == 5
    assert first in {row[0] for row in world.rows("select request_id from nightshift.part_answers")}


def test_dead_document_does_not_take_others_with_it_that_share_a_part(
    world: World, night: NightDriver
) -> None:
    """The beginnings are alike: the same question, bought once, for both."""
    other = ONE + TWO + FOUR
    assert part_ids(LONG)[:2] == part_ids(other)[:2]
    world.upload("dead", text=LONG)
    world.upload("alive", text=other)
    world.simulator.set_faults(
        refuse(part_ids(LONG)[2]), refuse(part_ids(LONG)[0], "max_tokens", times=1)
    )
    night.run()
    assert world.states() == {"dead_letter: refused": 1, "enriched": 1}
    assert world.bill["requests"] == 5


def test_lost_warehouse_has_the_same_merged_answers_again(world: World, night: NightDriver) -> None:
    world.upload("long", text=LONG)
    world.upload("other", text=LONG + FOUR)
    world.upload("dead", text=FOUR + LONG)
    world.simulator.set_faults(
        refuse(part_ids(LONG)[0], "max_tokens", times=1),
        refuse(part_ids(LONG + FOUR)[3], "expired", times=5),
        refuse(part_ids(FOUR + LONG)[1]),
    )
    night.run()
    tomorrow(night).run()
    kept, bill = world.answers(), world.bill
    assert len(kept["view"]) == 2
    fresh = world.database.another()
    rebuild = WarehouseRebuild(
        spec=night.spec.name,
        ledger=night.ledger,
        store=night.store,
        warehouse=fresh.open(),
        work_dir=night.folder(),
        now=wall_clock,
    )
    rebuild.rebuild()
    assert replace(world, database=fresh).answers() == kept
    assert world.bill == bill


def test_document_that_was_refused_is_asked_about_once_its_spec_splits(
    world: World, night: NightDriver
) -> None:
    world.upload("long", text=LONG)
    refusing = night.another(spec=spec(long_documents=LongDocuments()))
    refusing.run()
    assert world.states(refusing.run_key) == {"skipped: too_long": 1}
    params = RunParams(requeue=("too_long",))
    again = night.another(run_id="manual__1", run_type="manual", params=params).run()
    assert (again.documents["enriched"], again.split_count, world.bill["requests"]) == (1, 1, 3)


def test_truncated_document_says_so_to_the_analyst(world: World, night: NightDriver) -> None:
    truncating = night.another(spec=spec(long_documents=LongDocuments(mode="truncate")))
    world.upload("short")
    world.upload("long", text=LONG)
    report = truncating.run()
    assert (report.documents["enriched"], report.truncated_count) == (2, 1)
    rows = world.rows(
        "select left_out_characters from nightshift.document_metadata order by all nulls first"
    )
    assert rows[0] == (None,)
    assert 0 < rows[1][0] < len(LONG)
