"""Parsing a result file: every line judged, every request of the shard accounted for."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from include.answers import AnswerSchema
from include.costs import Cost, billed, cost_of
from include.entries import Entry
from include.errors import AccountError, ResultsIncompleteError
from include.prices import PriceList
from include.results import Judged, Message, ResultLine, Usage, judge, without_unwanted
from include.shards import Owner

logger = logging.getLogger(__name__)

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
ROWS_PER_GROUP = 5_000

NANO = Decimal("1e-9")
_DECODER = msgspec.json.Decoder(ResultLine)


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
            *schema.arrow_schema(),
        ]
    )


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one result file held."""

    enrichment_count: int
    failure_count: int
    duplicate_count: int
    foreign_count: int
    counts: Mapping[str, int]
    """First results of the shard's own requests, by the API's result type."""
    missing: frozenset[str]
    """Request ids without a line."""
    account_error: str | None
    """The first error of the account, which stops the run."""


@dataclass
class _Rows:
    """Buffers rows for one Parquet file."""

    writer: pq.ParquetWriter
    schema: pa.Schema
    count: int = 0
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= ROWS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        self.writer.write_table(pa.Table.from_pylist(self._rows, schema=self.schema))
        self._rows = []


@dataclass(frozen=True)
class ResultParser:
    """Parses the result files of one shard."""

    entry: Entry
    batch_id: str
    schema: AnswerSchema
    owners: Mapping[str, Owner]
    """The shard's request ids, each with what it was bought for."""
    prices: PriceList = field(default_factory=PriceList)

    def parse(
        self, spool: Path, enrichments: Path, failures: Path, *, with_missing: bool
    ) -> ParsedFile:
        """Judge every line of a result file, and write two Parquet files.

        Args:
            spool: The raw file.
            enrichments: Where the valid answers go.
            failures: Where everything else goes.
            with_missing: Write requests without a line as failures `missing`.

        Raises:
            ResultsIncompleteError: A line is no result: the file is broken.
        """
        enrichments_shape = enrichments_schema(self.schema)
        seen: set[str] = set()
        tally: Counter[str] = Counter()
        account_error: str | None = None
        with (
            pq.ParquetWriter(enrichments, enrichments_shape) as good_file,
            pq.ParquetWriter(failures, FAILURES_SCHEMA) as bad_file,
        ):
            good, bad = _Rows(good_file, enrichments_shape), _Rows(bad_file, FAILURES_SCHEMA)
            for line in _read_lines(spool):
                if line.custom_id not in self.owners:
                    tally["foreign"] += 1
                elif line.custom_id in seen:
                    tally["duplicate"] += 1
                else:
                    seen.add(line.custom_id)
                    tally[f"type {line.result.type}"] += 1
                    judged = judge(line.result, self.schema)
                    if judged.followup == "stop":
                        account_error = account_error or judged.error_message
                    row = self._row(line, judged)
                    (good if judged.outcome == "succeeded" else bad).add(row)
            missing = frozenset(self.owners) - seen
            if with_missing:
                for request_id in sorted(missing):
                    bad.add(self._paid(request_id, Judged("missing", "retry"), None))
            good.flush()
            bad.flush()
        return ParsedFile(
            enrichment_count=good.count,
            failure_count=bad.count,
            duplicate_count=tally["duplicate"],
            foreign_count=tally["foreign"],
            counts={k.removeprefix("type "): n for k, n in tally.items() if k.startswith("type ")},
            missing=missing,
            account_error=account_error,
        )

    def _row(self, line: ResultLine, judged: Judged) -> dict[str, Any]:
        row = self._paid(line.custom_id, judged, line.result.message)
        if judged.outcome != "succeeded" or line.result.message is None:
            return row
        answer_model = line.result.message.model
        return row | {
            "prompt_version": self.entry.prompt_version,
            "answer_model": answer_model,
            "is_simulated": answer_model.endswith(SIMULATED_SUFFIX),
            **self._answered(row, judged.answer),
        }

    def _answered(self, row: Mapping[str, Any], answer: Any) -> dict[str, Any]:
        if row["part_number"] is None:
            return self.schema.row(answer)
        return {"part_answer": msgspec.json.encode(answer).decode()}

    def _paid(self, request_id: str, judged: Judged, message: Message | None) -> dict[str, Any]:
        usage = message.usage if message else Usage()
        is_billed = message is not None and billed(
            judged.outcome, has_content=bool(message.content)
        )
        cost = cost_of(self.entry.model, usage, self.prices) if is_billed else Cost()
        owner = self.owners[request_id]
        return {
            "batch_id": self.batch_id,
            "request_id": request_id,
            "document_id": owner.document_id,
            "enrichment_id": owner.enrichment_id,
            "part_number": owner.part_number,
            "part_count": owner.part_count,
            "run_key": self.entry.run_key,
            "attempt": self.entry.round + 1,
            "outcome": judged.outcome,
            "followup": judged.followup,
            "stop_reason": message.stop_reason if message else None,
            "error_type": judged.error_type,
            "error_message": judged.error_message,
            "model": self.entry.model,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "thinking_tokens": usage.thinking_tokens,
            "prompt_characters": owner.prompt_characters,
            "picture_tokens": owner.picture_tokens,
            "token_class": owner.token_class,
            "cost_usd": cost.batch_usd.quantize(NANO),
            "list_cost_usd": cost.list_usd.quantize(NANO),
        }


def raise_if_account(parsed: ParsedFile, shard_id: str) -> None:
    """Stop the run on an error of the account.

    Raises:
        AccountError: Results say that the account is refused.
    """
    if parsed.account_error is not None:
        msg = f"results of shard {shard_id} report the account: {parsed.account_error}"
        raise AccountError(msg)


def _read_lines(spool: Path) -> Iterator[ResultLine]:
    with spool.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(b"\xef\xbb\xbf").strip()
            if not line:
                continue
            try:
                yield _decode(line)
            except (ValueError, msgspec.MsgspecError) as error:
                msg = f"line {number} of the result file is broken: {error}"
                raise ResultsIncompleteError(msg) from None


def _decode(line: bytes) -> ResultLine:
    try:
        return _DECODER.decode(line)
    except (ValueError, msgspec.MsgspecError):
        # Lone surrogates are no Unicode, but an answer may hold them; Python's parser reads them.
        return msgspec.convert(without_unwanted(json.loads(line)), ResultLine)
