"""Scrubbing: the files of runs and shards written anew, without what is to be erased.

Every file keeps its key, and what is done to it can be done again. Rows stay where something else
is read from them: costs, the counts of a night.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from include.blanking import blank_lines
from include.entries import Entry, Output
from include.plans import ROUNDS, find_plan
from include.result_columns import FAILURES_SCHEMA
from include.results import read_custom_id
from include.runs import RunFiles
from include.shards import ShardFiles

if TYPE_CHECKING:
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)

DocumentStates = Mapping[str, tuple[str, str | None]]
"""How a run left documents: state and reason."""
_Row = dict[str, Any]


@dataclass(frozen=True)
class Scrubber:
    """Takes requests and documents out of files of the work bucket."""

    store: "ObjectStore"
    work_dir: Path
    document_ids: frozenset[str]
    request_ids: frozenset[str]

    def scrub_index(self, key: str, states: DocumentStates) -> None:
        """Let an index ask nothing about the documents; they keep the state that the run gave them.

        So nothing is bought for them when the run is cleared, and a warehouse that is loaded again
        has the same counts.
        """

        def change(row: _Row) -> _Row:
            if row["document_id"] not in self.document_ids and not self._is_doomed(row):
                return row
            state, reason = states.get(row["document_id"], ("skipped", "erased"))
            fixed = {} if row["fixed_state"] else {"fixed_state": state, "fixed_reason": reason}
            return row | fixed | {"request_id": None, "enrichment_id": None}

        self._rewrite_table(key, change)

    def scrub_segment(self, key: str) -> int:
        """Blank the lines of a segment, and return how many."""
        if not self._exists(key):
            return 0  # gone by its retention
        path = self.store.download(key, self.work_dir / "scrubbed")
        blanked = blank_lines(path, self.request_ids)
        if blanked:
            self.store.upload(path, key)
        self.store.delete_old_versions(key)
        return blanked

    def scrub_run(self, files: RunFiles, document_uris: Collection[str]) -> None:
        """Take error texts out of what a run knew beforehand, and out of its report; and lines."""
        for key in self.store.list_keys(files.lines_key()):
            self._rewrite_table(key, self._without_line)
        for number in (0, *ROUNDS):
            plan = find_plan(self.store, files, number)
            if plan is not None and self._exists(plan.known_key):
                self._rewrite_table(plan.known_key, self._without_message)
        stored = self.store.read(files.report_key)
        if stored is None:
            return
        report = json.loads(stored.data)
        for line in report["failures"]:
            if line["document_uri"] in document_uris:
                line["error_message"] = None
        self.store.write(files.report_key, json.dumps(report, indent=1).encode())
        self.store.delete_old_versions(files.report_key)

    def scrub_shard(self, entry: Entry) -> None:
        """Take the requests out of everything that was collected for a closed shard."""
        outputs = [
            *((entry.output,) if entry.output else ()),
            *(surplus.output for surplus in entry.surplus_batches.values()),
        ]
        for output in outputs:
            self._scrub_raw(output.results_key)
            self._scrub_answers(output)
        for key in stray_outputs(self.store, entry):
            self.store.delete(key)

    def _scrub_raw(self, key: str) -> None:
        if not self._exists(key):
            return  # gone by its retention
        path = self.store.download(key, self.work_dir / "raw.zst")
        changed = path.with_suffix(".changed")
        dropped = 0
        with path.open("rb") as packed, changed.open("wb") as file:
            lines = zstandard.ZstdDecompressor().stream_reader(packed)
            with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as writer:
                for line in _lines(lines):
                    if read_custom_id(line) in self.request_ids:
                        dropped += 1
                    else:
                        writer.write(line)
        if dropped:
            self.store.upload(changed, key)
        self.store.delete_old_versions(key)

    def _scrub_answers(self, output: Output) -> None:
        """Move what the answers cost to the failures, then drop the answers.

        A process that dies between the two leaves a cost in both; the next one puts it right.
        """
        path = self.store.download(output.enrichments_key, self.work_dir / "answers.parquet")
        doomed = [
            {name: row.get(name) for name in FAILURES_SCHEMA.names}
            for batch in pq.ParquetFile(path).iter_batches()
            for row in batch.to_pylist()
            if self._is_doomed(row)
        ]
        paid = [row | {"followup": "dead_letter", "error_message": None} for row in doomed]
        moved = {row["request_id"] for row in paid}
        self._rewrite_table(
            output.failures_key,
            lambda row: None if row["request_id"] in moved else self._without_message(row),
            added=paid,
        )
        self._rewrite_table(
            output.enrichments_key, lambda row: None if self._is_doomed(row) else row
        )

    def _is_doomed(self, row: _Row) -> bool:
        return row["request_id"] in self.request_ids

    def _without_line(self, row: _Row) -> _Row:
        if row["document_id"] not in self.document_ids:
            return row
        return row | {"line": None, "outcome": "vanished", "reason": "The document was erased."}

    def _without_message(self, row: _Row) -> _Row:
        return row | {"error_message": None} if self._is_doomed(row) else row

    def _rewrite_table(
        self, key: str, change: Callable[[_Row], _Row | None], added: Collection[_Row] = ()
    ) -> None:
        """Write a Parquet file anew where a row changes; None drops a row."""
        path = self.store.download(key, self.work_dir / "table.parquet")
        changed = self.work_dir / "changed.parquet"
        with pq.ParquetFile(path) as file:
            shape = file.schema_arrow
            is_changed = bool(added)
            with pq.ParquetWriter(changed, shape) as writer:
                for batch in file.iter_batches():
                    rows = batch.to_pylist()
                    kept = [row for row in map(change, rows) if row is not None]
                    is_changed |= kept != rows
                    writer.write_table(pa.Table.from_pylist(kept, schema=shape))
                if added:
                    writer.write_table(pa.Table.from_pylist(list(added), schema=shape))
        if is_changed:
            self.store.upload(changed, key)
        self.store.delete_old_versions(key)

    def _exists(self, key: str) -> bool:
        return self.store.has_any(key)


def stray_outputs(store: "ObjectStore", entry: Entry) -> Iterator[str]:
    """Yield what attempts at collecting have left that the closed entry does not name."""
    outputs = [entry.output, *(surplus.output for surplus in entry.surplus_batches.values())]
    named = {
        key
        for output in outputs
        if output is not None
        for key in (output.results_key, output.enrichments_key, output.failures_key)
    }
    files = ShardFiles(entry.spec, entry.shard_id)
    for prefix in files.output_prefixes:
        for key in store.list_keys(prefix):
            if key not in named:
                yield key


def _lines(stream: Any) -> Iterator[bytes]:
    """Yield the lines of a stream of bytes, ends included."""
    rest = b""
    while chunk := stream.read(1_000_000):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest
