"""Finding a document in the files of its runs, by their manifests."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.erasures import AskedRequest, Holdings, RunHolding
from include.plans import ROUNDS, find_plan
from include.runs import RunFiles

if TYPE_CHECKING:
    from include.storage import ObjectStore

_COLUMNS = ["document_id", "request_id", "enrichment_id", "content_sha256", "segment_key"]
_Row = dict[str, Any]


@dataclass(frozen=True)
class HoldingsFinder:
    """Looks for documents in the indexes of runs.

    The indexes of a night follow each other in the order of `document_id`, so that a few of a
    thousand are read.
    """

    store: "ObjectStore"
    spec: str
    work_dir: Path

    def find(self, run_keys: Iterable[str], document_ids: Collection[str]) -> Holdings:
        """Return the files of runs that hold documents, and the requests about them."""
        holdings = Holdings()
        for run_key in run_keys:
            holdings = holdings.merged(self._find_in_run(run_key, document_ids))
        return holdings

    def _find_in_run(self, run_key: str, document_ids: Collection[str]) -> Holdings:
        files = RunFiles(self.spec, run_key)
        night, *retries = (find_plan(self.store, files, number) for number in (0, *ROUNDS))
        night_keys = night.index_keys if night else ()
        retry_keys = [key for plan in retries if plan for key in plan.index_keys]
        stray = self._stray_keys(files, {*night_keys, *retry_keys})
        stray_indexes = [key for key in stray if key.endswith(".parquet")]
        found = list(self._locate(night_keys, document_ids))
        found += self._search(stray_indexes, "document_id", document_ids)
        requests = {row["request_id"] for _, row in found if row["request_id"]}
        # A retry round asks once for all documents that share a request.
        found += self._search([*retry_keys, *stray_indexes], "request_id", requests)
        return Holdings(
            runs=(
                RunHolding(
                    run_key=run_key,
                    index_keys=tuple(dict.fromkeys(key for key, _ in found)),
                    segment_keys=tuple(dict.fromkeys((*_segments(found), *_segment_keys(stray)))),
                ),
            ),
            requests=tuple(_requests(row for _, row in found)),
        )

    def _stray_keys(self, files: RunFiles, named: Collection[str]) -> list[str]:
        """Return what workers that died, or were tried again, have left beside the plan's files."""
        kept = {*named, *(key.removesuffix(".parquet") + ".jsonl.zst" for key in named)}
        return [key for key in self.store.list_keys(files.key("requests/")) if key not in kept]

    def _locate(
        self, keys: Sequence[str], document_ids: Collection[str]
    ) -> Iterator[tuple[str, _Row]]:
        missed = set()
        for document_id in document_ids:
            rows = list(self._bisect(keys, document_id))
            yield from rows
            if not rows:
                missed.add(document_id)
        if missed:
            yield from self._search(keys, "document_id", missed)

    def _bisect(self, keys: Sequence[str], document_id: str) -> Iterator[tuple[str, _Row]]:
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            column = pq.read_table(self._fetch(keys[middle]), columns=["document_id"])[0]
            if not len(column) or document_id > pc.max(column).as_py():
                low = middle + 1
            elif document_id < pc.min(column).as_py():
                high = middle
            else:
                yield from self._search([keys[middle]], "document_id", {document_id})
                return

    def _search(
        self, keys: Iterable[str], column: str, values: Collection[str]
    ) -> Iterator[tuple[str, _Row]]:
        for key in keys if values else ():
            for batch in pq.ParquetFile(self._fetch(key)).iter_batches(columns=_COLUMNS):
                for row in batch.to_pylist():
                    if row[column] in values:
                        yield key, row

    def _fetch(self, key: str) -> Path:
        return self.store.download(key, self.work_dir / "searched.parquet")


def _segments(found: Iterable[tuple[str, _Row]]) -> Iterator[str]:
    return (row["segment_key"] for _, row in found if row["segment_key"])


def _segment_keys(keys: Iterable[str]) -> Iterator[str]:
    return (key for key in keys if key.endswith(".jsonl.zst"))


def _requests(rows: Iterable[_Row]) -> Iterator[AskedRequest]:
    names = AskedRequest.model_fields
    return (
        AskedRequest(**{name: row[name] for name in names})
        for row in {row["request_id"]: row for row in rows if row["request_id"]}.values()
    )
