"""What a shard needs, whoever moves it on: its keys, request ids, answer schema and body."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from include.answers import AnswerSchema
from include.entries import Entry
from include.output_schemas import JsonSchema
from include.segments import Place, WrittenBody, read_groups, write_body
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


def make_body(store: ObjectStore, entry: Entry, work_dir: Path) -> WrittenBody:
    """Put the JSON body of a shard together on disk, from the segments that hold its lines."""
    path = download_request_ids(store, entry, work_dir / f"{entry.shard_id}.parquet")
    return write_body(read_groups(store, _places(path)), work_dir / f"{entry.shard_id}.json")


def _places(path: Path) -> Iterator[Place]:
    names = Place._fields
    for batch in pq.ParquetFile(path).iter_batches(ROWS_PER_READ, columns=list(names)):
        yield from map(Place, *(batch.column(name).to_pylist() for name in names))
