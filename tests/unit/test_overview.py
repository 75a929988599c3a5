import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from include.approvals import SpendDecision, write_decision
from include.errors import LedgerStateError
from include.identities import run_key
from include.ledger import Ledger, OpenLedger, OpenShard
from include.night_index import NightSummary, OutcomeTotal, note_night
from include.overview import (
    ENTRIES_READ,
    ActiveRun,
    SpecOverview,
    read_day_budget,
    read_overview,
    read_shard,
    sum_days,
)
from include.plans import Plan, write_plan
from include.reports import StateCount
from include.runs import ListingManifest, RunFiles
from include.storage import ObjectStore
from tests.factories import make_entry, make_report, plan_shards
from tests.fakes import START, FakeS3

SPEC = "notes"


def look(store: ObjectStore, *runs: ActiveRun) -> SpecOverview:
    return read_overview(store, SPEC, runs)


def open_shards(store: ObjectStore, count: int, **changes: Any) -> None:
    ledger = Ledger(store, SPEC)
    entries = [make_entry(shard_id=f"shard-{number}", **changes) for number in range(count)]
    for entry in entries:
        ledger.create(entry)
    shards = {
        entry.shard_id: OpenShard(request_count=2, estimate_usd=Decimal("0.01"))
        for entry in entries
    }
    ledger.put_open(None, OpenLedger(ledger_id="ledger", shards=shards))


def night(**changes: Any) -> NightSummary:
    return NightSummary.of(make_report()).model_copy(update=changes)


def test_spec_that_never_ran_is_empty_and_stays_untouched(
    store: ObjectStore, bucket: FakeS3
) -> None:
    overview = look(store)
    assert (overview.nights, overview.problems, overview.open_work.shard_count) == ((), (), 0)
    assert not bucket.objects


def test_look_is_bounded_however_much_is_open(store: ObjectStore, bucket: FakeS3) -> None:
    open_shards(store, ENTRIES_READ + 5)
    bucket.calls.clear()
    work = look(store).open_work
    assert len(work.batches) == ENTRIES_READ
    assert (work.shard_count, work.request_count) == (ENTRIES_READ + 5, 2 * (ENTRIES_READ + 5))
    assert len(bucket.calls) == ENTRIES_READ + 2
    assert {verb for verb, _ in bucket.calls} == {"get"}


def test_what_cannot_be_read_is_named_once_and_the_rest_is_shown(
    store: ObjectStore, bucket: FakeS3
) -> None:
    note_night(store, make_report())
    open_shards(store, 2)
    bucket.objects["nightshift/ledger/notes/shard-0.json"] = b"{}"
    del bucket.objects["nightshift/ledger/notes/shard-1.json"]
    overview = look(store)
    assert len(overview.nights) == 1
    assert (overview.open_work.shard_count, overview.open_work.batches) == (2, ())
    broken, missing = overview.problems
    assert "shard-0.json is not a Entry" in broken
    assert "no ledger entry" in missing


def test_outage_shows_problems_instead_of_failing(store: ObjectStore, bucket: FakeS3) -> None:
    bucket.hook = lambda verb, key: "outage"
    overview = look(store, ActiveRun("manual__1", "running", START))
    assert len(overview.problems) == 5
    assert overview.runs[0].listed_count is None


def test_run_under_way_tells_as_much_as_its_files(store: ObjectStore, tmp_path: Path) -> None:
    run = ActiveRun("manual__1", "running", START)
    files = RunFiles(SPEC, run_key(run.run_id))
    bare = look(store, run).runs[0]
    assert (bare.listed_count, bare.bought_count, bare.is_granted) == (None, None, None)

    listing = ListingManifest(slices=(), listed_count=5, unchanged_count=3)
    store.write(files.listing_key, listing.model_dump_json().encode())
    shards = plan_shards(store, tmp_path, ["a", "b"], run_key=files.run_key)
    plan = Plan(round=0, index_keys=(), known_key="", forecast_usd=Decimal("0.5"), shards=shards)
    write_plan(store, files, plan)
    decision = SpendDecision(
        is_granted=True, limit_usd=Decimal(1), estimate_usd=Decimal("0.5"), by="budget", at=START
    )
    write_decision(store, files, decision)

    overview = look(store, run)
    shown = overview.runs[0]
    assert (shown.listed_count, shown.unchanged_count, shown.bought_count) == (5, 3, 2)
    assert (shown.forecast_usd, shown.is_granted, shown.limit_usd) == (Decimal("0.5"), True, 1)
    (batch,) = overview.open_work.batches
    assert (batch.run_id, batch.map_index, batch.batch_id) == (run.run_id, 0, None)


def test_days_are_those_on_which_money_went() -> None:
    total = OutcomeTotal(
        outcome="succeeded", result_count=2, cost_usd=Decimal(1), list_cost_usd=Decimal(2)
    )
    later = START + dt.timedelta(days=1)
    days = sum_days(
        [
            night(started_at=later, actual_usd=Decimal(1), outcomes=(total,)),
            night(started_at=later, actual_usd=Decimal(2), outcomes=(total,)),
            night(started_at=START, list_usd=Decimal(5)),
        ]
    )
    assert [(day.date.day, day.run_count, day.actual_usd) for day in days] == [
        (10, 1, 0),
        (11, 2, 3),
    ]
    assert (days[1].outcomes[0].result_count, days[1].outcomes[0].list_cost_usd) == (4, 4)


def test_day_budget_is_less_what_is_paid_and_what_is_out(store: ObjectStore) -> None:
    note_night(store, make_report(actual_usd=Decimal("0.5")))
    open_shards(store, 2)
    seen = [look(store)]
    assert read_day_budget(seen, None, today=START.date()) is None
    left = [
        budget.left_usd
        for limit in (Decimal(1), Decimal("0.1"))
        if (budget := read_day_budget(seen, limit, today=START.date()))
    ]
    assert left == [Decimal("0.48"), 0]


def test_dead_letters_are_those_open_when_the_last_run_ended(store: ObjectStore) -> None:
    assert look(store).dead_letters_at is None

    def line(reason: str) -> StateCount:
        return StateCount(state="dead_letter", state_reason=reason, document_count=1)

    later = START + dt.timedelta(hours=1)
    backfilled = START - dt.timedelta(days=9)
    note_night(store, make_report(run_key="last", open_dead_letters=(line("refused"),)))
    note_night(
        store,
        make_report(
            run_key="past",
            window_end_at=backfilled,
            finished_at=later,
            open_dead_letters=(line("errored"),),
        ),
    )
    note_night(store, make_report(run_key="uncounted", finished_at=later + dt.timedelta(hours=1)))
    overview = look(store)
    assert [one.state_reason for one in overview.dead_letters] == ["errored"]
    assert overview.dead_letters_at == later


def test_loaded_shard_leads_to_the_task_that_waited_for_it(
    store: ObjectStore, tmp_path: Path
) -> None:
    run = make_report(run_id="manual__1", run_key=run_key("manual__1"))
    shards = plan_shards(store, tmp_path, ["a", "b"], run_key=run.run_key)
    (planned,) = shards.shards
    bare = read_shard(store, SPEC, planned.shard_id)
    assert (bare.run_id, bare.map_index) == (None, None)

    plan = Plan(round=0, index_keys=(), known_key="", forecast_usd=Decimal(1), shards=shards)
    write_plan(store, RunFiles(SPEC, run.run_key), plan)
    note_night(store, run)
    found = read_shard(store, SPEC, planned.shard_id)
    assert (found.run_id, found.map_index) == (run.run_id, 0)


def test_unknown_shard_is_refused(store: ObjectStore) -> None:
    with pytest.raises(LedgerStateError, match="no ledger entry"):
        read_shard(store, SPEC, "shard-9")
