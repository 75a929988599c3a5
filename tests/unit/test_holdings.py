from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.holdings import HoldingsFinder
from include.planning import ShardPlan
from include.plans import Plan, write_plan
from include.request_index import INDEX_SCHEMA
from include.runs import RunFiles
from include.storage import ObjectStore
from tests.fakes import FakeS3

FILES = RunFiles("notes", "run-1")
SLICES = 64


@pytest.fixture
def keys(store: ObjectStore, tmp_path: Path) -> list[str]:
    """A night's indexes, two documents each, in order."""
    keys = [FILES.key(f"requests/{number:04d}-a.parquet") for number in range(SLICES)]
    for number, key in enumerate(keys):
        rows = [
            {
                "document_id": f"d{number:04d}{half}",
                "request_id": f"r{number:04d}{half}",
                "enrichment_id": f"r{number:04d}{half}",
                "segment_key": key.replace(".parquet", ".jsonl.zst"),
            }
            for half in "ab"
        ]
        path = tmp_path / "index.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA), path)
        store.upload(path, key)
    return keys


def plan(store: ObjectStore, keys: Iterable[str]) -> None:
    shards = ShardPlan(
        plan_number=1, needed_count=0, known_count=0, joined_count=0, bought_count=0, shards=()
    )
    made = Plan(
        round=0, index_keys=tuple(keys), known_key="known", forecast_usd=Decimal(0), shards=shards
    )
    write_plan(store, FILES, made)


def test_a_few_of_many_indexes_are_read(
    store: ObjectStore, bucket: FakeS3, keys: list[str], tmp_path: Path
) -> None:
    plan(store, keys)
    bucket.calls.clear()
    holdings = HoldingsFinder(store, "notes", tmp_path).find(["run-1"], {"d0041b"})
    (run,) = holdings.runs
    assert run.index_keys == (keys[41],)
    assert run.segment_keys == (keys[41].replace(".parquet", ".jsonl.zst"),)
    assert [one.request_id for one in holdings.requests] == ["r0041b"]
    assert sum(".parquet" in key for _, key in bucket.calls) < 10


def test_document_is_found_in_any_order_and_without_a_plan(
    store: ObjectStore, keys: list[str], tmp_path: Path
) -> None:
    finder = HoldingsFinder(store, "notes", tmp_path)
    (run,) = finder.find(["run-1"], {"d0041b"}).runs
    assert run.index_keys == (keys[41],)
    plan(store, reversed(keys))
    (run,) = finder.find(["run-1"], {"d0041b"}).runs
    assert run.index_keys == (keys[41],)
