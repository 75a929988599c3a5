"""Owners: what each request of a shard is bought for."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include.entries import Entry
from include.shards import REQUEST_IDS_SCHEMA, download_request_ids
from include.storage import ObjectStore

OWNERS = pa.schema(
    [
        REQUEST_IDS_SCHEMA.field(name)
        for name in (
            "request_id", "document_id", "enrichment_id", "part_number", "part_count",
            "prompt_characters", "picture_tokens", "token_class",
        )
    ]
)  # fmt: skip


class Owners:
    """The requests of a shard, in the order of its body, each with what it is bought for."""

    def __init__(self, table: pa.Table) -> None:
        """Keep a table of `OWNERS`; columns that it lacks are empty."""
        for field in OWNERS:
            if field.name not in table.column_names:
                table = table.append_column(field, pa.nulls(table.num_rows, field.type))
        self.table: pa.Table = table.select(OWNERS.names).cast(OWNERS).combine_chunks()
        """Columns of `OWNERS`."""

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each request id."""
        return {one: row for row, one in enumerate(self.table.column("request_id").to_pylist())}


def read_owners(store: ObjectStore, entry: Entry, work_dir: Path) -> Owners:
    """Return what the requests of a shard are bought for."""
    path = download_request_ids(store, entry, work_dir / f"{entry.shard_id}.parquet")
    stored = pq.read_schema(path).names  # a shard that was planned by an older version has fewer
    return Owners(pq.read_table(path, columns=[name for name in OWNERS.names if name in stored]))
