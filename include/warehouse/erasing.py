"""What the warehouse knows of documents that are to be erased, and its part of erasing them."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from include.erasures import AskedRequest
from include.warehouse.duckdb_warehouse import DuckDBWarehouse
from include.warehouse.listings import ABANDONED_AFTER
from include.warehouse.session import Session, Warehouse
from include.warehouse.spec_tables import define_spec_enrichments, delete_enrichments
from include.warehouse.staging import ASKED, ERASED, stage_rows

DUCKDB_REWRITTEN = "the DuckDB file was written anew, without what was deleted"
POSTGRES_ADVICE = (
    "PostgreSQL keeps deleted rows in its files until they are vacuumed: run VACUUM on the tables "
    "of schema nightshift, and mind the log and the backups of the server"
)


@dataclass(frozen=True, slots=True)
class DocumentRun:
    """How one run left one document."""

    run_key: str
    document_id: str
    state: str
    state_reason: str | None
    is_busy: bool
    """The run may still ask about it, or load what was answered."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What of an erased document others still need."""

    kept: Mapping[str, str]
    """Requests that stay, each with a document that uses its answer."""
    forgotten: frozenset[str]
    """Requests that go."""
    unused_count: int
    """Answers that go."""
    shard_ids: tuple[str, ...]
    """Shards in which any of the requests was answered."""


def read_document_versions(session: Session, document_uri: str) -> dict[str, list[str]]:
    """Return the versions of an object that each spec knows, by spec."""
    versions: dict[str, list[str]] = {}
    rows = session.read("read_document_versions", document_uri=document_uri).read_all()
    for row in rows.to_pylist():
        versions.setdefault(row["spec"], []).append(row["document_id"])
    return versions


def read_document_runs(
    session: Session, *, spec: str, document_ids: Iterable[str], now: dt.datetime
) -> list[DocumentRun]:
    """Return every run that worked on documents, and how it left them."""
    _stage_erased(session, document_ids)
    rows = session.read("read_document_runs", spec=spec, abandoned_before=now - ABANDONED_AFTER)
    return [DocumentRun(**row) for row in rows.read_all().to_pylist()]


def read_erased_sharers(
    session: Session, *, spec: str, document_ids: Iterable[str], asked: Iterable[AskedRequest]
) -> list[str]:
    """Return the addresses of erased documents of which something stayed for these ones' sake."""
    _stage(session, document_ids, asked)
    table = session.read("read_erased_sharers", spec=spec).read_all()
    return [row["document_uri"] for row in table.to_pylist()]


def read_usage(
    session: Session, *, spec: str, document_ids: Iterable[str], asked: Iterable[AskedRequest]
) -> Usage:
    """Return what of these documents goes, and what stays because others use it."""
    _stage(session, document_ids, asked)
    define_spec_enrichments(session, spec)
    for name in ("other_documents", "kept_requests", "forgotten", "unused_enrichments"):
        session.derive(name, spec=spec)
    kept = session.read("read_kept_requests").read_all().to_pylist()
    forgotten = session.read("read_forgotten").read_all()["request_id"].to_pylist()
    unused = session.read("count_unused_enrichments").read_all()["row_count"][0].as_py()
    shards = session.read("read_forgotten_shards", spec=spec).read_all()["shard_id"].to_pylist()
    return Usage(
        kept={row["request_id"]: row["document_uri"] for row in kept},
        forgotten=frozenset(forgotten),
        unused_count=int(unused),
        shard_ids=tuple(shards),
    )


def erase_rows(session: Session, *, spec: str, erased_at: dt.datetime, now: dt.datetime) -> None:
    """Erase what `read_usage` found in this session; costs and identities stay."""
    delete_enrichments(session, spec)
    session.run("delete_part_answers", spec=spec)
    session.run("delete_document_enrichments", spec=spec)
    session.run("update_results_erased", spec=spec)
    session.run("update_dead_letters_erased", spec=spec, now=now)
    session.run("update_documents_erased", spec=spec, erased_at=erased_at, now=now)


def mark_erased(
    session: Session,
    *,
    spec: str,
    document_ids: Iterable[str],
    erased_at: dt.datetime,
    now: dt.datetime,
) -> None:
    """Mark documents as erased in a warehouse that was loaded again."""
    _stage_erased(session, document_ids)
    session.run("update_documents_erased", spec=spec, erased_at=erased_at, now=now)


def scrub_files(warehouse: Warehouse) -> str:
    """Get deleted rows out of the database's files, where that can be done; say what was done."""
    if isinstance(warehouse, DuckDBWarehouse):
        warehouse.rewrite_file()
        return DUCKDB_REWRITTEN
    return POSTGRES_ADVICE


def _stage(session: Session, document_ids: Iterable[str], asked: Iterable[AskedRequest]) -> None:
    _stage_erased(session, document_ids)
    rows = pa.Table.from_pylist([one.model_dump() for one in asked], schema=ASKED)
    stage_rows(session, "asked", rows.to_reader(), ASKED)


def _stage_erased(session: Session, document_ids: Iterable[str]) -> None:
    rows = pa.Table.from_pydict({"document_id": list(document_ids)}, schema=ERASED)
    stage_rows(session, "erased", rows.to_reader(), ERASED)
