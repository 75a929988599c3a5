import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.packing import IndexRow, ShardLimits, pack
from include.segments import body_bytes


def rows(*lengths: int) -> list[IndexRow]:
    return [{"request_id": str(n), "line_length": length} for n, length in enumerate(lengths)]


def counts(shards: list[list[IndexRow]]) -> list[int]:
    return [len(shard) for shard in shards]


def wire_bytes(shard: list[IndexRow]) -> int:
    return body_bytes(sum(row["line_length"] for row in shard), len(shard))


def test_nothing_needs_no_shard() -> None:
    assert list(pack([], ShardLimits(10, 1_000), taken_counts=set())) == []


def test_row_too_large_for_any_batch_goes_alone() -> None:
    shards = list(pack(rows(10, 500, 10), ShardLimits(10, 100), taken_counts=set()))
    assert [[row["line_length"] for row in shard] for shard in shards] == [[10], [500], [10]]


@pytest.mark.parametrize(
    ("total", "taken", "expected"),
    [
        pytest.param(7, set(), [3, 2, 1, 1], id="no two alike while there is a choice"),
        pytest.param(3, {3}, [2, 1], id="open shards count"),
        pytest.param(3, {1, 2, 3}, [3], id="no choice left"),
        pytest.param(1, {1}, [1], id="single request"),
    ],
)
def test_shards_differ_in_their_counts(total: int, taken: set[int], expected: list[int]) -> None:
    packed = list(pack(rows(*[10] * total), ShardLimits(3, 1_000), taken_counts=taken))
    assert counts(packed) == expected


def test_shard_is_filled_to_the_last_byte() -> None:
    limit = body_bytes(30, 3)
    exact = list(pack(rows(10, 10, 10), ShardLimits(10, limit), taken_counts=set()))
    over = list(pack(rows(10, 10, 11), ShardLimits(10, limit), taken_counts=set()))
    assert (counts(exact), counts(over)) == ([3], [2, 1])


@given(
    lengths=st.lists(st.integers(1, 120), max_size=60),
    max_requests=st.integers(1, 12),
    max_bytes=st.integers(1, 400),
    taken=st.sets(st.integers(1, 12)),
)
def test_every_request_is_in_exactly_one_shard_within_the_limits(
    lengths: list[int], max_requests: int, max_bytes: int, taken: set[int]
) -> None:
    needed = rows(*lengths)
    shards = list(pack(needed, ShardLimits(max_requests, max_bytes), taken_counts=taken))
    assert [row for shard in shards for row in shard] == needed
    for shard in shards:
        assert 1 <= len(shard) <= max_requests
        assert wire_bytes(shard) <= max_bytes or len(shard) == 1
