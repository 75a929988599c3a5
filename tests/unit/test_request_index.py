from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.request_index import INDEX_SCHEMA, ROWS_PER_GROUP, RequestIndexWriter
from include.segments import Place, read_lines
from include.storage import ObjectStore

PLACE_NAMES = Place._fields


def row(number: int, request_id: str | None) -> dict[str, Any]:
    return {"document_id": f"document-{number}", "request_id": request_id}


def read(store: ObjectStore, folder: Path) -> list[tuple[str | None, bytes | None]]:
    """Return each row's request id with the line that its place leads to."""
    store.upload(folder / "segment", "segment")
    found = []
    for one in pq.read_table(folder / "index").to_pylist():
        place = Place(**{name: one[name] for name in PLACE_NAMES})
        line = next(read_lines(store, [place])) if place.segment_key else None
        found.append((one["request_id"], line))
    return found


def write(folder: Path) -> RequestIndexWriter:
    return RequestIndexWriter(folder / "segment", folder / "index", segment_key="segment")


def test_every_row_leads_to_the_line_of_its_request(store: ObjectStore, tmp_path: Path) -> None:
    with write(tmp_path) as index:
        index.add(row(0, "a"), b"line a")
        index.add(row(1, None))
        index.add(row(2, "b"), b"line b")
    assert read(store, tmp_path) == [("a", b"line a"), (None, None), ("b", b"line b")]
    assert (index.row_count, index.request_count) == (3, 2)
    assert pq.read_schema(tmp_path / "index").equals(INDEX_SCHEMA)


@pytest.mark.parametrize("between", [0, ROWS_PER_GROUP], ids=["same group", "later group"])
def test_request_that_repeats_is_written_once(
    store: ObjectStore, tmp_path: Path, between: int
) -> None:
    with write(tmp_path) as index:
        index.add(row(0, "a"), b"line a")
        for number in range(between):
            index.add(row(number, None))
        index.add(row(1, "a"), b"line a")
    assert index.request_count == 1
    found = read(store, tmp_path)
    assert (found[0], found[-1]) == (("a", b"line a"), ("a", b"line a"))


def test_places_are_known_although_a_frame_closes_amid_a_group(
    store: ObjectStore, tmp_path: Path
) -> None:
    lines = [f"{n}".encode() * 400_000 for n in range(5)]
    with write(tmp_path) as index:
        for number, line in enumerate(lines):
            index.add(row(number, f"r{number}"), line)
    assert [line for _, line in read(store, tmp_path)] == lines


def test_slice_without_documents_is_an_empty_index(store: ObjectStore, tmp_path: Path) -> None:
    with write(tmp_path):
        pass
    assert read(store, tmp_path) == []


def test_files_are_closed_when_building_fails(tmp_path: Path) -> None:
    index = write(tmp_path)
    with pytest.raises(KeyError), index:
        index.add({"document_id": "x"}, b"line")
    assert index._file.closed
