"""Packing: requests, in order, into shards that each fit one batch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from include.segments import body_bytes

IndexRow = dict[str, Any]
"""A row of the index of requests that are to be bought."""


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """What one batch may hold."""

    max_requests: int
    max_bytes: int
    """Bytes on the wire, the JSON around the requests included."""


def pack(
    rows: Iterable[IndexRow], limits: ShardLimits, *, taken_counts: set[int]
) -> Iterator[list[IndexRow]]:
    """Group rows, in order, into shards.

    No two open shards should have the same number of requests, so that a batch whose answer was
    lost can be told by its count: a shard takes a few requests fewer when its count is taken. Where
    that cannot be had (a single request is left, say), counts may repeat; the results then tell.

    Args:
        rows: Each with `line_length`.
        limits: What one batch may hold.
        taken_counts: Request counts of open shards; those of the shards yielded are added.
    """
    waiting: list[IndexRow] = []
    waiting_bytes = 0
    for row in rows:
        waiting.append(row)
        waiting_bytes += row["line_length"]
        while waiting and (
            len(waiting) > limits.max_requests
            or body_bytes(waiting_bytes, len(waiting)) > limits.max_bytes
        ):
            # Everything but the row that made it too much fits; a row too large for any batch
            # goes alone, and the API refuses that batch alone.
            shard, waiting = _split(waiting, max(len(waiting) - 1, 1), taken_counts)
            waiting_bytes = sum(row["line_length"] for row in waiting)
            yield shard
    while waiting:
        shard, waiting = _split(waiting, len(waiting), taken_counts)
        yield shard


def _split(
    rows: list[IndexRow], fitting: int, taken_counts: set[int]
) -> tuple[list[IndexRow], list[IndexRow]]:
    count = next((n for n in range(fitting, 0, -1) if n not in taken_counts), fitting)
    taken_counts.add(count)
    return rows[:count], rows[count:]
