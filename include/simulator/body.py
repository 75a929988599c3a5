"""Take a request body off the socket: hashed, decoded, bounded, never whole in memory."""

import hashlib
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO, NoReturn, Self

from include.simulator.errors import refuse

_BLOCK_BYTES = 1 << 16
_MEMORY_BYTES = 1 << 20
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Body:
    """A body at rest."""

    file: IO[bytes]
    """Decoded."""
    wire_bytes: int
    wire_sha256: str

    @classmethod
    def empty(cls) -> Self:
        """Return a body of nothing."""
        return cls(io.BytesIO(), 0, hashlib.sha256().hexdigest())


def read_body(
    source: BufferedIOBase, headers: Mapping[str, str], *, max_bytes: int, folder: Path
) -> Body:
    """Read one body to its end.

    Args:
        source: The connection, after the headers.
        headers: Names in lower case.
        max_bytes: Of the body, as sent and as decoded.
        folder: Where a large body is spooled.

    Raises:
        ApiError: It is too large, or encoded in a way that is not understood.
        ConnectionError: The client went away in the middle of it.
    """
    length = int(headers.get("content-length") or 0)
    if length > max_bytes:
        _refuse_size(max_bytes)
    is_chunked = "chunked" in headers.get("transfer-encoding", "")
    blocks = _chunked(source) if is_chunked else _sized(source, length)
    decode = _decoder(headers.get("content-encoding", "identity"))
    with ExitStack() as stack:
        file = stack.enter_context(
            tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES, dir=str(folder))
        )
        digest, wire_bytes = hashlib.sha256(), 0
        for block in blocks:
            digest.update(block)
            wire_bytes += len(block)
            file.write(decode(block))
            _check_size(wire_bytes, file.tell(), max_bytes)
        file.seek(0)
        stack.pop_all()
    return Body(file, wire_bytes, digest.hexdigest())


def _sized(source: BufferedIOBase, length: int) -> Iterator[bytes]:
    while length > 0:
        block = source.read(min(length, _BLOCK_BYTES))
        if not block:
            msg = f"the body ended {length} bytes early"
            raise ConnectionResetError(msg)
        length -= len(block)
        yield block


def _chunked(source: BufferedIOBase) -> Iterator[bytes]:
    while size := int(source.readline().split(b";")[0] or b"0", 16):
        yield from _sized(source, size)
        source.readline()
    while source.readline().strip():
        """Trailers say nothing of interest."""


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    """Return what undoes `Content-Encoding`. Which ones the API takes is not documented."""
    if encoding == "identity":
        return bytes
    if encoding != "gzip":
        refuse(
            400,
            f"Content-Encoding '{encoding}' is not supported",
            error_code="request_body_encoding_unsupported",
        )
    decompress = zlib.decompressobj(_GZIP_WINDOW).decompress

    def decode(block: bytes) -> bytes:
        try:
            return decompress(block)
        except zlib.error:
            refuse(400, "The body is not valid gzip", error_code="request_body_encoding_invalid")

    return decode


def _check_size(wire_bytes: int, decoded_bytes: int, max_bytes: int) -> None:
    if wire_bytes > max_bytes:
        _refuse_size(max_bytes)
    if decoded_bytes > max_bytes:
        refuse(
            413,
            f"The decoded body exceeds {max_bytes} bytes",
            error_code="request_body_too_large_after_decoding",
        )


def _refuse_size(max_bytes: int) -> NoReturn:
    refuse(413, f"Request exceeds the maximum size of {max_bytes} bytes")
