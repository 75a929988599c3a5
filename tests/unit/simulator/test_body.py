import gzip
import hashlib
import io
from contextlib import ExitStack

import pytest

from include.simulator.body import read_body
from include.simulator.errors import ApiError


@pytest.fixture
def read(tmp_path):
    with ExitStack() as opened:

        def read_bytes(content: bytes, max_bytes: int = 1_000, **headers: str):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            named.setdefault("content-length", str(len(content)))
            source = io.BytesIO(content)
            body = read_body(source, named, max_bytes=max_bytes, folder=tmp_path)
            opened.enter_context(body.file)
            return body

        yield read_bytes


def test_a_sized_body_is_read_and_hashed(read):
    body = read(b"hello")
    assert (body.file.read(), body.wire_bytes) == (b"hello", 5)
    assert body.wire_sha256 == hashlib.sha256(b"hello").hexdigest()


def test_a_chunked_body_is_put_together(read):
    content = b"2;note=1\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
    assert read(content, content_length="0", transfer_encoding="chunked").file.read() == b"hello"


def test_a_compressed_body_is_unpacked(read):
    packed = gzip.compress(b"hello")
    body = read(packed, content_encoding="gzip")
    assert (body.file.read(), body.wire_bytes) == (b"hello", len(packed))


def test_a_large_body_is_spooled(read):
    assert len(read(b"x" * (1 << 21), max_bytes=1 << 22).file.read()) == 1 << 21


@pytest.mark.parametrize(
    ("content", "headers", "status", "error_code"),
    [
        (b"x" * 1_001, {}, 413, None),
        (gzip.compress(b"x" * 9_000, mtime=0), {"content_encoding": "gzip"}, 413, "decoding"),
        (b"x", {"content_encoding": "br"}, 400, "unsupported"),
        (b"not gzip", {"content_encoding": "gzip"}, 400, "invalid"),
    ],
    ids=["too large", "too large when unpacked", "unknown encoding", "wrong encoding"],
)
def test_a_body_that_cannot_be_taken_is_refused(read, content, headers, status, error_code):
    with pytest.raises(ApiError) as refusal:
        read(content, **headers)
    assert refusal.value.status == status
    assert (error_code or "") in (refusal.value.error_code or "")


def test_a_body_that_ends_early_is_a_lost_connection(read):
    with pytest.raises(ConnectionError):
        read(b"he", content_length="5")
