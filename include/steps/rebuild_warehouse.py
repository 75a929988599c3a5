"""Task `rebuild_warehouse`: loads every night again from the work bucket, and buys nothing."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from include.entries import Entry
from include.erasures import list_erasures
from include.errors import CountMismatchError
from include.plans import find_plan
from include.reports import NightReport
from include.runs import ListingManifest, RunFiles, RunManifest, read_model
from include.shard_loading import load_shard
from include.steps.load_warehouse import RunLoading
from include.warehouse.erasing import mark_erased
from include.warehouse.keys import record_keys
from include.warehouse.ledgers import record_ledger
from include.warehouse.listings import Listing, record_listing, restore_marks
from include.warehouse.runs import RunRow, settle_run
from include.warehouse.staging import LISTED
from include.warehouse.tables import ensure_tables

if TYPE_CHECKING:
    from include.ledger import Ledger
    from include.storage import ObjectStore
    from include.warehouse.session import Warehouse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What was loaded again."""

    run_count: int
    shard_count: int


@dataclass(frozen=True, kw_only=True)
class WarehouseRebuild:
    """What rebuilding the tables of one spec needs."""

    spec: str
    ledger: "Ledger"
    store: "ObjectStore"
    warehouse: "Warehouse"
    work_dir: Path
    now: Callable[[], dt.datetime]

    def rebuild(self) -> RebuildReport:
        """Replay the nights in the order in which they began, then shards that no night loaded.

        The keys are listed: this is the one place that looks for data instead of being told.

        Raises:
            LedgerStateError: The warehouse holds this spec from another ledger.
            CountMismatchError: Nights whose counts are not what they were; the rest is loaded.
        """
        manifests = sorted(self._manifests(), key=lambda one: (one.started_at, one.run_key))
        problems = [problem for one in manifests for problem in self._replay(one)]
        entries = [
            entry for entry in self._entries() if entry.output is not None or entry.surplus_batches
        ]
        for entry in entries:
            load_shard(
                entry,
                store=self.store,
                warehouse=self.warehouse,
                work_dir=self.work_dir,
                now=self.now,
            )
        self._mark_erased()
        if problems:
            msg = f"loaded again, but not as it was: {'; '.join(problems)}"
            raise CountMismatchError(msg)
        return RebuildReport(len(manifests), len(entries))

    def _mark_erased(self) -> None:
        """Mark what was erased, last: until then its states are replayed like all others.

        The files hold nothing of it any more, and what was erased is not taken up again.
        """
        for erasure in list_erasures(self.store, self.spec):
            if erasure.finished_at is None:
                logger.warning("unfinished erasure of %s: erase it again", erasure.document_uri)
            with self.warehouse.session() as session:
                mark_erased(
                    session,
                    spec=self.spec,
                    document_ids=erasure.document_ids,
                    erased_at=erasure.erased_at,
                    now=self.now(),
                )

    def _manifests(self) -> Iterator[RunManifest]:
        for key in self.store.list_keys(f"{self.spec}/runs/"):
            if key.endswith("/spec.json"):
                yield read_model(self.store, key, RunManifest)

    def _entries(self) -> Iterator[Entry]:
        for key in self.store.list_keys(f"ledger/{self.spec}/"):
            name = key.rsplit("/", 1)[-1]
            if name.endswith(".json") and name != "open.json":
                yield self.ledger.read(name.removesuffix(".json")).record

    def _replay(self, manifest: RunManifest) -> Sequence[str]:
        """Load one night as it was; return what is not as it was."""
        files = RunFiles(manifest.spec.name, manifest.run_key)
        if self.store.read(files.listing_key) is None:
            return []
        self._list(manifest, read_model(self.store, files.listing_key, ListingManifest))
        if find_plan(self.store, files, 0) is None:
            return []
        loading = RunLoading(
            manifest=manifest,
            store=self.store,
            ledger=self.ledger,
            warehouse=self.warehouse,
            work_dir=self.work_dir,
            now=self.now,
        )
        loading.load_night()
        if find_plan(self.store, files, 1) is not None:
            loading.load_retries()
        if self.store.read(files.report_key) is None:
            return []
        return self._settle(manifest, read_model(self.store, files.report_key, NightReport))

    def _list(self, manifest: RunManifest, listing: ListingManifest) -> None:
        listed = pa.RecordBatchReader.from_batches(LISTED, self._listed(listing))
        with self.warehouse.session() as session:
            frozen = manifest.spec
            ensure_tables(session, self.spec, frozen.schema_of_answer, frozen.key_groups)
            ledger_id = self.ledger.read_open().record.ledger_id
            record_ledger(session, spec=self.spec, ledger_id=ledger_id, now=self.now())
            result = record_listing(
                session,
                Listing(
                    spec=self.spec,
                    run_key=manifest.run_key,
                    prompt_version=manifest.spec.prompt_version,
                    now=manifest.started_at,
                    requeue_reasons=manifest.params.requeue,
                    reprocess=manifest.params.reprocess,
                    of_lines=frozen.source_lines is not None,
                ),
                listed,
            )
            for _ in result.documents:
                """The stream must be read to its end."""
            record_keys(session, self.spec, frozen.key_pattern)
            for key in listing.marks_keys:
                path = self.store.download(key, self.work_dir / "marks.parquet")
                marks = pq.read_table(path).to_reader()
                restore_marks(session, spec=self.spec, marks=marks, now=manifest.started_at)

    def _listed(self, listing: ListingManifest) -> Iterator[pa.RecordBatch]:
        for part in listing.slices:
            path = self.store.download(part.key, self.work_dir / "listed.parquet")
            for batch in pq.ParquetFile(path).iter_batches():
                yield batch.select(LISTED.names).cast(LISTED)

    def _settle(self, manifest: RunManifest, report: NightReport) -> Sequence[str]:
        row = RunRow(
            spec=self.spec,
            run_key=manifest.run_key,
            dag_id=manifest.dag_id,
            run_id=manifest.run_id,
            run_type=manifest.run_type,
            night=manifest.night.isoformat(),
            window_start_at=manifest.window_start_at,
            window_end_at=manifest.window_end_at,
            prompt_version=manifest.spec.prompt_version,
            listed_count=report.listed_count,
            unchanged_count=report.documents["unchanged"],
            forecast_usd=report.forecast_usd,
            forecast_lower_usd=report.forecast.cost_usd.lower if report.forecast else None,
            forecast_upper_usd=report.forecast.cost_usd.upper if report.forecast else None,
            is_complete=report.verdict == "green" and manifest.params.is_whole,
            verdict=": ".join(("red", "; ".join(report.problems))) if report.problems else "green",
            started_at=manifest.started_at,
            finished_at=report.finished_at,
        )
        try:
            with self.warehouse.session() as session:
                settle_run(session, row)
        except CountMismatchError as error:
            logger.warning("not as it was run=%s reason=%s", manifest.run_key, error)
            return [f"run {manifest.run_key}: {error}"]
        return []
