import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from include.documents.listing import ListingRequest
from include.runs import RunManifest, RunParams
from include.spec import Source
from include.steps.list_documents import listing_request
from include.steps.listed_rows import cut
from tests.factories import make_frozen_spec, make_settings
from tests.fakes import START


def manifest(source: Source, **params: Any) -> RunManifest:
    return RunManifest(
        dag_id="enrich_notes",
        run_id="run",
        run_key="run",
        run_type="manual",
        started_at=START,
        night=START.date(),
        window_start_at=START,
        window_end_at=START + dt.timedelta(days=1),
        params=RunParams(**params),
        spec=make_frozen_spec(source=source),
    )


def request(source: Source, **params: Any) -> ListingRequest:
    return listing_request(manifest(source, **params), make_settings())


def test_source_by_date_lists_the_day_on_which_the_night_begins() -> None:
    asked = request(Source(by="date_prefix", prefix="notes/dt={ds}/"), prefix="a")
    assert list(asked.prefixes) == ["notes/dt=2026-11-10/a"]
    assert (asked.window_start_at, asked.window_end_at) == (None, None)
    assert asked.bucket == "documents"


def test_source_by_time_lists_its_prefix_within_the_window() -> None:
    asked = request(Source(by="last_modified", prefix="notes/", bucket="mine", suffixes=(".md",)))
    assert (list(asked.prefixes), asked.bucket, asked.suffixes) == (["notes/"], "mine", (".md",))
    assert (asked.window_start_at, asked.window_end_at) == (START, START + dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("batches", "size", "expected"),
    [
        ([], 3, []),
        ([2], 3, [2]),
        ([3], 3, [3]),
        ([7], 3, [3, 3, 1]),
        ([2, 2, 2], 3, [3, 3]),
        ([1, 0, 5], 2, [2, 2, 2]),
    ],
    ids=str,
)
def test_listing_is_cut_into_slices_in_order(
    batches: list[int], size: int, expected: list[int]
) -> None:
    numbers = iter(range(sum(batches)))
    tables = [pa.table({"n": [next(numbers) for _ in range(count)]}) for count in batches]
    slices: dict[int, list[int]] = {}
    for number, piece in cut(tables, size):
        slices.setdefault(number, []).extend(piece["n"].to_pylist())
    assert [len(rows) for rows in slices.values()] == expected
    assert [n for rows in slices.values() for n in rows] == list(range(sum(batches)))
