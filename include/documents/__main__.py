"""Extract a local folder into a Parquet file: `python -m include.documents FOLDER OUT.parquet`."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.parallel import map_in_order
from include.documents.pool import ExtractionPool

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("media_type", pa.string(), nullable=False),
        pa.field("encoding", pa.string()),
        pa.field("extractor", pa.string()),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("pages", pa.int32()),
        pa.field("text", pa.string()),
    ]
)

_ROWS_PER_GROUP = 500
_CHARACTERS_PER_GROUP = 20_000_000
_AHEAD_PER_WORKER = 4


@dataclass(frozen=True, slots=True)
class _Document:
    key: str
    """The path below the folder."""
    size_bytes: int
    extraction: Extraction


@dataclass
class Tally:
    """What was read so far."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Documents by media type and outcome."""
    size_bytes: int = 0
    picture_count: int = 0
    """Documents without usable text that can be looked at."""

    def add(self, document: _Document) -> None:
        """Count one document."""
        self.outcomes[document.extraction.media_type, document.extraction.outcome] += 1
        self.size_bytes += document.size_bytes
        self.picture_count += document.extraction.picture is not None

    def report(self, seconds: float) -> str:
        """Return a table of formats and outcomes, and the speed."""
        media_types = sorted({media_type for media_type, _ in self.outcomes})
        outcomes = sorted({outcome for _, outcome in self.outcomes})
        width = max(map(len, media_types), default=0)
        lines = [" ".join([" " * width, *outcomes])]
        for media_type in media_types:
            counts = (f"{self.outcomes[media_type, name]:{len(name)}}" for name in outcomes)
            lines.append(" ".join([media_type.ljust(width), *counts]))
        count, megabytes = self.outcomes.total(), self.size_bytes / 1e6
        speed = f"{count / seconds:,.0f} documents/s, {megabytes / seconds:,.1f} MB/s"
        if self.picture_count:
            lines.append(f"{self.picture_count:,} without usable text can be sent by vision=True")
        return "\n".join([*lines, f"{count:,} documents, {megabytes:,.1f} MB: {speed}"])


def main() -> None:
    """Extract the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m include.documents", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    started_at = time.perf_counter()
    tally = extract_folder(arguments.folder, arguments.out, workers=arguments.workers)
    sys.stdout.write(tally.report(time.perf_counter() - started_at) + "\n")


def extract_folder(folder: Path, out: Path, *, workers: int) -> Tally:
    """Write a row per file below `folder`, sorted by key, and return what was read."""
    tally = Tally()
    with (
        ExtractionPool(ExtractionLimits(), workers=workers) as pool,
        pq.ParquetWriter(out, SCHEMA, compression="zstd") as writer,
    ):
        extracted = map_in_order(
            lambda key: _extract(folder / key, key, pool),
            sorted(path.relative_to(folder).as_posix() for path in _files(folder)),
            threads=workers * 2,
            ahead=workers * _AHEAD_PER_WORKER,
        )
        for group in _groups(extracted):
            writer.write_table(pa.Table.from_pylist(list(map(_row, group)), schema=SCHEMA))
            for document in group:
                tally.add(document)
            sys.stderr.write(f"{tally.outcomes.total():,} documents\n")
    return tally


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _extract(path: Path, key: str, pool: ExtractionPool) -> _Document:
    with path.open("rb") as file:
        return _Document(key, path.stat().st_size, pool.extract(file, key))


def _groups(documents: Iterable[_Document]) -> Iterator[list[_Document]]:
    """Yield lists that are small enough to be held and large enough to be a row group."""
    group: list[_Document] = []
    characters = 0
    for document in documents:
        group.append(document)
        characters += document.extraction.characters
        if len(group) == _ROWS_PER_GROUP or characters > _CHARACTERS_PER_GROUP:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _row(document: _Document) -> dict[str, Any]:
    key = os.fsencode(document.key).decode(errors="replace")  # file names need not be text
    return {"key": key} | asdict(document.extraction)


if __name__ == "__main__":
    main()
