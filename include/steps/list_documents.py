"""Task `list_documents`: what is there, what of it is new, in slices for the next task."""

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from include.caching import MEASURED_TIME, CacheChoice, choose_caching
from include.documents.extraction import ExtractionLimits
from include.documents.listing import (
    ExistingObject,
    ListingRequest,
    date_prefixes,
    is_versioned,
    list_objects,
)
from include.identities import document_uri
from include.runs import (
    ListingManifest,
    RunContext,
    RunFiles,
    RunManifest,
    SlicePart,
    choose_night,
    choose_window,
    keep_manifest,
)
from include.steps.list_lines import LineSpool, taken_lines, whole_objects
from include.steps.listed_rows import listed_row, read_listed, write_slices
from include.warehouse.keys import record_keys
from include.warehouse.ledgers import record_ledger
from include.warehouse.listings import (
    LinesSeen,
    Listing,
    ListingResult,
    mark_deleted,
    mark_lines_deleted,
    read_marks,
    record_listing,
)
from include.warehouse.runs import read_cache_use, read_last_window_end
from include.warehouse.staging import LISTED, LISTED_URIS, MARKS, WHOLE_OBJECTS
from include.warehouse.tables import ensure_tables

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from include.config import Settings
    from include.ledger import Ledger
    from include.lines import Lines
    from include.spec import FrozenSpec, Spec
    from include.storage import ObjectStore
    from include.warehouse.session import Session, Warehouse

logger = logging.getLogger(__name__)

MAX_SLICES = 1_000
"""Mapped tasks end at 1,024 (`core.max_map_length`)."""
ROWS_PER_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class SpooledListing:
    """A listing on disk."""

    began_at: dt.datetime
    request: ListingRequest
    documents: Path
    """The documents of the run: the columns of `staging.LISTED`."""
    existing: Path
    """Everything that exists below the prefixes: the columns of `staging.LISTED_URIS`."""


@dataclass(frozen=True, kw_only=True)
class NightListing:
    """What listing needs, for one run."""

    context: RunContext
    spec: "Spec"
    store: "ObjectStore"
    ledger: "Ledger"
    documents_client: "S3Client"
    warehouse: "Warehouse"
    settings: "Settings"
    work_dir: Path
    now: Callable[[], dt.datetime]

    def list(self) -> ListingManifest:
        """List the window, merge it into `documents` as pending, and slice what is to be done.

        Raises:
            ConfigurationError: The bucket, the credentials or a table are not usable.
            LedgerStateError: The warehouse was loaded from another ledger.
        """
        ledger_id = self.ledger.read_open().record.ledger_id
        with self.warehouse.session() as session:
            frozen = self.spec.freeze()
            ensure_tables(session, frozen.name, frozen.schema_of_answer, frozen.key_groups)
            record_ledger(session, spec=frozen.name, ledger_id=ledger_id, now=self.now())
            last_window_end = read_last_window_end(session, spec=frozen.name)
            use = read_cache_use(
                session, spec=frozen.name, model=frozen.model, since=self.now() - MEASURED_TIME
            )
        caching = choose_caching(frozen, use)
        manifest = self._keep_manifest(frozen, caching, last_window_end)
        logger.info("caching spec=%s reason=%s", frozen.name, manifest.caching.reason)
        listed = self._spool(manifest)
        with self.warehouse.session() as session:
            return self._record(session, manifest, listed)

    def _keep_manifest(
        self, frozen: "FrozenSpec", caching: CacheChoice, last_window_end: dt.datetime | None
    ) -> RunManifest:
        start, end = choose_window(self.context, last_window_end)
        return keep_manifest(
            self.store,
            RunManifest(
                dag_id=self.context.dag_id,
                run_id=self.context.run_id,
                run_key=self.context.run_key,
                run_type=self.context.run_type,
                started_at=self.context.started_at,
                night=choose_night(self.context),
                window_start_at=start,
                window_end_at=end,
                params=self.context.params,
                spec=frozen,
                caching=caching,
            ),
        )

    def _spool(self, manifest: RunManifest) -> SpooledListing:
        """Write the listing to disk first: no database waits while S3 is listed."""
        request = listing_request(manifest, self.settings)
        listing = SpooledListing(
            began_at=self.now(),
            request=request,
            documents=self.work_dir / "listed.parquet",
            existing=self.work_dir / "existing.parquet",
        )
        objects = list_objects(
            self.documents_client,
            request,
            versioned=is_versioned(self.documents_client, request.bucket),
        )
        with (
            pq.ParquetWriter(listing.documents, LISTED) as documents,
            pq.ParquetWriter(listing.existing, LISTED_URIS) as existing,
        ):
            for some in _batched(_limited(objects, manifest.params.limit), ROWS_PER_BATCH):
                uris = [document_uri(request.bucket, one.key) for one in some]
                existing.write_table(pa.table({"document_uri": uris}, schema=LISTED_URIS))
                rows = [listed_row(one.document) for one in some if one.document]
                documents.write_table(pa.Table.from_pylist(rows, schema=LISTED))
        if manifest.spec.source_lines is None:
            return listing
        spool = self._line_spool(manifest.spec.source_lines)
        objects_listed = (listed for _, listed in read_listed(listing.documents))
        spool.write(objects_listed, manifest.params.limit)
        return replace(listing, documents=spool.path)

    def _line_spool(self, lines: "Lines") -> LineSpool:
        return LineSpool(
            client=self.documents_client,
            lines=lines,
            limits=ExtractionLimits.of(self.settings),
            path=self.work_dir / "lines.parquet",
        )

    def _record(
        self, session: "Session", manifest: RunManifest, spooled: SpooledListing
    ) -> ListingManifest:
        marks_keys = self._earlier_marks_keys(manifest)
        if manifest.params.is_unrestricted:
            marks_keys += self._mark_deleted(session, manifest, spooled)
        listing = Listing(
            spec=manifest.spec.name,
            run_key=manifest.run_key,
            prompt_version=manifest.spec.prompt_version,
            now=self.now(),
            requeue_reasons=manifest.params.requeue,
            carry_over=manifest.params.is_unrestricted,
            reprocess=manifest.params.reprocess,
            of_lines=manifest.spec.source_lines is not None,
        )
        with closing(pq.ParquetFile(spooled.documents)) as file:
            result = record_listing(session, listing, _reader(file, LISTED))
        recorded = ListingManifest(
            slices=tuple(self._write_slices(manifest, result)),
            listed_count=result.taken_count + result.unchanged_count,
            unchanged_count=result.unchanged_count,
            marks_keys=marks_keys,
        )
        # By the pattern of today: what keys say is no part of what the run asks.
        record_keys(session, self.spec.name, self.spec.key_pattern)
        files = RunFiles(manifest.spec.name, manifest.run_key)
        self.store.write(files.listing_key, recorded.model_dump_json(indent=1).encode())
        logger.info(
            "listed spec=%s run=%s listed=%d unchanged=%d slices=%d",
            manifest.spec.name,
            manifest.run_key,
            recorded.listed_count,
            recorded.unchanged_count,
            len(recorded.slices),
        )
        return recorded

    def _earlier_marks_keys(self, manifest: RunManifest) -> tuple[str, ...]:
        """Return what earlier attempts of the run have marked: this one does not mark it again."""
        stored = self.store.read(RunFiles(manifest.spec.name, manifest.run_key).listing_key)
        return ListingManifest.model_validate_json(stored.data).marks_keys if stored else ()

    def _mark_deleted(
        self, session: "Session", manifest: RunManifest, spooled: SpooledListing
    ) -> tuple[str, ...]:
        """Mark what is gone below the prefixes, all of which was listed; keep what was marked."""
        spec = manifest.spec.name
        prefixes = [(spooled.request.bucket, one) for one in spooled.request.prefixes]
        with closing(pq.ParquetFile(spooled.existing)) as file:
            existing = _reader(file, LISTED_URIS)
            if manifest.spec.source_lines is None:
                changed_count = mark_deleted(
                    session,
                    spec=spec,
                    prefixes=prefixes,
                    listed_uris=existing,
                    listed_at=spooled.began_at,
                )
            else:
                changed_count = mark_lines_deleted(
                    session,
                    spec=spec,
                    prefixes=prefixes,
                    seen=self._lines_seen(manifest, spooled, existing),
                    listed_at=spooled.began_at,
                )
        if not changed_count:
            return ()
        path = self.work_dir / "marks.parquet"
        with pq.ParquetWriter(path, MARKS) as writer:
            for batch in read_marks(session, spec=spec, listed_at=spooled.began_at):
                writer.write_batch(batch.cast(MARKS))
        key = RunFiles(spec, manifest.run_key).key(f"listing/marks-{secrets.token_hex(4)}.parquet")
        self.store.upload(path, key)
        return (key,)

    def _lines_seen(
        self, manifest: RunManifest, spooled: SpooledListing, existing: pa.RecordBatchReader
    ) -> LinesSeen:
        """Return what tells which lines are gone: only a night reads objects as they are now."""
        whole = WHOLE_OBJECTS.empty_table().to_reader()
        if manifest.run_type == "scheduled":
            path = whole_objects(spooled.documents, self.work_dir / "whole.parquet")
            whole = _reader(pq.ParquetFile(path), WHOLE_OBJECTS)
        listed = _reader(pq.ParquetFile(spooled.documents), LISTED)
        return LinesSeen(listed=listed, existing=existing, whole_objects=whole)

    def _write_slices(self, manifest: RunManifest, result: ListingResult) -> Iterator[SlicePart]:
        tables = _tables(result.documents)
        if manifest.spec.source_lines is not None:
            tables = self._taken_lines(manifest.spec.source_lines, tables)
        return write_slices(
            tables,
            self.store,
            RunFiles(manifest.spec.name, manifest.run_key),
            size=max(self.settings.max_documents_per_slice, -(-result.taken_count // MAX_SLICES)),
            work_dir=self.work_dir,
        )

    def _taken_lines(self, lines: "Lines", taken: Iterator[pa.Table]) -> Iterator[pa.Table]:
        path = self.work_dir / "taken.parquet"
        with pq.ParquetWriter(path, LISTED) as writer:
            for table in taken:
                writer.write_table(table.select(LISTED.names).cast(LISTED))
        return taken_lines(self._line_spool(lines), path)


def listing_request(manifest: RunManifest, settings: "Settings") -> ListingRequest:
    """Return which objects a run is about."""
    spec = manifest.spec
    start, end = manifest.window_start_at, manifest.window_end_at
    is_dated = spec.source_by == "date_prefix"
    prefixes = date_prefixes(spec.source_prefix, start, end) if is_dated else [spec.source_prefix]
    return ListingRequest(
        bucket=spec.source_bucket or settings.documents_bucket,
        prefixes=[prefix + (manifest.params.prefix or "") for prefix in prefixes],
        suffixes=spec.source_suffixes,
        window_start_at=None if is_dated else start,
        window_end_at=None if is_dated else end,
    )


def _reader(file: pq.ParquetFile, shape: pa.Schema) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(
        shape, file.iter_batches(ROWS_PER_BATCH, columns=shape.names)
    )


def _limited(objects: Iterable[ExistingObject], limit: int | None) -> Iterator[ExistingObject]:
    """Yield objects until `limit` of them are documents."""
    left = limit
    for one in objects:
        yield one
        if left is not None and one.document:
            left -= 1
            if not left:
                return


def _batched(objects: Iterable[ExistingObject], size: int) -> Iterator[list[ExistingObject]]:
    iterator = iter(objects)
    while batch := list(islice(iterator, size)):
        yield batch


def _tables(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    return (pa.Table.from_batches([batch]) for batch in reader)
