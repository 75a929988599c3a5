"""What a run has listed: which documents it takes up, and which are gone."""

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from include.warehouse.session import Session, Value, check
from include.warehouse.staging import (
    LISTED,
    LISTED_URIS,
    MARKS,
    WHOLE_OBJECTS,
    stage_rows,
    stage_texts,
)

logger = logging.getLogger(__name__)

ABANDONED_AFTER = dt.timedelta(hours=26)
"""A run that has not touched its pending documents for so long is over: batches end in 24 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """For which run, and how, a listing is recorded."""

    spec: str
    run_key: str
    prompt_version: str
    now: dt.datetime
    requeue_reasons: tuple[str, ...] = ()
    """Dead letters and skipped documents with one of these reasons are taken up again, wherever
    they lie."""
    carry_over: bool = True
    """Take up what runs that are over have left pending, wherever it lies."""
    reprocess: bool = False
    """Take up what was listed and settled, but not under `prompt_version`."""
    of_lines: bool = False
    """The documents are lines of objects."""


@dataclass(frozen=True, slots=True)
class ListingResult:
    """What a run is to work on: `taken_count` = listed - unchanged + carried over."""

    listed_count: int
    taken_count: int
    unchanged_count: int
    """Versions that an earlier run had settled."""
    carried_over_count: int
    """Documents taken up although they were not listed: left pending, or requeued."""
    documents: pa.RecordBatchReader
    """The documents taken up, by `document_id`: columns as listed. Read it within the session,
    before anything else."""


def record_listing(
    session: Session, listing: Listing, listed: pa.RecordBatchReader
) -> ListingResult:
    """Merge a listing into `documents` and return what the run is to work on.

    A run takes up versions never seen, versions still pending, and what the listing names; beyond
    what was listed, it takes up pending documents of runs that are over. Called again, it returns
    the same documents and changes no row.

    Args:
        listed: The columns of `staging.LISTED`.
    """
    values: dict[str, Value] = {
        "spec": listing.spec,
        "run_key": listing.run_key,
        "prompt_version": listing.prompt_version,
        "now": listing.now,
        "reprocess": listing.reprocess,
        "carry_over": listing.carry_over,
        "abandoned_before": listing.now - ABANDONED_AFTER,
    }
    stage_rows(session, "listed", listed, LISTED)
    stage_texts(session, "requeue_reasons", reason=listing.requeue_reasons)
    session.derive("listed_uris")
    session.run("insert_documents", **values)
    if listing.of_lines:
        session.run("update_lines_found", **values)
        session.run("update_lines_seen_again", **values)
    else:
        session.run("update_documents_found", **values)
    session.run("update_documents_current", **values)
    session.derive("requeued", **values)
    session.run("update_documents_requeued", **values)
    session.run("update_dead_letters_requeued", **values)
    session.derive("taken", **values)
    session.run("update_documents_taken", **values)
    session.run("insert_document_states", **values)
    check(session, "check_one_current_version", **values)
    counts = session.read("read_listing_counts", **values).read_all().to_pylist()[0]
    logger.info("recorded listing spec=%s run_key=%s %s", listing.spec, listing.run_key, counts)
    return ListingResult(**counts, documents=session.read("read_taken_documents", **values))


def mark_deleted(
    session: Session,
    *,
    spec: str,
    prefixes: Iterable[tuple[str, str]],
    listed_uris: pa.RecordBatchReader,
    listed_at: dt.datetime,
) -> int:
    """Mark the documents below `prefixes` that are gone and return how many rows have changed.

    Call it only after a listing that was complete. What is there again is no longer marked.

    Args:
        prefixes: Bucket and key prefix of each place that was listed.
        listed_uris: `document_uri` of everything seen there, in the window or not.
        listed_at: When the listing began; what was first seen since, by another run, is left alone.
    """
    places = list(prefixes)
    stage_rows(session, "listed_uris", listed_uris, LISTED_URIS)
    stage_texts(
        session,
        "listed_prefixes",
        bucket=[bucket for bucket, _ in places],
        prefix=[prefix for _, prefix in places],
    )
    found = session.run("update_documents_found", spec=spec, now=listed_at)
    deleted = session.run("update_documents_deleted", spec=spec, now=listed_at)
    logger.info("marked spec=%s deleted=%d found=%d", spec, deleted, found)
    return deleted + found


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesSeen:
    """What a complete listing has seen of objects whose lines are documents."""

    listed: pa.RecordBatchReader
    """The lines of the window: `staging.LISTED`."""
    existing: pa.RecordBatchReader
    """Everything that exists below the prefixes: `staging.LISTED_URIS`."""
    whole_objects: pa.RecordBatchReader
    """Objects of the window that no longer have what else was in them: `staging.WHOLE_OBJECTS`."""


def mark_lines_deleted(
    session: Session,
    *,
    spec: str,
    prefixes: Iterable[tuple[str, str]],
    seen: LinesSeen,
    listed_at: dt.datetime,
) -> int:
    """Mark the lines that are gone, alone or with their objects, as `mark_deleted` does."""
    places = list(prefixes)
    stage_rows(session, "listed", seen.listed, LISTED)
    session.derive("listed_uris")
    stage_rows(session, "existing_objects", seen.existing, LISTED_URIS)
    stage_rows(session, "whole_objects", seen.whole_objects, WHOLE_OBJECTS)
    stage_texts(
        session,
        "listed_prefixes",
        bucket=[bucket for bucket, _ in places],
        prefix=[prefix for _, prefix in places],
    )
    statements = ("update_lines_found", "update_lines_gone", "update_lines_deleted")
    changed = sum(session.run(one, spec=spec, now=listed_at) for one in statements)
    logger.info("marked lines spec=%s changed=%d", spec, changed)
    return changed


def read_marks(session: Session, *, spec: str, listed_at: dt.datetime) -> pa.RecordBatchReader:
    """Return what `mark_deleted` has changed, before anything else does: `staging.MARKS`."""
    return session.read("read_deletion_marks", spec=spec, now=listed_at)


def restore_marks(
    session: Session, *, spec: str, marks: pa.RecordBatchReader, now: dt.datetime
) -> None:
    """Mark again what an earlier listing had marked, and clear what it had found again."""
    stage_rows(session, "marks", marks, MARKS)
    session.run("update_documents_marked", spec=spec, now=now)
