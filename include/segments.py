"""Segments: request lines in independent zstd frames, so that any line can be read alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, Self

import zstandard

FRAME_BYTES = 4_000_000
"""Uncompressed size at which a frame is closed: what reading one line costs."""

_BODY_START = b'{"requests":['
_BODY_END = b"]}"


class Place(NamedTuple):
    """Where one line lies."""

    segment_key: str
    frame_start: int
    """Offset of the frame in the segment, in bytes."""
    frame_length: int
    line_start: int
    """Offset of the line in the uncompressed frame, in bytes."""
    line_length: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return the place that a row of the request index names."""
        return cls(**{name: row[name] for name in cls._fields})


class RangeReader(Protocol):
    """Something that segments can be read from: a bucket, or a folder."""

    def read_range(self, key: str, *, start: int, length: int) -> bytes:
        """Return `length` bytes from `start` on."""


@dataclass
class SegmentWriter:
    """Appends lines to a file, frame by frame."""

    file: BinaryIO
    segment_key: str
    _lines: list[bytes] = field(default_factory=list)
    _pending_bytes: int = 0
    _frame_start: int = 0

    def append(self, line: bytes) -> list[Place]:
        """Add a line; return the places of all lines of a frame when that closes one."""
        self._lines.append(line)
        self._pending_bytes += len(line) + 1
        return self.close_frame() if self._pending_bytes >= FRAME_BYTES else []

    def close_frame(self) -> list[Place]:
        """Write what is pending as one frame, and return the places of its lines, in order."""
        if not self._lines:
            return []
        frame = zstandard.ZstdCompressor(level=3).compress(b"\n".join(self._lines) + b"\n")
        self.file.write(frame)
        places, start = [], 0
        for line in self._lines:
            places.append(Place(self.segment_key, self._frame_start, len(frame), start, len(line)))
            start += len(line) + 1
        self._frame_start += len(frame)
        self._lines, self._pending_bytes = [], 0
        return places


def read_lines(store: RangeReader, places: Iterable[Place]) -> Iterator[bytes]:
    """Yield the line at each place; places of one frame should follow each other."""
    return chain.from_iterable(read_groups(store, places))


def read_groups(store: RangeReader, places: Iterable[Place]) -> Iterator[list[bytes]]:
    """Yield the lines at places that follow each other in one frame, for all places in order."""
    for _, group in groupby(places, key=itemgetter(0, 1)):
        ones = list(group)
        packed = store.read_range(
            ones[0].segment_key, start=ones[0].frame_start, length=ones[0].frame_length
        )
        frame = zstandard.ZstdDecompressor().decompress(packed)
        yield [frame[start : start + length] for _, _, _, start, length in ones]


def body_bytes(line_bytes: int, line_count: int) -> int:
    """Return the size on the wire of a batch of `line_count` requests, `line_bytes` in all."""
    return len(_BODY_START) + line_bytes + max(line_count - 1, 0) + len(_BODY_END)


@dataclass(frozen=True, slots=True)
class WrittenBody:
    """The JSON body of a batch on disk."""

    path: Path
    byte_count: int
    request_count: int


def write_body(groups: Iterable[list[bytes]], path: Path) -> WrittenBody:
    """Write the JSON body of `POST /v1/messages/batches`, a group of lines at a time."""
    count = 0
    with path.open("wb") as file:
        file.write(_BODY_START)
        for lines in groups:
            if count and lines:
                file.write(b",")
            file.write(b",".join(lines))
            count += len(lines)
        file.write(_BODY_END)
        byte_count = file.tell()
    return WrittenBody(path, byte_count, count)
