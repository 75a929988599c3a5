import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.segments import (
    FRAME_BYTES,
    Place,
    SegmentWriter,
    body_bytes,
    read_groups,
    read_lines,
    write_body,
)
from include.storage import ObjectStore
from tests.factories import make_store
from tests.fakes import FakeS3

LINES = [json.dumps({"n": n, "pad": "x" * (n * 7)}).encode() for n in range(5)]


def write(store: ObjectStore, lines: list[bytes]) -> list[Place]:
    """Write a segment, and return the places of its lines."""
    file = io.BytesIO()
    writer = SegmentWriter(file, "segment")
    places = [place for line in lines for place in writer.append(line)]
    places += writer.close_frame()
    store.write("segment", file.getvalue())
    return places


def test_any_line_can_be_read_alone(store: ObjectStore) -> None:
    places = write(store, LINES)
    for number in (3, 0, 4):
        assert list(read_lines(store, [places[number]])) == [LINES[number]]


def test_lines_of_one_frame_cost_one_read(store: ObjectStore, bucket: FakeS3) -> None:
    places = write(store, LINES)
    bucket.calls.clear()
    assert list(read_lines(store, places)) == LINES
    assert [verb for verb, _ in bucket.calls] == ["get"]


def test_frame_is_closed_when_it_is_full(store: ObjectStore) -> None:
    half = b"x" * (FRAME_BYTES // 2)
    places = write(store, [half, half, b"last"])
    assert [place.frame_start > 0 for place in places] == [False, False, True]
    assert list(read_lines(store, places)) == [half, half, b"last"]


def test_lines_that_do_not_follow_each_other_come_in_the_order_asked_for(
    store: ObjectStore,
) -> None:
    half = b"x" * (FRAME_BYTES // 2)
    places = write(store, [half, half, b"last"])
    mixed = [places[2], places[1], places[0], places[2]]
    assert [len(group) for group in read_groups(store, mixed)] == [1, 2, 1]
    assert list(read_lines(store, mixed)) == [b"last", half, half, b"last"]


def test_empty_segment_has_no_places(store: ObjectStore) -> None:
    assert write(store, []) == []


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line), max_size=20))
def test_lines_come_back_as_they_were(lines: list[bytes]) -> None:
    store = make_store(FakeS3())
    assert list(read_lines(store, write(store, lines))) == lines


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_size_of_a_body_is_known_before_it_is_written(tmp_path: Path, count: int) -> None:
    lines = LINES[:count]
    body = write_body(([], lines[:2], [], lines[2:]), tmp_path / "body")
    written = body.path.read_bytes()
    assert json.loads(written) == {"requests": [json.loads(line) for line in lines]}
    assert body.byte_count == len(written) == body_bytes(sum(map(len, lines)), count)
    assert body.request_count == count
