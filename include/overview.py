"""What there is to see of a spec without its warehouse: nights, spend, batches, runs under way."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from include.approvals import find_decision
from include.entries import Entry
from include.errors import PipelineError
from include.identities import run_key
from include.ledger import Ledger
from include.night_index import NightIndex, NightSummary, OutcomeTotal, ReasonCount, read_index
from include.plans import Plan, find_plan
from include.runs import ListingManifest, RunFiles

if TYPE_CHECKING:
    from include.storage import ObjectStore

ENTRIES_READ = 100
"""Open entries that one look reads, each a small object; `open.json` counts the rest."""
READERS = 8
NIGHTS_SHOWN = 60
DAYS_SHOWN = 30

FoundT = TypeVar("FoundT")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenBatch(_Part):
    """One open shard, and the batch it is in, if it is in one yet."""

    shard_id: str
    batch_id: str | None
    surplus_batch_ids: tuple[str, ...]
    state: str
    run_key: str
    run_id: str | None
    """The run that planned it, where it is among those that are shown."""
    map_index: int | None
    """Which of the mapped tasks of that run waits for it, where its plan was looked at."""
    round: int
    request_count: int
    estimate_usd: Decimal
    is_adopted: bool
    planned_at: dt.datetime | None
    created_at: dt.datetime | None
    expires_at: dt.datetime | None
    ended_at: dt.datetime | None

    @classmethod
    def of(
        cls, entry: Entry, *, run_id: str | None = None, map_index: int | None = None
    ) -> "OpenBatch":
        """Return what is shown of an entry."""
        return cls(
            shard_id=entry.shard_id,
            batch_id=entry.batch_id,
            surplus_batch_ids=tuple(entry.uncollected_surplus),
            state=entry.state,
            run_key=entry.run_key,
            run_id=run_id,
            map_index=map_index,
            round=entry.round,
            request_count=entry.request_count,
            estimate_usd=entry.estimate_usd,
            is_adopted=entry.is_adopted,
            planned_at=entry.history[0].at if entry.history else None,
            created_at=entry.batch_created_at,
            expires_at=entry.batch_expires_at,
            ended_at=entry.batch_ended_at,
        )


class OpenWork(_Part):
    """What the ledger has open: some batches in full, all of them in the counts."""

    batches: tuple[OpenBatch, ...] = ()
    shard_count: int = 0
    request_count: int = 0
    estimate_usd: Decimal = Decimal(0)
    most_usd: Decimal = Decimal(0)
    """The upper ends of their forecasts."""
    surplus_count: int = 0
    """Batches bought a second time whose costs are not accounted for yet."""


class RunUnderWay(_Part):
    """A run that has not ended, as far as its files tell."""

    run_id: str
    state: str
    started_at: dt.datetime | None
    listed_count: int | None = None
    unchanged_count: int | None = None
    needed_count: int | None = None
    known_count: int | None = None
    joined_count: int | None = None
    bought_count: int | None = None
    shard_count: int | None = None
    forecast_usd: Decimal | None = None
    is_granted: bool | None = None
    """What was decided about the spend; None before that."""
    limit_usd: Decimal | None = None
    """Most that the run may spend by estimate, retries included."""


class Day(_Part):
    """What the runs that began on one day, in UTC, came to."""

    date: dt.date
    run_count: int
    forecast_usd: Decimal
    actual_usd: Decimal
    list_usd: Decimal
    outcomes: tuple[OutcomeTotal, ...]


class SpecOverview(_Part):
    """What the page shows of one spec."""

    spec: str
    nights: tuple[NightSummary, ...]
    """The latest first."""
    days: tuple[Day, ...]
    """The earliest first; only days with runs."""
    dead_letters: tuple[ReasonCount, ...]
    """Open ones by reason, most first."""
    dead_letters_at: dt.datetime | None
    """When they were counted: as a run ended. None before the first."""
    open_work: OpenWork
    runs: tuple[RunUnderWay, ...]
    problems: tuple[str, ...]
    """What could not be read, and why; the rest is shown all the same."""


class DayBudget(_Part):
    """The budget of one day, in UTC, over all specs."""

    budget_usd: Decimal
    left_usd: Decimal
    """Less what the day's runs have paid, and the most that open batches will probably cost."""


@dataclass(frozen=True)
class ActiveRun:
    """A run that Airflow has not ended."""

    run_id: str
    state: str
    started_at: dt.datetime | None


def read_overview(
    store: "ObjectStore", spec: str, active_runs: Sequence[ActiveRun]
) -> SpecOverview:
    """Read the overview of a spec: a bounded number of small objects, however large the bucket."""
    return _Look(store, spec).overview(active_runs)


def read_shard(store: "ObjectStore", spec: str, shard_id: str) -> OpenBatch:
    """Return a shard, open or closed.

    Raises:
        LedgerStateError: The spec has no such shard.
    """
    return _Look(store, spec).shard(shard_id)


def read_day_budget(
    overviews: Iterable[SpecOverview], budget_usd: Decimal | None, *, today: dt.date
) -> DayBudget | None:
    """Return what is left of the budget of a day, over all specs; None without such a budget.

    About what the gate before a spend decides by: the warehouse has the costs to the batch.
    """
    if budget_usd is None:
        return None
    shown = list(overviews)
    paid = sum(
        (day.actual_usd for each in shown for day in each.days if day.date == today), Decimal(0)
    )
    out = sum((each.open_work.most_usd for each in shown), Decimal(0))
    return DayBudget(budget_usd=budget_usd, left_usd=max(budget_usd - paid - out, Decimal(0)))


def sum_days(nights: Iterable[NightSummary]) -> tuple[Day, ...]:
    """Return what the newest days came to, by the day on which runs began: that is when money goes.

    A backfilled night is spent today, not on the day that it is about.
    """
    by_date: dict[dt.date, list[NightSummary]] = {}
    for night in nights:
        by_date.setdefault(night.started_at.astimezone(dt.UTC).date(), []).append(night)
    return tuple(_sum_day(date, by_date[date]) for date in sorted(by_date)[-DAYS_SHOWN:])


def _sum_day(date: dt.date, nights: Sequence[NightSummary]) -> Day:
    outcomes: dict[str, OutcomeTotal] = {}
    for line in (line for night in nights for line in night.outcomes):
        before = outcomes.get(line.outcome)
        outcomes[line.outcome] = line if before is None else before.plus(line)
    return Day(
        date=date,
        run_count=len(nights),
        forecast_usd=sum((night.forecast_usd for night in nights), Decimal(0)),
        actual_usd=sum((night.actual_usd for night in nights), Decimal(0)),
        list_usd=sum((night.list_usd for night in nights), Decimal(0)),
        outcomes=tuple(outcomes[name] for name in sorted(outcomes)),
    )


class _Look:
    """One look at a spec. What cannot be read becomes a problem; the rest is shown all the same."""

    def __init__(self, store: "ObjectStore", spec: str) -> None:
        self._store = store
        self._spec = spec
        self._ledger = Ledger(store, spec)
        self._problems: list[str] = []
        self._run_ids: dict[str, str] = {}
        self._map_indexes: dict[tuple[str, str], int] = {}
        """By run key and shard."""

    def overview(self, active_runs: Sequence[ActiveRun]) -> SpecOverview:
        index = self._read_index()
        runs = tuple(self._run_under_way(run) for run in active_runs)
        open_work = self._open_work()
        counted = [night for night in index.nights if night.open_dead_letters is not None]
        latest = max(counted, key=lambda night: night.finished_at, default=None)
        return SpecOverview(
            spec=self._spec,
            nights=index.nights[:NIGHTS_SHOWN],
            days=sum_days(index.nights),
            dead_letters=(latest and latest.open_dead_letters) or (),
            dead_letters_at=latest.finished_at if latest else None,
            open_work=open_work,
            runs=runs,
            problems=tuple(dict.fromkeys(self._problems)),
        )

    def shard(self, shard_id: str) -> OpenBatch:
        """Look at one shard, and at the plan of its run for the task that waits for it."""
        entry = self._ledger.read(shard_id).record
        self._read_index()
        files = RunFiles(self._spec, entry.run_key)
        self._note_places(files, self._attempt(lambda: find_plan(self._store, files, 0), None))
        return self._batch(entry)

    def _read_index(self) -> NightIndex:
        index = self._attempt(lambda: read_index(self._store, self._spec), NightIndex())
        self._run_ids |= {night.run_key: night.run_id for night in index.nights}
        return index

    def _note_places(self, files: RunFiles, plan: Plan | None) -> None:
        places = ((files.run_key, shard_id) for shard_id in (plan.shard_ids if plan else ()))
        self._map_indexes |= {place: index for index, place in enumerate(places)}

    def _attempt(self, read: Callable[[], FoundT], instead: FoundT) -> FoundT:
        try:
            return read()
        except PipelineError as error:
            self._problems.append(str(error))
        except ValidationError as error:
            self._problems.append(f"a {error.title} cannot be read by this version")
        return instead

    def _open_work(self) -> OpenWork:
        ledger = self._attempt(self._ledger.find_open, None)
        if ledger is None:
            return OpenWork()
        shard_ids = list(islice(ledger.shards, ENTRIES_READ))
        with ThreadPoolExecutor(READERS) as pool:
            entries = list(pool.map(lambda one: self._attempt(self._reader(one), None), shard_ids))
        return OpenWork(
            batches=tuple(self._batch(entry) for entry in entries if entry and entry.is_open),
            shard_count=len(ledger.shards),
            request_count=sum(one.request_count for one in ledger.shards.values()),
            estimate_usd=sum((one.estimate_usd for one in ledger.shards.values()), Decimal(0)),
            most_usd=sum((one.most_usd for one in ledger.shards.values()), Decimal(0)),
            surplus_count=len(ledger.surplus),
        )

    def _batch(self, entry: Entry) -> OpenBatch:
        return OpenBatch.of(
            entry,
            run_id=self._run_ids.get(entry.run_key),
            map_index=self._map_indexes.get((entry.run_key, entry.shard_id)),
        )

    def _reader(self, shard_id: str) -> Callable[[], Entry | None]:
        return lambda: self._ledger.read(shard_id).record

    def _run_under_way(self, run: ActiveRun) -> RunUnderWay:
        bare = RunUnderWay(run_id=run.run_id, state=run.state, started_at=run.started_at)
        key = run_key(run.run_id)
        self._run_ids[key] = run.run_id
        files = RunFiles(self._spec, key)
        listing = self._attempt(lambda: self._find_listing(files), None)
        plan = self._attempt(lambda: find_plan(self._store, files, 0), None)
        decision = self._attempt(lambda: find_decision(self._store, files), None)
        self._note_places(files, plan)
        changes: dict[str, object] = {}
        if listing is not None:
            changes |= {
                "listed_count": listing.listed_count,
                "unchanged_count": listing.unchanged_count,
            }
        if plan is not None:
            changes |= {
                "needed_count": plan.shards.needed_count,
                "known_count": plan.shards.known_count,
                "joined_count": plan.shards.joined_count,
                "bought_count": plan.shards.bought_count,
                "shard_count": len(plan.shard_ids),
                "forecast_usd": plan.forecast_usd,
            }
        if decision is not None:
            changes |= {"is_granted": decision.is_granted, "limit_usd": decision.limit_usd}
        return bare.model_copy(update=changes)

    def _find_listing(self, files: RunFiles) -> ListingManifest | None:
        stored = self._store.read(files.listing_key)
        return ListingManifest.model_validate_json(stored.data) if stored else None
