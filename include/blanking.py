"""Blanking: request lines made unreadable in a segment, without moving any other line."""

import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from include.errors import PermanentError
from include.results import read_custom_id

_LEVELS = (3, 9, 15, 19, 22)
"""The first is that of the segment; the others make a frame shorter, should it not fit."""
_SKIPPABLE = b"\x50\x2a\x4d\x18"
"""Source: RFC 8878, 3.1.2: what decoders pass over, its length in the next four bytes."""
_HEADER_BYTES = 8
_CHUNK_BYTES = 1_000_000


class BlankingError(PermanentError):
    """A segment cannot be rewritten in its place."""


def blank_lines(path: Path, request_ids: Collection[str]) -> int:
    """Overwrite the lines of some requests with spaces, and return how many.

    Every frame keeps its place and length in the file, and every line its own in the frame, so what
    names them stays true: an open shard may need the line beside.

    Args:
        path: A segment on disk.
        request_ids: Whose lines go.

    Raises:
        BlankingError: The file is no segment, or a frame would not fit in its place.
    """
    blanked = 0
    with path.open("r+b") as file:
        for start, length in list(_frames(file)):
            file.seek(start)
            lines = zstandard.ZstdDecompressor().decompress(file.read(length)).split(b"\n")
            doomed = [n for n, line in enumerate(lines) if read_custom_id(line) in request_ids]
            if not doomed:
                continue
            for number in doomed:
                lines[number] = b" " * len(lines[number])
            file.seek(start)
            file.write(_packed(b"\n".join(lines), length, path))
            blanked += len(doomed)
    return blanked


def _frames(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield the place and length of every frame, one frame in memory at a time."""
    start, end = 0, file.seek(0, io.SEEK_END)
    while start < end:
        file.seek(start)
        head = file.read(_HEADER_BYTES)
        if head[:4] == _SKIPPABLE:
            start += _HEADER_BYTES + int.from_bytes(head[4:], "little")
        elif not head[0]:
            start += 1
        else:
            length = _frame_length(file, start)
            yield start, length
            start += length


def _frame_length(file: BinaryIO, start: int) -> int:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    file.seek(start)
    while not decoder.eof:
        chunk = file.read(_CHUNK_BYTES)
        if not chunk:
            msg = f"{file.name} ends within the frame at byte {start}: it is no segment"
            raise BlankingError(msg)
        try:
            decoder.decompress(chunk)
        except zstandard.ZstdError as error:
            msg = f"{file.name} cannot be read at byte {start}: {error}"
            raise BlankingError(msg) from error
    return file.tell() - len(decoder.unused_data) - start


def _packed(data: bytes, length: int, path: Path) -> bytes:
    """Return a frame that fills exactly `length` bytes.

    A line less makes a frame shorter, unless another line was stored as a copy of it.
    """
    for level in _LEVELS:
        frame = zstandard.ZstdCompressor(level=level).compress(data)
        if len(frame) <= length:
            return frame + _filler(length - len(frame))
    msg = (
        f"a frame of {path.name} does not fit in its place once lines are blank; everything else "
        "is erased, and the segment goes with NIGHTSHIFT_SEGMENT_RETENTION_DAYS"
    )
    raise BlankingError(msg)


def _filler(length: int) -> bytes:
    """Return bytes that every decoder passes over; fewer than 8 can only be zeros."""
    if length < _HEADER_BYTES:
        return b"\0" * length
    rest = length - _HEADER_BYTES
    return _SKIPPABLE + rest.to_bytes(4, "little") + b"\0" * rest
