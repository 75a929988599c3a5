"""One large night: what a million documents cost the process that loads them."""

import json
import resource
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa

from include.warehouse.listings import Listing, record_listing
from include.warehouse.loading import NightLoad, PromptVersion, load
from include.warehouse.staging import BATCHES, DOCUMENTS, LISTED, RESULTS, enrichments_schema
from tests.integration.databases import Database
from tests.integration.warehouse.nights import MONDAY, PROMPT, SCHEMA, SPEC

ROWS_PER_BATCH = 10_000
REQUESTS_PER_BATCH = 20_000
RUN = {"spec": SPEC, "run_key": "run-1", "prompt_version": PROMPT, "now": MONDAY}


def main(place: str, row_count: int) -> str:
    """List and load a night; return seconds by step, and peak memory, as JSON."""
    warehouse = Database.at(place).open()
    started = time.monotonic()
    with warehouse.session() as session:
        listed = record_listing(session, Listing(**RUN), rows(row_count, LISTED, _listed))
        taken = sum(batch.num_rows for batch in listed.documents)
    listed_at = time.monotonic()
    with warehouse.session() as session:
        summary = load(session, _night(row_count))
    told = {
        "taken": taken,
        "enriched": summary.enrichment_count,
        "listing_seconds": round(listed_at - started, 1),
        "loading_seconds": round(time.monotonic() - listed_at, 1),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    return json.dumps(told)


def rows(
    count: int, schema: pa.Schema, make: Callable[[int], dict[str, Any]]
) -> pa.RecordBatchReader:
    """Return rows that are made as they are asked for."""

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, count, ROWS_PER_BATCH):
            numbers = range(start, min(start + ROWS_PER_BATCH, count))
            yield pa.RecordBatch.from_pylist([make(number) for number in numbers], schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _night(count: int) -> NightLoad:
    return NightLoad(
        **RUN,
        schema=SCHEMA,
        documents=rows(count, DOCUMENTS, _document),
        results=rows(count, RESULTS, _result),
        enrichments=rows(count, enrichments_schema(SCHEMA), _answer),
        batches=rows(-(-count // REQUESTS_PER_BATCH), BATCHES, _batch(count)),
        prompt=PromptVersion(
            model="claude", prompt_text="Read.", output_schema="{}", asked_at=MONDAY
        ),
    )


def _listed(number: int) -> dict[str, Any]:
    return {
        "document_id": f"{number:032}",
        "document_uri": f"s3://inbox/documents/{number:032}.txt",
        "bucket": "inbox",
        "object_key": f"documents/{number:032}.txt",
        "object_version": "v:1",
        "size_bytes": 5_000,
        "last_modified_at": MONDAY,
        "storage_class": "STANDARD",
    }


def _batch(count: int) -> Callable[[int], dict[str, Any]]:
    def make(number: int) -> dict[str, Any]:
        return {
            "batch_id": f"batch-{number}",
            "shard_id": f"shard-{number}",
            "run_key": "run-1",
            "round": 0,
            "state": "loaded",
            "request_count": min(REQUESTS_PER_BATCH, count - number * REQUESTS_PER_BATCH),
            "body_bytes": 1,
            "is_adopted": False,
            "created_at": MONDAY,
            "expires_at": MONDAY,
        }

    return make


def _document(number: int) -> dict[str, Any]:
    return {
        "document_id": f"{number:032}",
        "content_sha256": f"{number:064}",
        "media_type": "text/plain",
        "extraction_outcome": "text",
        "characters": 5_000,
        "enrichment_id": f"r{number:040}",
    }


def _result(number: int) -> dict[str, Any]:
    return {
        "batch_id": f"batch-{number // REQUESTS_PER_BATCH}",
        "request_id": f"r{number:040}",
        "enrichment_id": f"r{number:040}",
        "document_id": f"{number:032}",
        "run_key": "run-1",
        "attempt": 1,
        "outcome": "succeeded",
        "model": "claude",
        "input_tokens": 2_000,
        "output_tokens": 160,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "cost_usd": Decimal("0.00014"),
        "list_cost_usd": Decimal("0.00028"),
    }


def _answer(number: int) -> dict[str, Any]:
    return {
        "enrichment_id": f"r{number:040}",
        "prompt_version": PROMPT,
        "answer_model": "claude",
        "is_simulated": True,
        "topic": f"What document {number} is about, in a few words",
        "tags": ["first", "second", "third"],
        "terms": [{"title": "fee", "amount": Decimal(number)}],
        "due": MONDAY.date(),
    }
