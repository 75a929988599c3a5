"""Parsing a result file: every line judged, every request of the shard accounted for."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from include.answers import AnswerSchema
from include.column_files import ColumnFile
from include.costs import Cost, billed, cost_of
from include.entries import Entry
from include.errors import AccountError, ResultsIncompleteError
from include.prices import PriceList
from include.results import (
    Followup,
    Judged,
    Message,
    Outcome,
    ResultLine,
    Usage,
    judge,
    without_unwanted,
)
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


class _Paid(NamedTuple):
    """What tells one result from the others of its batch, of `PAID_FIELDS`."""

    request_id: str
    document_id: str
    enrichment_id: str
    part_number: int | None
    part_count: int | None
    outcome: Outcome
    followup: Followup
    stop_reason: str | None
    error_type: str | None
    error_message: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    thinking_tokens: int | None
    prompt_characters: int | None
    picture_tokens: int | None
    token_class: str | None
    cost_usd: Decimal
    list_cost_usd: Decimal


_ANSWERED_BY = ("answer_model", "is_simulated", "part_answer")


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
        names = [*_Paid._fields, *_ANSWERED_BY, *self.schema.arrow_schema().names]
        seen: set[str] = set()
        tally: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        account_error: str | None = None
        with (
            pq.ParquetWriter(enrichments, enrichments_schema(self.schema)) as good_file,
            pq.ParquetWriter(failures, FAILURES_SCHEMA) as bad_file,
        ):
            good = ColumnFile(good_file, names, self._shared)
            bad = ColumnFile(bad_file, _Paid._fields, self._shared)
            for line in _read_lines(spool):
                if line.custom_id not in self.owners:
                    tally["foreign"] += 1
                elif line.custom_id in seen:
                    tally["duplicate"] += 1
                else:
                    seen.add(line.custom_id)
                    counts[line.result.type] += 1
                    judged = judge(line.result, self.schema)
                    if judged.followup == "stop":
                        account_error = account_error or judged.error_message
                    message = line.result.message
                    paid = self._paid(line.custom_id, judged, message)
                    if judged.outcome == "succeeded" and message is not None:
                        good.add(self._answered(paid, message.model, judged.answer))
                    else:
                        bad.add(paid)
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
            counts=counts,
            missing=missing,
            account_error=account_error,
        )

    @property
    def _shared(self) -> dict[str, Any]:
        """What all results of the batch have in common."""
        return {
            "batch_id": self.batch_id,
            "run_key": self.entry.run_key,
            "attempt": self.entry.round + 1,
            "model": self.entry.model,
            "prompt_version": self.entry.prompt_version,
        }

    def _answered(self, paid: _Paid, answer_model: str, answer: Any) -> tuple[Any, ...]:
        is_simulated = answer_model.endswith(SIMULATED_SUFFIX)
        if paid.part_number is None:
            return (*paid, answer_model, is_simulated, None, *self.schema.values(answer))
        kept = msgspec.json.encode(answer).decode()
        return (*paid, answer_model, is_simulated, kept, *self.schema.no_values)

    def _paid(self, request_id: str, judged: Judged, message: Message | None) -> _Paid:
        usage = message.usage if message else Usage()
        is_billed = message is not None and billed(
            judged.outcome, has_content=bool(message.content)
        )
        cost = cost_of(self.entry.model, usage, self.prices) if is_billed else Cost()
        owner = self.owners[request_id]
        return _Paid(
            request_id=request_id,
            document_id=owner.document_id,
            enrichment_id=owner.enrichment_id,
            part_number=owner.part_number,
            part_count=owner.part_count,
            outcome=judged.outcome,
            followup=judged.followup,
            stop_reason=message.stop_reason if message else None,
            error_type=judged.error_type,
            error_message=judged.error_message,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            thinking_tokens=usage.thinking_tokens,
            prompt_characters=owner.prompt_characters,
            picture_tokens=owner.picture_tokens,
            token_class=owner.token_class,
            cost_usd=cost.batch_usd.quantize(NANO),
            list_cost_usd=cost.list_usd.quantize(NANO),
        )


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
