"""What a shard needs, whoever moves it on: its keys, request ids, answer schema and body."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import repeat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from include.answers import AnswerSchema
from include.entries import Entry
from include.output_schemas import JsonSchema
from include.segments import Place, WrittenBody, read_lines, write_body
from include.storage import MissingKeyError, ObjectStore

REQUEST_IDS_SCHEMA = pa.schema(
    [
        ("request_id", pa.string()),
        ("document_id", pa.string()),
        ("enrichment_id", pa.string()),
        ("part_number", pa.int32()),
        ("part_count", pa.int32()),
        ("prompt_characters", pa.int64()),
        ("picture_tokens", pa.int64()),
        ("token_class", pa.string()),
        ("segment_key", pa.string()),
        ("frame_start", pa.int64()),
        ("frame_length", pa.int64()),
        ("line_start", pa.int64()),
        ("line_length", pa.int64()),
    ]
)
"""One row per request, in the order of the body: for whom it is bought, and where its line lies."""

ROWS_PER_READ = 5_000


class ShardSchema(BaseModel):
    """`schema.json`: what the answers of a shard are judged by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt_version: str
    model: str
    answer_schema: JsonSchema


@dataclass(frozen=True, slots=True)
class ShardFiles:
    """Where the parts of one shard lie."""

    spec: str
    shard_id: str

    def request_ids_key(self, attempt: str) -> str:
        """Parquet of `REQUEST_IDS_SCHEMA`, as one attempt at planning wrote it.

        Two plans of the same requests may find their lines at different places.
        """
        return self._key(f"request_ids-{attempt}.parquet")

    @property
    def schema_key(self) -> str:
        """JSON of `ShardSchema`."""
        return self._key("schema.json")

    def results_key(self, attempt: str) -> str:
        """Raw result lines of one attempt at collecting."""
        return self._key(f"results-{attempt}.jsonl.zst")

    def enrichments_key(self, attempt: str) -> str:
        """Parquet of the answers that one attempt found valid."""
        return self._key(f"enrichments-{attempt}.parquet")

    def failures_key(self, attempt: str) -> str:
        """Parquet of what one attempt found wanting."""
        return self._key(f"failures-{attempt}.parquet")

    @property
    def output_prefixes(self) -> tuple[str, ...]:
        """What the keys of all attempts at collecting begin with."""
        return tuple(self._key(name) for name in ("results-", "enrichments-", "failures-"))

    def _key(self, name: str) -> str:
        return f"{self.spec}/shards/{self.shard_id}/{name}"


def read_schema(store: ObjectStore, files: ShardFiles) -> tuple[ShardSchema, AnswerSchema]:
    """Return what the answers of a shard are judged by, compiled."""
    stored = store.read(files.schema_key)
    if stored is None:
        msg = f"{store.uri(files.schema_key)} is missing; it is written before its entry"
        raise MissingKeyError(msg)
    schema = ShardSchema.model_validate_json(stored.data)
    return schema, AnswerSchema(schema.answer_schema)


def download_request_ids(store: ObjectStore, entry: Entry, path: Path) -> Path:
    """Bring the list of a shard's requests to disk."""
    files = ShardFiles(entry.spec, entry.shard_id)
    return store.download(files.request_ids_key(entry.planning_attempt), path)


@dataclass(frozen=True, slots=True)
class Owner:
    """What a request is bought for."""

    document_id: str
    enrichment_id: str
    part_number: int | None = None
    """Which part of the document it asks about; None for all of it."""
    part_count: int | None = None
    prompt_characters: int | None = None
    picture_tokens: int | None = None
    token_class: str | None = None


def read_owners(store: ObjectStore, entry: Entry, work_dir: Path) -> dict[str, Owner]:
    """Return the shard's request ids, each with what it is bought for."""
    path = download_request_ids(store, entry, work_dir / f"{entry.shard_id}.parquet")
    names = [field.name for field in fields(Owner)]
    file = pq.ParquetFile(path)
    stored = file.schema_arrow.names  # a shard that was planned by an older version has fewer
    columns = ["request_id", *(name for name in names if name in stored)]
    owners: dict[str, Owner] = {}
    for batch in file.iter_batches(ROWS_PER_READ, columns=columns):
        request_ids = batch.column("request_id").to_pylist()
        values = [
            batch.column(name).to_pylist() if name in stored else repeat(None, batch.num_rows)
            for name in names
        ]
        owners.update(zip(request_ids, map(Owner, *values), strict=True))
    return owners


def make_body(store: ObjectStore, entry: Entry, work_dir: Path) -> WrittenBody:
    """Put the JSON body of a shard together on disk, from the segments that hold its lines."""
    path = download_request_ids(store, entry, work_dir / f"{entry.shard_id}.parquet")
    lines = read_lines(store, _places(path))
    return write_body(lines, work_dir / f"{entry.shard_id}.json")


def _places(path: Path) -> Iterator[Place]:
    names = ["segment_key", "frame_start", "frame_length", "line_start", "line_length"]
    for batch in pq.ParquetFile(path).iter_batches(ROWS_PER_READ, columns=names):
        columns = (batch.column(name).to_pylist() for name in names)
        for values in zip(*columns, strict=True):
            yield Place(*values)
