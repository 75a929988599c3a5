"""Task `sweep_ledger`: what no run waits for is collected, loaded or reported in good time."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from include.entries import Entry
from include.errors import PermanentError, PipelineError
from include.plans import find_plan
from include.runs import RunFiles, read_manifest
from include.shard_loading import close_loaded, lags_of, load_shard
from include.steps.collect_results import Collection
from include.steps.load_warehouse import RunLoading

if TYPE_CHECKING:
    from include.batches import BatchesApi
    from include.config import Settings
    from include.ledger import Ledger
    from include.storage import ObjectStore
    from include.warehouse.loading import LoadSummary
    from include.warehouse.session import Warehouse

logger = logging.getLogger(__name__)

PLANNED_LIFE = dt.timedelta(days=7)
"""A planned shard that nobody submitted for so long is abandoned: its segments go after 30 days."""
STUCK_AFTER = dt.timedelta(hours=26)
"""No batch lives longer than 24 hours: an entry that has not moved for longer needs a person."""
RESULTS_LIFE = dt.timedelta(days=29)
"""Source: results can be had for 29 days after a batch was created."""


class LedgerStuckError(PermanentError):
    """Entries need a person; everything else was swept."""


@dataclass
class SweepReport:
    """What a sweep did, and what it found for people to look at."""

    collected: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    """Batches that were bought a second time; their costs are in the warehouse now."""
    stuck: list[str] = field(default_factory=list)
    """Shards that a person must decide about, with `resolve_shard`."""
    failed: list[str] = field(default_factory=list)
    """Shards that could not be swept this time, each with the reason."""
    unclaimed_batch_ids: list[str] = field(default_factory=list)
    """Batches of the workspace that no ledger knows: somebody else's, or bought in vain."""
    loads: list["LoadSummary"] = field(default_factory=list, repr=False)

    @property
    def findings(self) -> dict[str, list[str]]:
        """Everything but the loads."""
        return {name: value for name, value in vars(self).items() if name != "loads"}


@dataclass(frozen=True, kw_only=True)
class LedgerSweep:
    """What sweeping the ledger of one spec needs."""

    spec: str
    run_key: str
    ledger: "Ledger"
    store: "ObjectStore"
    warehouse: "Warehouse"
    api: "BatchesApi"
    settings: "Settings"
    work_dir: Path
    now: Callable[[], dt.datetime]

    def sweep(self) -> SweepReport:
        """Bring every open entry as far as it goes; one that breaks holds up no other."""
        report = SweepReport()
        for shard_id in self.ledger.read_open().record.shards:
            try:
                self._sweep_shard(shard_id, report)
            except PipelineError as error:
                logger.warning("not swept shard=%s reason=%s", shard_id, error)
                report.failed.append(f"{shard_id}: {error}")
        self._load(report)
        self._sweep_surplus(report)
        report.unclaimed_batch_ids += self._unclaimed()
        logger.info("swept spec=%s %s", self.spec, report)
        return report

    def _sweep_shard(self, shard_id: str, report: SweepReport) -> None:
        entry = self.ledger.read(shard_id).record
        moved_at = entry.history[-1].at if entry.history else self.now()
        age = self.now() - moved_at
        if not entry.is_open:
            self.ledger.close(shard_id)
        elif entry.state == "planned" and age > PLANNED_LIFE:
            self._abandon(shard_id)
            report.abandoned.append(shard_id)
        elif entry.state in {"submitted", "ended"} and self._has_ended(entry):
            self._collection(shard_id).collect()
            report.collected.append(shard_id)
        elif entry.state != "planned" and age > STUCK_AFTER:
            report.stuck.append(f"{shard_id}: {entry.state} since {moved_at:%Y-%m-%d %H:%M} UTC")

    def _has_ended(self, entry: Entry) -> bool:
        batch = self.api.retrieve(entry.batch_id) if entry.batch_id else None
        return batch is not None and batch.is_ended

    def _sweep_surplus(self, report: SweepReport) -> None:
        """Account for what was bought a second time; it is stopped if it still runs."""
        for batch_id, shard_id in self.ledger.read_open().record.surplus.items():
            try:
                if self._settle_surplus(batch_id, shard_id, report):
                    report.surplus.append(batch_id)
            except PipelineError as error:
                logger.warning("not swept surplus batch=%s reason=%s", batch_id, error)
                report.failed.append(f"{batch_id}: {error}")

    def _settle_surplus(self, batch_id: str, shard_id: str, report: SweepReport) -> bool:
        """Collect and load one surplus batch; False while there is nothing to collect."""
        batch = self.api.retrieve(batch_id)
        if batch is not None and not batch.is_ended:
            if batch.status == "in_progress":
                self.api.cancel(batch_id)
            return False
        if batch is not None and batch.archived_at is None:
            entry = self._collection(shard_id).collect_surplus(batch)
            report.loads.append(self._load_shard(entry))
        elif batch is not None or self._is_forgotten(batch_id):
            logger.error("results gone surplus batch=%s shard=%s", batch_id, shard_id)
        else:
            return False
        self.ledger.settle_surplus(batch_id)
        return True

    def _is_forgotten(self, batch_id: str) -> bool:
        """Return whether the API need not know a batch any more."""
        claim = self.ledger.find_claim(batch_id)
        return claim is None or self.now() - claim.claimed_at > RESULTS_LIFE

    def _collection(self, shard_id: str) -> Collection:
        folder = self.work_dir / shard_id
        folder.mkdir(exist_ok=True)
        return Collection(
            shard_id=shard_id,
            run_key=self.run_key,
            ledger=self.ledger,
            store=self.store,
            api=self.api,
            settings=self.settings,
            work_dir=folder,
            now=self.now,
        )

    def _abandon(self, shard_id: str) -> None:
        def step(entry: Entry) -> Entry | None:
            if entry.state != "planned":
                return None
            return entry.moved(
                state="abandoned", by=self.run_key, at=self.now(), note="planned_too_long_ago"
            )

        if self.ledger.change(shard_id, step).state == "abandoned":
            self.ledger.close(shard_id)

    def _load(self, report: SweepReport) -> None:
        """Load what is collected; one shard that breaks holds up no other."""
        entries = (self.ledger.read(one).record for one in self.ledger.read_open().record.shards)
        collected = [entry for entry in entries if entry.output is not None and entry.is_open]
        for entry in collected:
            try:
                report.loads.append(self._load_entry(entry))
            except PipelineError as error:
                logger.warning("not loaded shard=%s reason=%s", entry.shard_id, error)
                report.failed.append(f"{entry.shard_id}: {error}")
            else:
                report.loaded.append(entry.shard_id)

    def _load_entry(self, entry: Entry) -> "LoadSummary":
        """Load a shard: with its documents when the plan of the run that bought it still names it.

        A run that planned anew, without this shard's documents, would not load it.
        """
        plan = find_plan(self.store, RunFiles(entry.spec, entry.run_key), entry.round)
        if plan is None or entry.shard_id not in plan.shard_ids:
            summary = self._load_shard(entry)
            close_loaded(self.ledger, [entry], by=self.run_key, now=self.now)
            return replace(summary, lags=lags_of([entry], now=self.now()))
        loading = RunLoading(
            manifest=read_manifest(self.store, entry.spec, entry.run_key),
            store=self.store,
            ledger=self.ledger,
            warehouse=self.warehouse,
            work_dir=self.work_dir,
            now=self.now,
        )
        return loading.load_night() if entry.round == 0 else loading.load_retries()

    def _load_shard(self, entry: Entry) -> "LoadSummary":
        return load_shard(
            entry,
            store=self.store,
            warehouse=self.warehouse,
            work_dir=self.work_dir,
            now=self.now,
        )

    def _unclaimed(self) -> Sequence[str]:
        listing = self.api.list_since(self.now() - RESULTS_LIFE)
        unclaimed = dict.fromkeys(batch.batch_id for batch in listing.batches)
        for batch_id in self.ledger.claimed_batches():
            unclaimed.pop(batch_id, None)
        return list(unclaimed)


def raise_if_stuck(report: SweepReport) -> None:
    """Fail the sweep so that somebody looks.

    Raises:
        LedgerStuckError: Entries are stuck, or could not be swept.
    """
    problems = [*report.stuck, *report.failed]
    if problems:
        msg = f"{'; '.join(problems)}. docs/runbook.md tells how to resolve a shard"
        raise LedgerStuckError(msg)
