"""Parsing a result file: every line judged, every request of the shard accounted for."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from include.answers import AnswerSchema
from include.column_files import ColumnFile
from include.entries import Entry
from include.errors import AccountError, ResultsIncompleteError
from include.owners import Owners
from include.prices import PriceList
from include.result_columns import (
    FAILURES_SCHEMA,
    JudgedResult,
    ResultColumns,
    enrichments_schema,
)
from include.results import Judged, ResultLine, judge, without_unwanted

logger = logging.getLogger(__name__)

_DECODER = msgspec.json.Decoder(ResultLine)


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
class _Tally:
    """What a result file has held so far."""

    seen: bytearray
    """Which of the shard's requests have a line."""
    duplicate_count: int = 0
    foreign_count: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    account_error: str | None = None


@dataclass(frozen=True)
class ResultParser:
    """Parses the result files of one shard."""

    entry: Entry
    batch_id: str
    schema: AnswerSchema
    owners: Owners
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
        columns = ResultColumns(self.entry.model, self.owners, self.schema, self.prices)
        tally = _Tally(bytearray(self.owners.table.num_rows))
        with (
            pq.ParquetWriter(enrichments, enrichments_schema(self.schema)) as good_file,
            pq.ParquetWriter(failures, FAILURES_SCHEMA) as bad_file,
        ):
            good = ColumnFile(good_file, columns.answered, self._shared)
            bad = ColumnFile(bad_file, columns.paid, self._shared)
            for one in self._judge(spool, tally):
                (good if one.judged.outcome == "succeeded" else bad).add(one)
            missing = {one: row for one, row in self.owners.row_of.items() if not tally.seen[row]}
            if with_missing:
                for _, row in sorted(missing.items()):
                    bad.add(JudgedResult(row, Judged("missing", "retry")))
            good.flush()
            bad.flush()
        return ParsedFile(
            enrichment_count=good.count,
            failure_count=bad.count,
            duplicate_count=tally.duplicate_count,
            foreign_count=tally.foreign_count,
            counts=tally.counts,
            missing=frozenset(missing),
            account_error=tally.account_error,
        )

    def _judge(self, spool: Path, tally: "_Tally") -> Iterator[JudgedResult]:
        """Yield the first result of each of the shard's requests."""
        row_of, schema = self.owners.row_of, self.schema
        for line in _read_lines(spool):
            row = row_of.get(line.custom_id)
            if row is None:
                tally.foreign_count += 1
            elif tally.seen[row]:
                tally.duplicate_count += 1
            else:
                result = line.result
                tally.seen[row] = True
                tally.counts[result.type] += 1
                judged = judge(result, schema)
                if judged.followup == "stop":
                    tally.account_error = tally.account_error or judged.error_message
                yield JudgedResult.of(row, judged, result.message)

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


def raise_if_account(parsed: ParsedFile, shard_id: str) -> None:
    """Stop the run on an error of the account.

    Raises:
        AccountError: Results say that the account is refused.
    """
    if parsed.account_error is not None:
        msg = f"results of shard {shard_id} report the account: {parsed.account_error}"
        raise AccountError(msg)


def _read_lines(spool: Path) -> Iterator[ResultLine]:
    decode = _DECODER.decode
    with spool.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                yield decode(raw)
            except (ValueError, msgspec.MsgspecError):
                line = _read_odd(raw, number)
                if line is not None:
                    yield line


def _read_odd(raw: bytes, number: int) -> ResultLine | None:
    """Read what is no plain line: a blank one, or one with a mark or lone surrogates.

    Raises:
        ResultsIncompleteError: It is no result.
    """
    line = raw.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        return _decode(line) if line else None
    except (ValueError, msgspec.MsgspecError) as error:
        msg = f"line {number} of the result file is broken: {error}"
        raise ResultsIncompleteError(msg) from None


def _decode(line: bytes) -> ResultLine:
    try:
        return _DECODER.decode(line)
    except (ValueError, msgspec.MsgspecError):
        # Lone surrogates are no Unicode, but an answer may hold them; Python's parser reads them.
        return msgspec.convert(without_unwanted(json.loads(line)), ResultLine)
