"""Take what a gzip file holds out of it, all of its members, in bounded memory."""

import io
import re
import zlib

from include.documents.extraction import NoTextError

GZIP_MAGIC = b"\x1f\x8b"
_NO_PADDING = re.compile(rb"[^\0]")
"""Tapes pad with zeros."""
_DAMAGED = "The gzip file is damaged or cut off."
_CHUNK_BYTES = 256 * 2**10
_FIRST_BYTES = 512
"""A chunk at the beginning of a member is small, as millions of members are, and grows with it."""


def unpack_gzip(content: bytes, max_unpacked_bytes: int) -> tuple[bytes, str]:
    """Return what a gzip file holds, and a note about what lies behind it.

    Raises:
        NoTextError: It is damaged, or holds more than `max_unpacked_bytes`.
    """
    members = io.BytesIO()
    place = 0
    while content.startswith(GZIP_MAGIC, place):
        place = _unpack_member(content, place, members, max_unpacked_bytes)
        behind = _NO_PADDING.search(content, place)
        place = behind.start() if behind else len(content)
    left_bytes = len(content) - place
    note = f"{left_bytes:,} bytes behind the gzip data were left out." if left_bytes else ""
    return members.getvalue(), note


def _unpack_member(content: bytes, start: int, members: io.BytesIO, max_unpacked_bytes: int) -> int:
    """Append one of the members that a gzip file strings together; return where it ends."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with header and check sum
    place = start
    while not member.eof:
        chunk = member.unconsumed_tail
        if not chunk:
            chunk_bytes = min(_CHUNK_BYTES, _FIRST_BYTES + place - start)
            chunk = content[place : place + chunk_bytes]
            place += len(chunk)
        try:
            piece = member.decompress(chunk, _CHUNK_BYTES)
        except zlib.error as error:
            raise NoTextError(outcome="corrupt", reason=_DAMAGED) from error
        if not chunk and not piece and not member.eof:
            raise NoTextError(outcome="corrupt", reason=_DAMAGED)
        members.write(piece)
        if members.tell() > max_unpacked_bytes:
            reason = f"The gzip file unpacks to more than {max_unpacked_bytes:,} bytes."
            raise NoTextError(outcome="too_large", reason=reason)
    return place - len(member.unused_data)
