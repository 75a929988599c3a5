"""Result columns: what judged results become in Parquet."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Self

import msgspec
import pyarrow as pa

from include.answer_columns import arrow_schema
from include.answers import AnswerSchema
from include.column_files import Columns
from include.costs import Tariff, billed
from include.owners import OWNERS, Owners
from include.prices import PriceList
from include.results import Judged, Message, Usage

SIMULATED_SUFFIX = "-simulated"
"""How the simulator marks the model of its answers."""

PAID_FIELDS = [
    ("batch_id", pa.string()),
    ("request_id", pa.string()),
    ("document_id", pa.string()),
    ("enrichment_id", pa.string()),
    ("part_number", pa.int32()),
    ("part_count", pa.int32()),
    ("run_key", pa.string()),
    ("attempt", pa.int32()),
    ("outcome", pa.string()),
    ("followup", pa.string()),
    ("stop_reason", pa.string()),
    ("error_type", pa.string()),
    ("error_message", pa.string()),
    ("model", pa.string()),
    ("input_tokens", pa.int64()),
    ("output_tokens", pa.int64()),
    ("cache_read_tokens", pa.int64()),
    ("cache_write_tokens", pa.int64()),
    ("thinking_tokens", pa.int64()),
    ("prompt_characters", pa.int64()),
    ("picture_tokens", pa.int64()),
    ("token_class", pa.string()),
    ("cost_usd", pa.decimal128(18, 9)),
    ("list_cost_usd", pa.decimal128(18, 9)),
]
"""What every result has, good or bad: what came of it, and what was paid."""
FAILURES_SCHEMA = pa.schema(PAID_FIELDS)

NANO = Decimal("1e-9")
_FREE = Decimal(0)
_NO_USAGE = Usage()


def enrichments_schema(schema: AnswerSchema) -> pa.Schema:
    """Return the columns of a shard's answers: what was paid, where from, and the typed fields.

    An answer about a part of a document is no row of the spec's table: it is kept as JSON, in
    `part_answer`, until the other parts are answered.
    """
    return pa.schema(
        [
            *PAID_FIELDS,
            ("prompt_version", pa.string()),
            ("answer_model", pa.string()),
            ("is_simulated", pa.bool_()),
            ("part_answer", pa.string()),
            *arrow_schema(schema),
        ]
    )


class JudgedResult(msgspec.Struct, frozen=True, gc=False):
    """One result of a shard's own request: what is kept of it until its group is written."""

    row: int
    """Of its request, among the shard's."""
    judged: Judged
    stop_reason: str | None = None
    answer_model: str = ""
    usage: Usage = _NO_USAGE
    has_content: bool = False

    @classmethod
    def of(cls, row: int, judged: Judged, message: Message | None) -> Self:
        """Keep what a message says beside its answer."""
        if message is None:
            return cls(row, judged)
        return cls(
            row,
            judged,
            message.stop_reason,
            message.model,
            message.usage,
            bool(message.content),
        )

    @property
    def paid_usage(self) -> Usage | None:
        """The tokens that are paid for."""
        is_billed = billed(self.judged.outcome, has_content=self.has_content)
        return self.usage if is_billed else None


@dataclass(frozen=True)
class ResultColumns:
    """Makes columns of the results of one shard, a group at a time."""

    model: str
    owners: Owners
    schema: AnswerSchema
    prices: PriceList

    def paid(self, results: Sequence[JudgedResult]) -> Columns:
        """Return what tells results from others of their batch: the rest of `PAID_FIELDS`."""
        judged = [one.judged for one in results]
        usages = [one.usage for one in results]
        owned = self.owners.table.take(pa.array([one.row for one in results]))
        return {
            **dict(zip(OWNERS.names, owned.columns, strict=True)),
            "outcome": [one.outcome for one in judged],
            "followup": [one.followup for one in judged],
            "stop_reason": [one.stop_reason for one in results],
            "error_type": [one.error_type for one in judged],
            "error_message": [one.error_message for one in judged],
            "input_tokens": [one.input_tokens for one in usages],
            "output_tokens": [one.output_tokens for one in usages],
            "cache_read_tokens": [one.cache_read_tokens for one in usages],
            "cache_write_tokens": [one.cache_write_tokens for one in usages],
            "thinking_tokens": [one.thinking_tokens for one in usages],
            **self._costs([one.paid_usage for one in results]),
        }

    def answered(self, results: Sequence[JudgedResult]) -> Columns:
        """Return what `paid` does, and the answers: of a part of a document as JSON."""
        columns = dict(self.paid(results))
        answers = [one.judged.answer for one in results]
        columns["answer_model"] = models = [one.answer_model for one in results]
        columns["is_simulated"] = [model.endswith(SIMULATED_SUFFIX) for model in models]
        parts: pa.ChunkedArray = columns["part_number"]
        if len(parts) == parts.null_count:
            return columns | self.schema.columns_of(answers)
        is_whole = parts.is_null().to_pylist()
        pairs = list(zip(answers, is_whole, strict=True))
        columns["part_answer"] = [
            None if whole else msgspec.json.encode(answer).decode() for answer, whole in pairs
        ]
        return columns | self.schema.columns_of([one if whole else None for one, whole in pairs])

    def _costs(self, usages: Sequence[Usage | None]) -> Columns:
        return {
            name: [_FREE if one is None else tariff.usd(one).quantize(NANO) for one in usages]
            for name, tariff in self._tariffs.items()
        }

    @cached_property
    def _tariffs(self) -> dict[str, Tariff]:
        return {
            name: Tariff(self.model, self.prices, in_batch=in_batch)
            for name, in_batch in (("cost_usd", True), ("list_cost_usd", False))
        }
