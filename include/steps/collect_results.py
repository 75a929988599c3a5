"""Task `collect_results`: a batch's results, first kept as they came, then judged and counted."""

import datetime as dt
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from include.collection import ParsedFile, ResultParser, raise_if_account
from include.entries import Entry, Output, SurplusBatch
from include.errors import ResultsIncompleteError, TransientError
from include.owners import read_owners
from include.prices import PriceList
from include.shards import ShardFiles, read_schema

if TYPE_CHECKING:
    from include.batches import Batch, BatchesApi
    from include.config import Settings
    from include.ledger import Ledger
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)

BROKEN_TRIES = 3
"""Downloads in one try of the task before a broken file is left to the task's retries."""
COMPLETE_DOWNLOADS = 3
"""Complete downloads without a line for a request, after which that request is `missing`."""
INLINE_WAIT_SECONDS = 30
"""Longest pause between downloads that a worker spends waiting; a longer one is a task retry."""


@dataclass(frozen=True)
class Collection:
    """One worker's hands on the results of one shard."""

    shard_id: str
    run_key: str
    ledger: "Ledger"
    store: "ObjectStore"
    api: "BatchesApi"
    settings: "Settings"
    work_dir: Path
    now: Callable[[], dt.datetime]
    pause: Callable[[float], None] = time.sleep

    def collect(self) -> Entry:
        """Bring a shard from an ended batch to counted outcomes in the work bucket.

        Raises:
            ResultsIncompleteError: The file does not agree with its batch yet.
            AccountError: The results report the account; they are kept all the same.
            TransientError: The API does not know the batch yet, or it has not ended.
        """
        entry = self.ledger.read(self.shard_id).record
        if entry.output is not None or not entry.is_open:
            return entry
        batch = self._ended_batch(entry)
        if batch.archived_at is not None:
            return self._give_up(batch)
        parsed = self._parse_complete(self._parser(entry, batch), batch)
        entry = self._keep(self._upload(entry, parsed))
        logger.info(
            "collected shard=%s batch=%s enrichments=%d failures=%d duplicates=%d foreign=%d",
            self.shard_id,
            batch.batch_id,
            parsed.enrichment_count,
            parsed.failure_count,
            parsed.duplicate_count,
            parsed.foreign_count,
        )
        raise_if_account(parsed, self.shard_id)
        return entry

    def collect_surplus(self, batch: "Batch") -> Entry:
        """Bring a surplus batch that has ended to counted outcomes, beside those that count.

        Raises:
            ResultsIncompleteError: The file does not agree with its batch.
        """
        entry = self.ledger.read(self.shard_id).record
        if batch.batch_id in entry.surplus_batches:
            return entry
        parsed = self._parse_whole(self._parser(entry, batch), batch, with_missing=False)
        if dict(parsed.counts) != _nonzero(batch.counts):
            msg = f"the results of surplus batch {batch.batch_id} are not all there"
            raise ResultsIncompleteError(msg)
        surplus = SurplusBatch(
            created_at=batch.created_at,
            expires_at=batch.expires_at,
            ended_at=batch.ended_at,
            output=self._upload(entry, parsed),
        )

        def step(entry: Entry) -> Entry | None:
            if batch.batch_id in entry.surplus_batches:
                return None
            collected = entry.surplus_batches | {batch.batch_id: surplus}
            return entry.model_copy(update={"surplus_batches": collected})

        logger.info("collected surplus batch=%s shard=%s", batch.batch_id, self.shard_id)
        return self.ledger.change(self.shard_id, step)

    def _parser(self, entry: Entry, batch: "Batch") -> ResultParser:
        _, schema = read_schema(self.store, ShardFiles(entry.spec, self.shard_id))
        owners = read_owners(self.store, entry, self.work_dir)
        prices = PriceList(self.settings.price_overrides)
        return ResultParser(entry, batch.batch_id, schema, owners, prices)

    @property
    def _spool(self) -> Path:
        return self.work_dir / "results.jsonl"

    @property
    def _enrichments(self) -> Path:
        return self.work_dir / "enrichments.parquet"

    @property
    def _failures(self) -> Path:
        return self.work_dir / "failures.parquet"

    def _ended_batch(self, entry: Entry) -> "Batch":
        if entry.batch_id is None:
            msg = f"shard {self.shard_id} has no batch yet"
            raise TransientError(msg)
        batch = self.api.retrieve(entry.batch_id)
        if batch is None:
            msg = f"the API does not know batch {entry.batch_id} (yet, or with this key)"
            raise TransientError(msg)
        if not batch.is_ended:
            msg = f"batch {entry.batch_id} is {batch.status}"
            raise TransientError(msg)
        self._move_to_ended(batch)
        return batch

    def _move_to_ended(self, batch: "Batch") -> None:
        def step(entry: Entry) -> Entry | None:
            if entry.state != "submitted":
                return None
            return entry.moved(
                state="ended", by=self.run_key, at=self.now(), batch_ended_at=batch.ended_at
            )

        self.ledger.change(self.shard_id, step)

    def _give_up(self, batch: "Batch") -> Entry:
        """Results are gone 29 days after the batch was made: paid, and lost."""

        def step(entry: Entry) -> Entry | None:
            if not entry.is_open:
                return None
            return entry.moved(
                state="abandoned", by=self.run_key, at=self.now(), note="results_gone"
            )

        logger.error("results gone shard=%s batch=%s", self.shard_id, batch.batch_id)
        entry = self.ledger.change(self.shard_id, step)
        self.ledger.close(self.shard_id)
        return entry

    def _parse_complete(self, parser: ResultParser, batch: "Batch") -> ParsedFile:
        """Download until the file is whole; a short one is never bought again."""
        while True:
            parsed = self._parse_whole(parser, batch, with_missing=False)
            if not parsed.missing and dict(parsed.counts) == _nonzero(batch.counts):
                return parsed
            entry = self.ledger.change(self.shard_id, self._count_download)
            if len(entry.download_times) >= COMPLETE_DOWNLOADS:
                return self._parse_whole(parser, batch, with_missing=True)
            logger.warning(
                "incomplete shard=%s missing=%d downloads=%d",
                self.shard_id,
                len(parsed.missing),
                len(entry.download_times),
            )
            if self.settings.missing_recheck_seconds > INLINE_WAIT_SECONDS:
                msg = (
                    f"results of shard {self.shard_id} lack {len(parsed.missing)} of "
                    f"{entry.request_count} requests; downloaded {len(entry.download_times)} times"
                )
                raise ResultsIncompleteError(msg)
            self.pause(self.settings.missing_recheck_seconds)

    def _count_download(self, entry: Entry) -> Entry | None:
        now = self.now()
        spacing = dt.timedelta(seconds=self.settings.missing_recheck_seconds)
        if entry.download_times and now - entry.download_times[-1] < spacing:
            return None
        return entry.model_copy(update={"download_times": (*entry.download_times, now)})

    def _parse_whole(
        self, parser: ResultParser, batch: "Batch", *, with_missing: bool, tries: int = BROKEN_TRIES
    ) -> ParsedFile:
        try:
            self._download(batch.batch_id)
            return parser.parse(
                self._spool, self._enrichments, self._failures, with_missing=with_missing
            )
        except TransientError as error:
            if tries == 1:
                raise
            logger.warning("broken shard=%s reason=%s", self.shard_id, error)
        return self._parse_whole(parser, batch, with_missing=with_missing, tries=tries - 1)

    def _download(self, batch_id: str) -> None:
        with self._spool.open("wb") as file, self.api.results(batch_id) as chunks:
            for chunk in chunks:
                file.write(chunk)

    def _upload(self, entry: Entry, parsed: ParsedFile) -> Output:
        """Upload what this attempt made, under names of its own."""
        files = ShardFiles(entry.spec, self.shard_id)
        attempt = secrets.token_hex(4)
        packed = self.work_dir / "results.jsonl.zst"
        with self._spool.open("rb") as raw, packed.open("wb") as file:
            zstandard.ZstdCompressor(level=3).copy_stream(raw, file)
        output = Output(
            attempt=attempt,
            collected_at=self.now(),
            results_key=files.results_key(attempt),
            enrichments_key=files.enrichments_key(attempt),
            failures_key=files.failures_key(attempt),
            enrichment_count=parsed.enrichment_count,
            failure_count=parsed.failure_count,
        )
        self.store.upload(packed, output.results_key)
        self.store.upload(self._enrichments, output.enrichments_key)
        self.store.upload(self._failures, output.failures_key)
        return output

    def _keep(self, output: Output) -> Entry:
        """Let the entry name what this attempt made, unless another was faster."""

        def step(entry: Entry) -> Entry | None:
            if entry.output is not None or not entry.is_open:
                return None
            return entry.moved(state="collected", by=self.run_key, at=self.now(), output=output)

        return self.ledger.change(self.shard_id, step)


def _nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in counts.items() if count}
