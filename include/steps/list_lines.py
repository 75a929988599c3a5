"""The listing of a spec with a document on each line: objects are read, their lines listed."""

import hashlib
import logging
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from include.documents.extraction import Extraction, ExtractionLimits, NoTextError
from include.documents.fetching import FetchFailure, fetch
from include.documents.lines import MEDIA_TYPE, Line, read_id, read_line, split_lines
from include.documents.listing import ListedObject, find_object
from include.documents.parallel import map_in_order
from include.errors import TransientError
from include.identities import document_id, document_uri
from include.lines import Lines
from include.scratch import open_scratch
from include.steps.listed_rows import listed_row
from include.warehouse.staging import LISTED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

LINES = pa.schema(
    [
        *LISTED,
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("line", pa.binary()),
        ("place", pa.int64()),
        ("id", pa.string()),
    ]
)
"""What is listed, and with it the line itself or, where there is none, why. `place` counts rows."""

_AHEAD = 4
"""Objects that are fetched to disk while one is split."""
_CHUNK_ROWS = 5_000
_CHUNK_BYTES = 16 * 2**20


_NO_PAIR = (None, 0)
_WRITE_REPEATED = """
copy (
    select place, row_number() over (partition by document_uri order by place) as occurrence
    from read_parquet($lines)
    where id is not null
    qualify occurrence > 1
    order by place
) to $target (format parquet)
"""
_WRITE_WHOLE = """
copy (
    select bucket, object_key, max(last_modified_at) as last_modified_at
    from read_parquet($lines)
    group by bucket, object_key
    having not bool_or(object_version not like 'line:%' and outcome <> 'empty')
) to $target (format parquet)
"""
_WRITE_PLACES = """
copy (
    select place, 0 as unused
    from read_parquet($lines)
    where document_id in (
        select document_id from read_parquet($wanted) where storage_class is distinct from 'DELETED'
    )
    order by place
) to $target (format parquet)
"""
_WRITE_MISSING = """
copy (
    select *
    from read_parquet($taken)
    where storage_class = 'DELETED'
        or document_id not in (select document_id from read_parquet($lines))
) to $target (format parquet)
"""
_OBJECTS = """
select distinct bucket, object_key
from read_parquet($missing)
where storage_class is distinct from 'DELETED'
order by bucket, object_key
"""
_WRITE_GONE = """
copy (
    select
        m.*,
        coalesce(t.outcome, 'vanished') as outcome,
        coalesce(t.reason, 'The line is no longer in its object.') as reason,
        cast(null as blob) as line,
        cast(0 as bigint) as place,
        cast(null as text) as id
    from read_parquet($missing) as m
    left join (
        select bucket, object_key, outcome, reason
        from read_parquet($carried)
        where object_version not like 'line:%' and outcome <> 'empty'
    ) as t on t.bucket = m.bucket and t.object_key = m.object_key
    where m.storage_class = 'DELETED'
        or m.document_id not in (select document_id from read_parquet($carried))
) to $target (format parquet, row_group_size 5000)
"""


@dataclass(frozen=True, kw_only=True)
class LineSpool:
    """Writes the lines of objects to a file on disk."""

    client: "S3Client"
    lines: Lines
    limits: ExtractionLimits
    path: Path

    def write(self, objects: Iterable[ListedObject], limit: int | None = None) -> None:
        """Write a row for each line, and one for each object that was not read to its end.

        Raises:
            ConfigurationError: The bucket is gone, or the credentials are refused.
            TransientError: S3 did not hand over an object; nothing is listed without its lines.
        """
        rows = islice(self._rows(objects), limit)
        with pq.ParquetWriter(self.path, LINES, compression="zstd") as writer:
            for chunk in _chunked(rows):
                writer.write_table(pa.Table.from_pylist(chunk, schema=LINES))
        if self.lines.id_field is not None:
            self._tell_apart()

    def _rows(self, objects: Iterable[ListedObject]) -> Iterator[dict[str, Any]]:
        place = 0
        fetched = map_in_order(
            lambda listed: (listed, fetch(self.client, listed)),
            objects,
            threads=_AHEAD,
            ahead=_AHEAD,
        )
        for listed, found in fetched:
            for row in self._rows_of(listed, found):
                yield row | {"place": place}
                place += 1

    def _rows_of(
        self, listed: ListedObject, found: IO[bytes] | Extraction | FetchFailure
    ) -> Iterator[dict[str, Any]]:
        if isinstance(found, FetchFailure):
            msg = f"{document_uri(listed.bucket, listed.key)} was not read: {found.reason}"
            raise TransientError(msg)
        if isinstance(found, Extraction):
            yield listed_row(listed) | {"outcome": found.outcome, "reason": found.reason}
            return
        whole = listed_row(listed)
        with found:
            try:
                for line in split_lines(found, self.limits):
                    yield self._row(whole, line)
            except NoTextError as problem:
                yield whole | {"outcome": problem.outcome, "reason": str(problem)}

    def _row(self, whole: dict[str, Any], line: Line) -> dict[str, Any]:
        name = None if line.is_cut else read_id(line.content, self.lines)
        row = whole | {
            "object_version": _version(line),
            "size_bytes": line.size_bytes,
            "storage_class": None,
            "id": name,
        }
        fragment = f"line={line.number}" if name is None else f"id={quote(name, safe='')}"
        if line.is_cut:
            limit = self.limits.max_object_bytes
            reason = f"The line has {line.size_bytes:,} bytes, {limit:,} are read."
            row |= {"outcome": "too_large", "reason": reason}
        else:
            row["line"] = line.content
        return _named(row, f"{row['document_uri']}#{fragment}")

    def _tell_apart(self) -> None:
        """Give the second line of one name, and each further one, a name of its own."""
        repeated = self.path.with_suffix(".repeated")
        with open_scratch(self.path.parent) as database:
            database.execute(_WRITE_REPEATED, {"lines": str(self.path), "target": str(repeated)})
        occurrences = _read_pairs(repeated)
        place, occurrence = next(occurrences, _NO_PAIR)
        if place is None:
            return
        renamed = self.path.with_suffix(".renamed")
        with pq.ParquetWriter(renamed, LINES, compression="zstd") as writer:
            for table in _read_chunks(self.path):
                rows = table.to_pylist()
                for index, row in enumerate(rows):
                    if row["place"] == place:
                        rows[index] = _named(row, f"{row['document_uri']}&n={occurrence}")
                        place, occurrence = next(occurrences, _NO_PAIR)
                writer.write_table(pa.Table.from_pylist(rows, schema=LINES))
        renamed.replace(self.path)


def whole_objects(lines: Path, target: Path) -> Path:
    """Write which objects were read to their end, columns as `staging.WHOLE_OBJECTS`."""
    with open_scratch(target.parent) as database:
        database.execute(_WRITE_WHOLE, {"lines": str(lines), "target": str(target)})
    return target


def taken_lines(spool: LineSpool, taken: Path) -> Iterator[pa.Table]:
    """Yield the lines of the documents that a run takes up, in tables bounded in bytes.

    What was not listed now, but left over, is looked for in its object as it is today.

    Args:
        spool: What was listed.
        taken: The documents taken up, columns as `staging.LISTED`.
    """
    folder = spool.path.parent
    yield from _chosen(spool.path, taken)
    missing, gone = folder / "missing.parquet", folder / "gone.parquet"
    with open_scratch(folder) as database:
        paths = {"lines": str(spool.path), "taken": str(taken), "target": str(missing)}
        database.execute(_WRITE_MISSING, paths)
        objects = database.sql(_OBJECTS, params={"missing": str(missing)}).fetchall()
    logger.info("reading again what was left over objects=%d", len(objects))
    carried = replace(spool, path=folder / "carried.parquet")
    found = (find_object(spool.client, bucket=bucket, key=key) for bucket, key in objects)
    carried.write(one for one in found if one is not None)
    yield from _chosen(carried.path, missing)
    with open_scratch(folder) as database:
        paths = {"carried": str(carried.path), "missing": str(missing), "target": str(gone)}
        database.execute(_WRITE_GONE, paths)
    yield from (table.cast(LINES) for table in _read_chunks(gone))


def _chosen(lines: Path, wanted: Path) -> Iterator[pa.Table]:
    """Yield the rows of a file of lines that another file names by `document_id`."""
    target = wanted.with_suffix(".places")
    with open_scratch(lines.parent) as database:
        paths = {"lines": str(lines), "wanted": str(wanted), "target": str(target)}
        database.execute(_WRITE_PLACES, paths)
    places = (place for place, _ in _read_pairs(target))
    place, start = next(places, None), 0
    for table in _read_chunks(lines):
        indices = []
        while place is not None and place < start + table.num_rows:
            indices.append(place - start)
            place = next(places, None)
        start += table.num_rows
        if indices:
            yield table.take(indices)


def _read_chunks(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of a file as they were written: bounded in bytes."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)


def _read_pairs(path: Path) -> Iterator[tuple[int, int]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_CHUNK_ROWS):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _chunked(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    size_bytes = 0
    for row in rows:
        chunk.append(row)
        size_bytes += len(row.get("line") or b"")
        if len(chunk) >= _CHUNK_ROWS or size_bytes >= _CHUNK_BYTES:
            yield chunk
            chunk, size_bytes = [], 0
    if chunk:
        yield chunk


def _named(row: dict[str, Any], uri: str) -> dict[str, Any]:
    return row | {"document_uri": uri, "document_id": document_id(uri, row["object_version"])}


def _version(line: Line) -> str:
    """Return the version of a line: its content, so that it outlives other lines' changes."""
    return f"line:{hashlib.sha256(line.content).hexdigest()[:32]}:{line.size_bytes}"


def read_taken_lines(
    path: Path, lines: Lines, limits: ExtractionLimits
) -> Generator[tuple[str, Extraction]]:
    """Yield the documents of a slice of lines: the id of each, and what became of its text."""
    for table in _read_chunks(path):
        for row in table.to_pylist():
            if row["line"] is None:
                extraction = Extraction(row["outcome"], row["reason"], MEDIA_TYPE)
            else:
                extraction = read_line(row["line"], lines, limits)
            yield row["document_id"], extraction
