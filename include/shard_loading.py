"""Loading shards: what every load shares, and the load of shards that no run waits for."""

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from include.ledger import Entry
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
    for number, entry in enumerate(entries):
        if entry.output is None:
            continue
        for kind, key, paths in (
            ("enrichments", entry.output.enrichments_key, parts.enrichments),
            ("failures", entry.output.failures_key, parts.failures),
        ):
            path = work_dir / f"{kind}-{number}.parquet"
            paths.append(str(store.download(key, path)))
    return parts


def batch_rows(entries: Iterable[Entry]) -> pa.RecordBatchReader:
    """Return the rows of `batches` of the shards that have one."""
    rows = [
        {
            "batch_id": entry.batch_id,
            "shard_id": entry.shard_id,
            "run_key": entry.run_key,
            "round": entry.round,
            "state": "loaded" if entry.output else entry.state,
            "request_count": entry.request_count,
            "body_bytes": entry.body_bytes,
            "is_adopted": entry.is_adopted,
            "created_at": entry.batch_created_at,
            "expires_at": entry.batch_expires_at,
            "ended_at": entry.batch_ended_at,
            "collected_at": entry.output.collected_at if entry.output else None,
        }
        for entry in entries
        if entry.batch_id is not None
    ]
    return pa.Table.from_pylist(rows, schema=BATCHES).to_reader()


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


def load_shard(
    entry: Entry,
    *,
    store: "ObjectStore",
    warehouse: "Warehouse",
    work_dir: Path,
    now: Callable[[], dt.datetime],
) -> LoadSummary:
    """Load the answers and costs of one collected shard; the states of documents stay.

    A document that waits for one of these answers finds it at its next night.
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
                    failures=inputs.failures(),
                    batches=batch_rows([entry]),
                ),
            )
