"""The rows of a listing, and the slices that they are cut into."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from include.documents.listing import ListedObject
from include.identities import ObjectVersion, document_id, document_uri
from include.runs import RunFiles, SlicePart
from include.warehouse.staging import LISTED

if TYPE_CHECKING:
    from include.storage import ObjectStore

TEXTS = pa.schema(
    [
        ("document_id", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("line", pa.binary()),
    ]
)
"""The lines of a slice, or why there is none. What is listed is kept for good, they are not."""
_ROWS_PER_BATCH = 2_000
LISTED_FILE = "slice.parquet"
TEXTS_FILE = "texts.parquet"


def listed_row(listed: ListedObject) -> dict[str, object]:
    """Return an object as a row with the columns of `staging.LISTED`."""
    uri = document_uri(listed.bucket, listed.key)
    version = ObjectVersion(listed.version_id, listed.etag).text_of(
        listed.size_bytes, listed.last_modified_at
    )
    return {
        "document_id": document_id(uri, version),
        "document_uri": uri,
        "bucket": listed.bucket,
        "object_key": listed.key,
        "object_version": version,
        "size_bytes": listed.size_bytes,
        "last_modified_at": listed.last_modified_at,
        "storage_class": listed.storage_class,
    }


def read_listed(path: Path) -> Iterator[tuple[str, ListedObject]]:
    """Yield what `listed_row` made rows of: the id of each document and its object."""
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_ROWS_PER_BATCH):
        for row in batch.to_pylist():
            version = ObjectVersion.parse(row["object_version"])
            yield (
                row["document_id"],
                ListedObject(
                    bucket=row["bucket"],
                    key=row["object_key"],
                    version_id=version.version_id,
                    etag=version.etag,
                    size_bytes=row["size_bytes"],
                    last_modified_at=row["last_modified_at"],
                    storage_class=row["storage_class"],
                ),
            )


def write_slices(
    tables: Iterable[pa.Table],
    store: "ObjectStore",
    files: RunFiles,
    *,
    size: int,
    work_dir: Path,
) -> Iterator[SlicePart]:
    """Write rows to slices of `size` rows, texts apart from what is listed; yield the slices."""
    for number, pieces in groupby(cut(tables, size), key=itemgetter(0)):
        name = f"{number:04d}.parquet"
        written = _write_slice((piece for _, piece in pieces), work_dir)
        if TEXTS_FILE in written:
            store.upload(work_dir / TEXTS_FILE, files.lines_key(name))
        key = files.key(f"listing/{name}")
        store.upload(work_dir / LISTED_FILE, key)
        yield SlicePart(key=key, document_count=written[LISTED_FILE])


def _write_slice(pieces: Iterable[pa.Table], work_dir: Path) -> dict[str, int]:
    """Write the files of a slice, and return the rows of each."""
    row_counts: dict[str, int] = {}
    with ExitStack() as stack:
        writers: dict[str, pq.ParquetWriter] = {}
        for piece in pieces:
            for name, part in _parts(piece):
                if name not in writers:
                    writer = pq.ParquetWriter(work_dir / name, part.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(part)
                row_counts[name] = row_counts.get(name, 0) + part.num_rows
    return row_counts


def _parts(piece: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    yield LISTED_FILE, piece.select(LISTED.names)
    if "line" in piece.column_names:
        yield TEXTS_FILE, piece.select(TEXTS.names)


def cut(tables: Iterable[pa.Table], size: int) -> Iterator[tuple[int, pa.Table]]:
    """Yield all rows in order, in pieces that each lie in one slice, with the slice's number."""
    number, room = 0, size
    for table in tables:
        rest = table
        while rest.num_rows:
            piece = rest.slice(0, room)
            yield number, piece
            rest, room = rest.slice(piece.num_rows), room - piece.num_rows
            if room == 0:
                number, room = number + 1, size
