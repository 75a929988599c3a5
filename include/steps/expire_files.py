"""Task `expire_files`: requests and raw results go when their time has come.

What the warehouse is rebuilt from stays: manifests, listings, indexes, plans, reports, the ledger,
and the judged answers of every shard.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from include.entries import Entry
from include.plans import ROUNDS, find_plan
from include.runs import RunFiles, RunManifest
from include.scrubbing import stray_outputs

if TYPE_CHECKING:
    from include.config import Settings
    from include.ledger import Ledger
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)


class ExpiredRuns(BaseModel):
    """`expired.json`: runs of which something is gone for good, so that nobody looks again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    segments: tuple[str, ...] = ()
    """Runs without their requests."""
    results: tuple[str, ...] = ()
    """Runs whose shards are without raw results."""


@dataclass
class ExpiryReport:
    """What went."""

    segment_count: int = 0
    result_count: int = 0


@dataclass(frozen=True, kw_only=True)
class FileExpiry:
    """What expiring the files of one spec needs."""

    spec: str
    ledger: "Ledger"
    store: "ObjectStore"
    settings: "Settings"
    now: Callable[[], dt.datetime]

    def expire(self) -> ExpiryReport:
        """Delete what has outlived its retention; a run with an open shard keeps everything.

        Run again, it deletes nothing more, and does not look at runs that it is done with.
        """
        report = ExpiryReport()
        expired = self._read_expired()
        holders = self._open_runs()
        segments, results = dict.fromkeys(expired.segments), dict.fromkeys(expired.results)
        for run_key in self.store.list_folders(f"{self.spec}/runs/"):
            if run_key in holders or (run_key in segments and run_key in results):
                continue
            rested_at, entries = self._rested(run_key)
            is_due = run_key not in segments and rested_at < self._segments_before
            if is_due and self._delete_segments(run_key, report):
                segments[run_key] = None
            if run_key not in results and rested_at < self._results_before:
                self._delete_results(entries, report)
                results[run_key] = None
        changed = ExpiredRuns(segments=tuple(segments), results=tuple(results))
        if changed != expired:
            self.store.write(self._key, changed.model_dump_json(indent=1).encode())
        logger.info(
            "expired spec=%s segments=%d results=%d",
            self.spec,
            report.segment_count,
            report.result_count,
        )
        return report

    @property
    def _key(self) -> str:
        return f"{self.spec}/expired.json"

    @property
    def _segments_before(self) -> dt.datetime:
        return self.now() - dt.timedelta(days=self.settings.segment_retention_days)

    @property
    def _results_before(self) -> dt.datetime:
        return self.now() - dt.timedelta(days=self.settings.raw_retention_days)

    def _read_expired(self) -> ExpiredRuns:
        stored = self.store.read(self._key)
        return ExpiredRuns.model_validate_json(stored.data) if stored else ExpiredRuns()

    def _open_runs(self) -> set[str]:
        """Return the runs whose files an open shard, or an unsettled second batch, still needs."""
        opened = self.ledger.read_open().record
        ids = dict.fromkeys((*opened.shards, *opened.surplus.values()))
        return {self.ledger.read(one).record.run_key for one in ids}

    def _rested(self, run_key: str) -> tuple[dt.datetime, list[Entry]]:
        """Return since when nothing has happened to a run and its shards, and their entries.

        A run that joined the shard of another counts too: the other may have died unplanned.
        """
        files = RunFiles(self.spec, run_key)
        stored = self.store.read(files.manifest_key)
        if stored is None:
            return self.now(), []
        times = [RunManifest.model_validate_json(stored.data).started_at]
        plans = (find_plan(self.store, files, number) for number in (0, *ROUNDS))
        ids = dict.fromkeys(
            one for plan in plans if plan for one in (*plan.own_shard_ids, *plan.shard_ids)
        )
        held = [found.record for one in ids if (found := self.ledger.find(one)) is not None]
        if any(entry.is_open for entry in held):
            return self.now(), []
        times += [entry.history[-1].at for entry in held if entry.history]
        return max(times), held

    def _delete_segments(self, run_key: str, report: ExpiryReport) -> bool:
        """Delete the requests and lines of a run; False when some are young: a late clear."""
        is_done, files = True, RunFiles(self.spec, run_key)
        below = (files.key("requests/"), files.lines_key())
        for key, written_at in chain.from_iterable(map(self.store.list_dated, below)):
            if not key.endswith(".jsonl.zst") and not key.startswith(files.lines_key()):
                continue
            if written_at < self._segments_before:
                self.store.delete(key)
                report.segment_count += 1
            else:
                is_done = False
        return is_done

    def _delete_results(self, entries: list[Entry], report: ExpiryReport) -> None:
        for entry in entries:
            for key in (*_raw_keys(entry), *stray_outputs(self.store, entry)):
                self.store.delete(key)
                report.result_count += 1


def _raw_keys(entry: Entry) -> Iterator[str]:
    if entry.output is not None:
        yield entry.output.results_key
    for surplus in entry.surplus_batches.values():
        yield surplus.output.results_key
