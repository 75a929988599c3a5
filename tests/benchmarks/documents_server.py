"""A bucket of made-up documents that speaks as much S3 as listing and fetching need.

A server of its own, so that what it takes to make documents up is nobody's cost.
"""

import asyncio
import hashlib
import re
import sys
from urllib.parse import parse_qs, unquote, urlsplit

from tests.benchmarks.corpus import FOLDER, content_of, key_of, number_of

PAGE_KEYS = 1_000
SINK = "sink"
"""Takes any body."""
_HEADER_END = b"\r\n\r\n"
_MODIFIED = "2026-11-10T12:00:00.000Z"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_NO_VERSIONS = f'<VersioningConfiguration xmlns="{_NAMESPACE}"/>'


def list_page(prefix: str, start: int, count: int) -> str:
    """Return one page of a listing of `count` documents, from document `start` on."""
    end = min(start + PAGE_KEYS, count) if FOLDER.startswith(prefix) else start
    entries = "".join(
        f"<Contents><Key>{key_of(number)}</Key><LastModified>{_MODIFIED}</LastModified>"
        f"<ETag>&quot;{etag_of(number)}&quot;</ETag><Size>2000</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(start, end)
    )
    is_cut = start < end < count
    token = f"<NextContinuationToken>{end}</NextContinuationToken>" if is_cut else ""
    return (
        f'<ListBucketResult xmlns="{_NAMESPACE}"><Name>b</Name><Prefix>{prefix}</Prefix>'
        f"<KeyCount>{end - start}</KeyCount><MaxKeys>{PAGE_KEYS}</MaxKeys>"
        f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
    )


def etag_of(number: int) -> str:
    """Return the ETag of a document."""
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


class _Connection(asyncio.Protocol):
    """Answers the requests of one connection, one after the other; their bodies go nowhere."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting = b""
        self._body_bytes = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if self._body_bytes:
            skipped = min(self._body_bytes, len(data))
            self._body_bytes -= skipped
            data = data[skipped:]
        self._waiting += data
        while not self._body_bytes and _HEADER_END in self._waiting:
            head, _, self._waiting = self._waiting.partition(_HEADER_END)
            length = re.search(rb"(?i)content-length: (\d+)", head)
            sent, self._body_bytes = len(self._waiting), int(length[1]) if length else 0
            if self._body_bytes:
                self._waiting = self._waiting[self._body_bytes :]
                self._body_bytes -= min(sent, self._body_bytes)
            self._transport.write(self._answer(head.split(b" ", 2)[1].decode()))

    def _answer(self, target: str) -> bytes:
        url = urlsplit(target)
        query = parse_qs(url.query, keep_blank_values=True)
        key = unquote(url.path).lstrip("/").partition("/")[2]
        if key == SINK:
            etag, body = "", b""
        elif key:
            etag, body = etag_of(number_of(key)), content_of(number_of(key))
        elif "versioning" in query:
            etag, body = "", _NO_VERSIONS.encode()
        else:
            start = int(query.get("continuation-token", ["0"])[0])
            etag, body = "", list_page(query["prefix"][0], start, self._count).encode()
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Type: application/xml\r\n"
            f'ETag: "{etag}"\r\nLast-Modified: Tue, 10 Nov 2026 12:00:00 GMT\r\n\r\n'
        )
        return head.encode() + body


async def serve(count: int) -> None:
    """Serve a bucket of `count` documents, and say where."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(count), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
