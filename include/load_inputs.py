"""Streams for the warehouse: the files of a run and its shards, joined on disk."""

from collections.abc import Iterator
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.answers import AnswerSchema
from include.warehouse.staging import (
    DOCUMENTS,
    FAILURES,
    PART_ANSWERS,
    PARTS,
    RESULTS,
    enrichments_schema,
)

LAST_ATTEMPT = 4
"""The night's own submission and three retry rounds."""

PendingReason = Literal["in_flight", "spend_rejected", "account"]

_DOCUMENTS = """
select
    i.document_id, i.content_sha256, i.media_type, i.extraction_outcome, i.characters,
    cast(i.pages as bigint) as pages, i.enrichment_id, i.part_count, i.left_out_characters,
    coalesce(i.fixed_state, case when w.reason is not null then 'pending' end) as fixed_state,
    coalesce(i.fixed_reason, w.reason) as fixed_reason
from read_parquet($indexes) as i
left join (
    select j.enrichment_id, arg_max(reason, weight) as reason
    from waiting join read_parquet($indexes) as j on j.request_id = waiting.request_id
    group by j.enrichment_id
) as w on w.enrichment_id = i.enrichment_id
where coalesce(i.part_number, 1) = 1
"""
"""Each document once: of one that was split, the row of its first part."""
_PARTS = """
select distinct enrichment_id, part_number, part_count, request_id
from read_parquet($indexes)
where part_number is not null and request_id is not null
"""
_UNBUILT = """
select
    document_id, null as content_sha256, null as media_type, null as extraction_outcome,
    null as characters, null as pages, null as enrichment_id, null as part_count,
    null as left_out_characters, 'pending' as fixed_state, 'not_built' as fixed_reason
from read_parquet($slices)
"""
_WAITING_FAILED = """
insert into waiting
select
    request_id,
    case
        when followup = 'stop' then 'account'
        when not $is_last then 'in_flight'
        when attempt >= $last_attempt then 'unanswered'
        else 'retry_window'
    end,
    case followup when 'stop' then 2 else 0 end
from read_parquet($failures)
where followup <> 'dead_letter'
qualify row_number() over (partition by request_id order by attempt desc) = 1
"""
_ANSWERED = """
delete from waiting where request_id in (select request_id from read_parquet($enrichments))
"""
"""What a later round has answered does not wait."""
_RESULTS = """
from read_parquet($paths, union_by_name = true)
union all by name
from no_results
"""
"""Files of older versions lack columns, which the table without rows brings."""
_PART_ANSWERS = """
select request_id, prompt_version, part_answer as answer, answer_model, is_simulated
from read_parquet($enrichments)
where part_number is not null
"""
_FAILURES = """
select
    request_id,
    outcome as reason,
    error_type,
    error_message,
    attempt as attempts,
    batch_id as last_batch_id,
    followup = 'dead_letter' or (
        $is_last and followup = 'retry' and attempt >= $last_attempt
        and outcome not in ('expired', 'canceled')
    ) as is_final
from read_parquet($failures)
"""


class ShardParts:
    """Local files of the shards that were collected."""

    def __init__(self) -> None:
        """Start without any."""
        self.enrichments: list[str] = []
        self.failures: list[str] = []
        self.surplus_failures: list[str] = []
        """Of batches that were bought a second time: paid, but nothing follows from them."""


class LoadInputs:
    """Streams for the warehouse, joined on disk."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, parts: ShardParts, *, is_last: bool
    ) -> None:
        """Join the files of `parts`; `is_last` when no round follows."""
        self._database = database
        self._parts = parts
        self._is_last = is_last
        database.execute("create table waiting (request_id text, reason text, weight integer)")
        if parts.failures:
            database.execute(
                _WAITING_FAILED,
                {
                    "failures": parts.failures,
                    "is_last": is_last,
                    "last_attempt": LAST_ATTEMPT,
                },
            )
        if parts.enrichments:
            database.execute(_ANSWERED, {"enrichments": parts.enrichments})

    def note_all_waiting(self, paths: list[str], reason: PendingReason) -> None:
        """Say why the requests of some files have no result."""
        if paths:
            self._database.execute(
                """
                insert into waiting
                select distinct request_id, $reason, 1 from read_parquet($paths)
                where request_id is not null
                """,
                {"paths": paths, "reason": reason},
            )

    def documents(self, indexes: list[str], slices: list[str]) -> pa.RecordBatchReader:
        """Stream every document of the run: those of the indexes, then those never built."""
        parts = [
            self._stream(statement, DOCUMENTS, **{name: paths})
            for statement, name, paths in (
                (_DOCUMENTS, "indexes", indexes),
                (_UNBUILT, "slices", slices),
            )
            if paths
        ]
        return pa.RecordBatchReader.from_batches(
            DOCUMENTS, (batch for part in parts for batch in part)
        )

    def parts(self, indexes: list[str]) -> pa.RecordBatchReader | None:
        """Stream the parts of documents that were split: which requests they became."""
        if not indexes:
            return None
        return pa.RecordBatchReader.from_batches(
            PARTS, self._stream(_PARTS, PARTS, indexes=indexes)
        )

    def part_answers(self) -> pa.RecordBatchReader | None:
        """Stream the valid answers about parts."""
        if not self._parts.enrichments:
            return None
        stream = self._stream(_PART_ANSWERS, PART_ANSWERS, enrichments=self._parts.enrichments)
        return pa.RecordBatchReader.from_batches(PART_ANSWERS, stream)

    def results(self) -> pa.RecordBatchReader | None:
        """Stream what was paid, and what came of it."""
        parts = self._parts
        paths = [*parts.enrichments, *parts.failures, *parts.surplus_failures]
        if not paths:
            return None
        cursor = self._database.cursor()
        cursor.register("no_results", RESULTS.empty_table())
        relation = cursor.sql(_RESULTS, params={"paths": paths})
        stream = _batches_of(relation, RESULTS)
        return pa.RecordBatchReader.from_batches(RESULTS, stream)

    def failures(self) -> pa.RecordBatchReader | None:
        """Stream the requests that failed."""
        if not self._parts.failures:
            return None
        stream = self._stream(
            _FAILURES,
            FAILURES,
            failures=self._parts.failures,
            is_last=self._is_last,
            last_attempt=LAST_ATTEMPT,
        )
        return pa.RecordBatchReader.from_batches(FAILURES, stream)

    def enrichments(self, schema: AnswerSchema) -> pa.RecordBatchReader | None:
        """Stream the valid answers about whole documents."""
        shape = enrichments_schema(schema)

        def batches() -> Iterator[pa.RecordBatch]:
            for path in self._parts.enrichments:
                for batch in pq.ParquetFile(path).iter_batches():
                    whole = batch.filter(pc.is_null(batch.column("part_number")))
                    yield whole.select(shape.names).cast(shape)

        if not self._parts.enrichments:
            return None
        return pa.RecordBatchReader.from_batches(shape, batches())

    def _stream(self, statement: str, shape: pa.Schema, **values: Any) -> Iterator[pa.RecordBatch]:
        yield from _batches_of(self._database.cursor().sql(statement, params=values), shape)


def _batches_of(relation: duckdb.DuckDBPyRelation, shape: pa.Schema) -> Iterator[pa.RecordBatch]:
    reader: Any = relation.to_arrow_reader(10_000)
    for batch in reader:
        yield batch.select(shape.names).cast(shape)
