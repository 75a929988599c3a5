"""Extract a local folder into a Parquet file: `python -m include.documents FOLDER OUT.parquet`."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.documents.arguments import add_folder_arguments
from include.documents.expectations import read_expectations
from include.documents.extraction import ExtractionLimits
from include.documents.folders import LocalDocument, extract_file, find_files
from include.documents.parallel import map_in_order
from include.documents.pool import ExtractionPool
from include.documents.tally import Tally
from include.errors import ConfigurationError

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
_INTERRUPTED_STATUS = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract the folder that the command line names."""
    options = _parser().parse_args(arguments)
    started_at = time.perf_counter()
    try:
        tally = extract_folder(
            options.folder, options.out, workers=options.workers, manifests=options.manifest
        )
    except (ConfigurationError, OSError) as error:
        sys.exit(f"Nothing was extracted: {error}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_STATUS)
    sys.stdout.write(tally.report(time.perf_counter() - started_at) + "\n")


def extract_folder(
    folder: Path, out: Path, *, workers: int, manifests: Sequence[Path] = ()
) -> Tally:
    """Write a row per file below `folder`, sorted by key, and return what was read.

    `out` appears when it is complete.

    Raises:
        ConfigurationError: There is no such folder, or a manifest cannot be read.
    """
    if not folder.is_dir():
        msg = f"{str(folder)!r} is no folder; name one: make extract DOCS=folder OUT=file.parquet"
        raise ConfigurationError(msg)
    tally = Tally(read_expectations(manifests))
    part = out.with_name(f"{out.name}.part")
    files, remarks = find_files(folder, left_out=[out, part])
    _tell(remarks)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            ExtractionPool(ExtractionLimits(), workers=workers) as pool,
            pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer,
        ):
            extracted = map_in_order(
                lambda file: extract_file(file, pool),
                files,
                threads=workers * 2,
                ahead=workers * _AHEAD_PER_WORKER,
            )
            for group in _groups(extracted):
                writer.write_table(pa.Table.from_pylist(list(map(_row, group)), schema=SCHEMA))
                for document in group:
                    tally.add(document)
                _tell([f"{tally.documents.total():,} of {len(files):,} files"])
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return tally


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.documents", description=__doc__)
    add_folder_arguments(parser)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--manifest",
        type=Path,
        action="append",
        default=[],
        help="a CSV file with the columns path, outcome, phrase: what to expect; may be repeated",
    )
    return parser


def _tell(lines: Iterable[str]) -> None:
    sys.stderr.writelines(f"{line}\n" for line in lines)


def _groups(documents: Iterable[LocalDocument]) -> Iterator[list[LocalDocument]]:
    """Yield lists that are small enough to be held and large enough to be a row group."""
    group: list[LocalDocument] = []
    characters = 0
    for document in documents:
        group.append(document)
        characters += document.extraction.characters
        if len(group) == _ROWS_PER_GROUP or characters > _CHARACTERS_PER_GROUP:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _row(document: LocalDocument) -> dict[str, Any]:
    return {"key": document.key} | asdict(document.extraction)


if __name__ == "__main__":
    main()
