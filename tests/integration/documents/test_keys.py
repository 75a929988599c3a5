"""Keys of every kind that S3 allows, through listing and fetching.

SeaweedFS keeps objects as files: it refuses `.` and `..` between slashes, makes one slash of two
and of a backslash, and drops one in front. Such keys go through a server of a few lines instead,
which answers as S3 does: it takes the path of a request literally, and encodes keys in lists.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote_plus, unquote

import boto3
import pytest
from botocore.config import Config

from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.fetching import fetch_and_extract
from include.documents.listing import ListingRequest, list_objects
from include.documents.pool import ExtractionPool

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

KEYS = [
    "a b/c+d%20.txt",
    "trailing blank ",
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "日本/語.txt",
    "😀.txt",
    "line\nbreak.txt",
    "tab\tand\rreturn.txt",
    "quote\"'&<>.txt",
    "..hidden/.../x.txt",
    "what?is=this&that#here;",
    "%2F%00%",
    "+",
    "[x]{y}|z^`~:@$!*(),",
    "a\u2028b\u200b.txt",
    "x" * 200,
]
KEYS_OF_S3_ALONE = [
    "a/../b.txt",
    "../up.txt",
    "./here.txt",
    "a/./b.txt",
    "..",
    "a//b.txt",
    "/lead.txt",
    "//two.txt",
    "back\\slash.txt",
    "http://example.org/x",
    "folder/",
    "\x01\x1f\x7f.txt",
    "\ufffe.txt",
    "x" * 1024,
]


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    with ExtractionPool(ExtractionLimits(), workers=1) as pool:
        yield pool


def _text_of(key: str) -> str:
    """A text that says which object it is."""
    return f"The object {key.encode().hex()}"


def _texts_by_key(
    client: "S3Client", request: ListingRequest, pool: ExtractionPool, *, versioned: bool
) -> dict[str, str | None]:
    existing = list_objects(client, request, versioned=versioned)
    listed = (one.document for one in existing if one.document)
    found = fetch_and_extract(client, listed, pool, fetch_threads=2)
    return {
        item.key: extraction.text
        for item, extraction in found
        if isinstance(extraction, Extraction)
    }


@pytest.mark.parametrize("versioned", [False, True])
def test_keys_lead_back_to_their_objects(
    s3: "S3Client", bucket: str, versioned_bucket: str, pool: ExtractionPool, *, versioned: bool
) -> None:
    name = versioned_bucket if versioned else bucket
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=_text_of(key).encode())
    texts = _texts_by_key(s3, ListingRequest(name), pool, versioned=versioned)
    assert texts == {key: _text_of(key) for key in KEYS}


@pytest.mark.parametrize("versioned", [False, True])
def test_keys_that_are_no_paths_lead_back_to_their_objects(
    literal_s3: Callable[[list[str]], "S3Client"], pool: ExtractionPool, *, versioned: bool
) -> None:
    keys = KEYS + KEYS_OF_S3_ALONE
    texts = _texts_by_key(literal_s3(keys), ListingRequest("bucket"), pool, versioned=versioned)
    assert texts == {key: _text_of(key) for key in keys}


@pytest.mark.parametrize("prefix", ["a b/c+d%", "caf\u00e9", "/", "..", "line\n", "quote\"'&<"])
def test_prefixes_are_taken_literally(
    literal_s3: Callable[[list[str]], "S3Client"], pool: ExtractionPool, prefix: str
) -> None:
    keys = KEYS + KEYS_OF_S3_ALONE
    request = ListingRequest("bucket", prefixes=(prefix,))
    texts = _texts_by_key(literal_s3(keys), request, pool, versioned=False)
    assert sorted(texts) == sorted(key for key in keys if key.startswith(prefix))


@pytest.fixture
def literal_s3() -> Iterator[Callable[[list[str]], "S3Client"]]:
    """Return clients of a server that has the objects of the keys given, in the bucket `bucket`."""
    servers: list[ThreadingHTTPServer] = []

    def start(keys: list[str]) -> "S3Client":
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(keys))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _handler_of(keys: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            key = unquote(path).removeprefix("/bucket").removeprefix("/")
            asked = parse_qs(query, keep_blank_values=True)
            if not key:
                self._answer(200, _listing(keys, asked).encode())
            elif key in keys:
                self._answer(200, _text_of(key).encode())
            else:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _listing(keys: list[str], asked: dict[str, list[str]]) -> str:
    assert asked["encoding-type"] == ["url"]
    (prefix,) = asked.get("prefix", [""])
    kind, entry = (
        ("ListVersionsResult", "Version")
        if "versions" in asked
        else (
            "ListBucketResult",
            "Contents",
        )
    )
    entries = "".join(
        f"<{entry}><Key>{quote_plus(key, safe='/')}</Key><VersionId>1</VersionId>"
        "<IsLatest>true</IsLatest><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f'<ETag>"0"</ETag><Size>{len(_text_of(key))}</Size></{entry}>'
        for key in keys
        if key.startswith(prefix)
    )
    return f"<{kind}><EncodingType>url</EncodingType>{entries}</{kind}>"
