"""Bring what is to be loaded into the shape of its staging table, batch by batch."""

import datetime as dt
from collections.abc import Iterable
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from include.answer_columns import arrow_schema
from include.answers import AnswerSchema, ListTable
from include.warehouse.session import Session

_MONEY = pa.decimal128(18, 9)
_TIME = pa.timestamp("us", tz="UTC")

LISTED = pa.schema(
    {
        "document_id": pa.string(),
        "document_uri": pa.string(),
        "bucket": pa.string(),
        "object_key": pa.string(),
        "object_version": pa.string(),
        "size_bytes": pa.int64(),
        "last_modified_at": _TIME,
        "storage_class": pa.string(),
    }
)
WHOLE_OBJECTS = pa.schema(
    {"bucket": pa.string(), "object_key": pa.string(), "last_modified_at": _TIME}
)
LISTED_URIS = pa.schema({"document_uri": pa.string()})
MARKS = pa.schema({"document_id": pa.string(), "deleted_at": _TIME})
NEEDED = pa.schema(
    {"request_id": pa.string(), "document_id": pa.string(), "enrichment_id": pa.string()}
)
DOCUMENTS = pa.schema(
    {
        "document_id": pa.string(),
        "content_sha256": pa.string(),
        "media_type": pa.string(),
        "extraction_outcome": pa.string(),
        "characters": pa.int64(),
        "pages": pa.int64(),
        "enrichment_id": pa.string(),
        "part_count": pa.int64(),
        "left_out_characters": pa.int64(),
        "fixed_state": pa.string(),
        "fixed_reason": pa.string(),
    }
)
PARTS = pa.schema(
    {
        "enrichment_id": pa.string(),
        "part_number": pa.int64(),
        "part_count": pa.int64(),
        "request_id": pa.string(),
    }
)
ERASED = pa.schema({"document_id": pa.string()})
ASKED = pa.schema(
    {"request_id": pa.string(), "enrichment_id": pa.string(), "content_sha256": pa.string()}
)
PART_ANSWERS = pa.schema(
    {
        "request_id": pa.string(),
        "prompt_version": pa.string(),
        "answer": pa.string(),
        "answer_model": pa.string(),
        "is_simulated": pa.bool_(),
    }
)
RESULTS = pa.schema(
    {
        "batch_id": pa.string(),
        "request_id": pa.string(),
        "enrichment_id": pa.string(),
        "part_number": pa.int64(),
        "part_count": pa.int64(),
        "document_id": pa.string(),
        "run_key": pa.string(),
        "attempt": pa.int64(),
        "outcome": pa.string(),
        "stop_reason": pa.string(),
        "error_type": pa.string(),
        "error_message": pa.string(),
        "model": pa.string(),
        "input_tokens": pa.int64(),
        "output_tokens": pa.int64(),
        "cache_read_tokens": pa.int64(),
        "cache_write_tokens": pa.int64(),
        "thinking_tokens": pa.int64(),
        "prompt_characters": pa.int64(),
        "picture_tokens": pa.int64(),
        "token_class": pa.string(),
        "cost_usd": _MONEY,
        "list_cost_usd": _MONEY,
    }
)
FAILURES = pa.schema(
    {
        "request_id": pa.string(),
        "reason": pa.string(),
        "error_type": pa.string(),
        "error_message": pa.string(),
        "attempts": pa.int64(),
        "last_batch_id": pa.string(),
        "is_final": pa.bool_(),
    }
)
BATCHES = pa.schema(
    {
        "batch_id": pa.string(),
        "shard_id": pa.string(),
        "run_key": pa.string(),
        "round": pa.int64(),
        "state": pa.string(),
        "request_count": pa.int64(),
        "body_bytes": pa.int64(),
        "is_adopted": pa.bool_(),
        "created_at": _TIME,
        "expires_at": _TIME,
        "ended_at": _TIME,
        "collected_at": _TIME,
        "answer_count": pa.int64(),
        "failure_count": pa.int64(),
    }
)
_ANSWER = (
    pa.field("enrichment_id", pa.string()),
    pa.field("prompt_version", pa.string()),
    pa.field("answer_model", pa.string()),
    pa.field("is_simulated", pa.bool_()),
)


def enrichments_schema(schema: AnswerSchema) -> pa.Schema:
    """Return the columns of the enrichments of a spec, as `NightLoad` takes them."""
    return pa.schema([*_ANSWER, *arrow_schema(schema)])


def stage_rows(
    session: Session, name: str, rows: pa.RecordBatchReader | None, schema: pa.Schema
) -> None:
    """Stage the columns of `schema`; other columns are left out, no reader means no rows.

    Raises:
        KeyError: A column is missing.
    """
    batches = iter(()) if rows is None else (_conformed(batch, schema) for batch in rows)
    session.stage(name, pa.RecordBatchReader.from_batches(schema, batches))


def stage_texts(session: Session, name: str, **columns: Iterable[str]) -> None:
    """Stage a few rows of texts."""
    arrays = {column: pa.array(list(texts), pa.string()) for column, texts in columns.items()}
    session.stage(name, pa.table(arrays).to_reader())


def stage_enrichments(
    session: Session, rows: Iterable[pa.RecordBatch], schema: AnswerSchema, now: dt.datetime
) -> None:
    """Stage answers, and beside them the items of their lists of objects.

    Each row and its items carry one number, so that of two answers to one request no items mix.
    """
    wanted = enrichments_schema(schema)
    batches = (_conformed(batch, wanted) for batch in rows)
    first_row = 0
    for index, batch in enumerate(chain([_no_rows(wanted)], batches)):
        numbers = pa.array(range(first_row, first_row + batch.num_rows), pa.int64())
        parts = {"enrichments": _answers(batch, numbers, schema, now)}
        for position, table in enumerate(schema.list_tables):
            parts[f"list_{position}"] = _items(batch, numbers, table)
        for name, part in parts.items():
            reader = pa.RecordBatchReader.from_batches(part.schema, [part])
            session.stage(name, reader, append=index > 0)
        first_row += batch.num_rows


def _conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = batch.select(schema.names).cast(schema).columns
    return pa.RecordBatch.from_arrays([_without_nul(column) for column in columns], schema=schema)


def _without_nul(column: pa.Array) -> pa.Array:
    """Replace the one character that PostgreSQL's `text` does not hold; answers have none."""
    if not pa.types.is_string(column.type):
        return column
    return pc.replace_substring(column, pattern="\x00", replacement="\N{REPLACEMENT CHARACTER}")


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


def _answers(
    batch: pa.RecordBatch, numbers: pa.Array, schema: AnswerSchema, now: dt.datetime
) -> pa.RecordBatch:
    names = [*(field.name for field in _ANSWER), *(column.name for column in schema.columns)]
    loaded_at = pa.repeat(pa.scalar(now, _TIME), batch.num_rows)
    return (
        batch.select(names)
        .append_column("loaded_at", loaded_at)
        .append_column("row_number", numbers)
    )


def _items(batch: pa.RecordBatch, numbers: pa.Array, table: ListTable) -> pa.RecordBatch:
    """Return one row for each item, with its place in its list from 1."""
    lists = batch.column(table.name)
    parents = pc.list_parent_indices(lists)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())
    starts = pc.subtract(pc.cumulative_sum(lengths), lengths)
    places = pc.subtract(pa.array(range(len(parents)), pa.int64()), starts.take(parents))
    items = pc.list_flatten(lists)
    columns = {
        "row_number": numbers.take(parents),
        "enrichment_id": batch.column("enrichment_id").take(parents),
        "ordinal": pc.add(places, 1),
    }
    fields = zip((column.name for column in table.columns), items.flatten(), strict=True)
    return pa.RecordBatch.from_pydict(columns | dict(fields))
