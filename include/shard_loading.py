"""Loading shards: what every load shares, and the load of shards that no run waits for."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.entries import Entry, Output
from include.load_inputs import LoadInputs, ShardParts
from include.scratch import open_scratch
from include.shards import ShardFiles, read_schema
from include.warehouse.loading import LoadSummary, NightLoad, load
from include.warehouse.staging import BATCHES, DOCUMENTS
from include.warehouse.tables import ensure_tables

if TYPE_CHECKING:
    from include.ledger import Ledger
    from include.storage import ObjectStore
    from include.warehouse.session import Warehouse


def download_parts(store: "ObjectStore", entries: Iterable[Entry], work_dir: Path) -> ShardParts:
    """Bring the files of collected shards to disk."""
    parts = ShardParts()
    keys = [
        (key, paths)
        for entry in entries
        for output, failures in _outputs(entry, parts)
        for key, paths in (
            (output.enrichments_key, parts.enrichments),
            (output.failures_key, failures),
        )
    ]
    for number, (key, paths) in enumerate(keys):
        paths.append(str(store.download(key, work_dir / f"part-{number}.parquet")))
    return parts


def _outputs(entry: Entry, parts: ShardParts) -> Iterator[tuple[Output, list[str]]]:
    """Yield what was collected for a shard, and where its failures belong."""
    if entry.output is not None:
        yield entry.output, parts.failures
    for surplus in entry.surplus_batches.values():
        yield surplus.output, parts.surplus_failures


def batch_rows(entries: Iterable[Entry]) -> pa.RecordBatchReader:
    """Return the rows of `batches` of the shards that have one, surplus batches included."""
    rows = [row for entry in entries for row in _rows_of(entry)]
    return pa.Table.from_pylist(rows, schema=BATCHES).to_reader()


def _rows_of(entry: Entry) -> Iterator[dict[str, Any]]:
    shared = {
        "shard_id": entry.shard_id,
        "run_key": entry.run_key,
        "round": entry.round,
        "request_count": entry.request_count,
        "body_bytes": entry.body_bytes,
    }
    if entry.batch_id is not None:
        yield shared | {
            "batch_id": entry.batch_id,
            "state": "loaded" if entry.output else entry.state,
            "is_adopted": entry.is_adopted,
            "created_at": entry.batch_created_at,
            "expires_at": entry.batch_expires_at,
            "ended_at": entry.batch_ended_at,
            **(_collected(entry.output) if entry.output else {}),
        }
    for batch_id, surplus in entry.surplus_batches.items():
        yield shared | {
            "batch_id": batch_id,
            "state": "surplus",
            "is_adopted": False,
            "created_at": surplus.created_at,
            "expires_at": surplus.expires_at,
            "ended_at": surplus.ended_at,
            **_collected(surplus.output),
        }


def _collected(output: Output) -> dict[str, Any]:
    return {
        "collected_at": output.collected_at,
        "answer_count": output.enrichment_count,
        "failure_count": output.failure_count,
    }


def close_loaded(
    ledger: "Ledger", entries: Iterable[Entry], *, by: str, now: Callable[[], dt.datetime]
) -> None:
    """Let the ledger know what the warehouse has; a crash before this repeats a merge."""

    def step(entry: Entry) -> Entry | None:
        if entry.state != "collected":
            return None
        return entry.moved(state="loaded", by=by, at=now())

    for entry in entries:
        if entry.state == "collected":
            ledger.change(entry.shard_id, step)
        if entry.output is not None:
            ledger.close(entry.shard_id)


def lags_of(entries: Iterable[Entry], *, now: dt.datetime) -> tuple[dt.timedelta, ...]:
    """Return how long ago the batches ended that are loaded for the first time.

    Args:
        entries: The shards as they were before the load.
        now: When it was done.
    """
    return tuple(
        now - entry.batch_ended_at
        for entry in entries
        if entry.state == "collected" and entry.batch_ended_at is not None
    )


def load_shard(
    entry: Entry,
    *,
    store: "ObjectStore",
    warehouse: "Warehouse",
    work_dir: Path,
    now: Callable[[], dt.datetime],
) -> LoadSummary:
    """Load the answers and costs of one collected shard; the states of documents stay.

    A document that waits for one of these answers, or for those about its parts, finds it at its
    next night.
    """
    kept, schema = read_schema(store, ShardFiles(entry.spec, entry.shard_id))
    parts = download_parts(store, [entry], work_dir)
    with closing(open_scratch(work_dir)) as database:
        inputs = LoadInputs(database, parts, is_last=False)
        with warehouse.session() as session:
            ensure_tables(session, entry.spec, schema)
            return load(
                session,
                NightLoad(
                    spec=entry.spec,
                    run_key=entry.run_key,
                    prompt_version=kept.prompt_version,
                    schema=schema,
                    now=now(),
                    documents=pa.RecordBatchReader.from_batches(DOCUMENTS, iter(())),
                    results=inputs.results(),
                    enrichments=inputs.enrichments(schema),
                    part_answers=inputs.part_answers(),
                    failures=inputs.failures(),
                    batches=batch_rows([entry]),
                ),
            )
