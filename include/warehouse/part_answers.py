"""Answers about the parts of long documents, and the one answer that is made of them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa

from include.merging import PartMerger
from include.warehouse.session import Session
from include.warehouse.staging import FAILURES, enrichments_schema

DOCUMENTS_PER_PAGE = 200
"""Documents whose parts are in memory at a time."""


def merged_answers(session: Session, merger: PartMerger, *, spec: str) -> Iterator[pa.RecordBatch]:
    """Yield one answer for each staged document of which every part is answered, and none is made.

    A document whose merged answer does not fit the schema is staged as a failure: it becomes a dead
    letter, and its parts stay what they are.
    """
    session.derive("answered_documents", spec=spec)
    shape = enrichments_schema(merger.schema)
    after = 0
    while True:
        until = after + DOCUMENTS_PER_PAGE
        reader = session.read("read_part_answers", spec=spec, after=after, until=until)
        page = reader.read_all()
        if not page.num_rows:
            return
        made, failed = _merge_page(merger, page)
        failures = pa.RecordBatch.from_pylist(failed, schema=FAILURES)
        session.stage(
            "failures", pa.RecordBatchReader.from_batches(FAILURES, [failures]), append=True
        )
        yield pa.RecordBatch.from_pylist(made, schema=shape)
        after = until


def _merge_page(
    merger: PartMerger, page: pa.Table
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of what could be merged, and of what could not."""
    parts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in page.to_pylist():
        parts[row["enrichment_id"]].append(row)
    made, failed = [], []
    for enrichment_id, rows in parts.items():
        try:
            answer = merger.merge([row["answer"] for row in rows])
        except msgspec.ValidationError as error:
            failed.append(_failure(enrichment_id, str(error)))
        else:
            made.append(_described(enrichment_id, rows) | merger.schema.row(answer))
    return made, failed


def _described(enrichment_id: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    models = dict.fromkeys(row["answer_model"] for row in rows)
    return {
        "enrichment_id": enrichment_id,
        "prompt_version": rows[0]["prompt_version"],
        "answer_model": " + ".join(models),
        "is_simulated": any(row["is_simulated"] for row in rows),
    }


def _failure(enrichment_id: str, complaint: str) -> dict[str, Any]:
    return {
        "request_id": enrichment_id,
        "reason": "invalid_output",
        "error_type": "merge",
        "error_message": f"the answers about its parts cannot be merged: {complaint}",
        "attempts": 1,
        "is_final": True,
    }
