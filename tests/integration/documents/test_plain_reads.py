import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from include.documents.plain_reads import MOST_FAILURES, PlainReads
from local_stack.ports import HOST

if TYPE_CHECKING:
    from email.message import Message

    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

BODY = b"words"


class Server(ThreadingHTTPServer):
    """Hands over the same object, `kept_bytes` of it, to whoever comes with a signature."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.etag = '"tag"'
        self.calls: list[tuple[str, Message]] = []
        self.connection_count = 0
        self.heal()

    def heal(self) -> None:
        """Hand over whole objects from now on."""
        self.kept_bytes, self.status, self.location = len(BODY), 200, ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connection_count += 1

    def do_GET(self) -> None:
        server = self.server
        server.calls.append((self.path, self.headers))
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(BODY)))
        self.send_header("ETag", server.etag)
        self.send_header("x-amz-version-id", "a+/=")
        if server.location:
            self.send_header("Location", server.location)
        self.end_headers()
        self.wfile.write(BODY[: server.kept_bytes])
        self.close_connection = server.kept_bytes < len(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _client(server: Server, *, token: str | None = None, **options: Any) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="eu-west-3",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        aws_session_token=token,
        config=Config(
            **{"signature_version": "s3v4", "s3": {"addressing_style": "path"}, **options}
        ),
    )


REQUEST = {"Bucket": "bucket", "Key": "a b/ü+%.txt", "IfMatch": '"tag"'}
NATIVE, CLIENT = "native", "client"


def askers(server: Server) -> list[str]:
    """Return who has asked the server, in turn."""
    agents = (headers["User-Agent"] for _, headers in server.calls)
    return [CLIENT if agent.startswith("Boto3/") else NATIVE for agent in agents]


class Reader:
    """Reads once as a fetch does, and tells who handed the object over."""

    def __init__(self, client: "S3Client", server: Server, *, spool_bytes: int = 100) -> None:
        self.client = client
        self._server = server
        self.plain = PlainReads(client, spool_bytes=spool_bytes)

    def read(self, **changes: str) -> str:
        """Return who has read."""
        request = {**REQUEST, **changes}
        who = NATIVE

        def by_client() -> io.BytesIO:
            nonlocal who
            who = CLIENT
            self._server.heal()
            return io.BytesIO(self.client.get_object(**request)["Body"].read())

        with self.plain.read(request, by_client) as file:
            file.seek(0)
            assert file.read() == BODY
        return who


@pytest.fixture
def reader(server: Server) -> Iterator[Reader]:
    """Yield one that knows already where the bucket is."""
    with opened(_client(server), server) as reader:
        yield reader


@contextmanager
def opened(client: "S3Client", server: Server, *, spool_bytes: int = 100) -> Iterator[Reader]:
    reader = Reader(client, server, spool_bytes=spool_bytes)
    with reader.plain:
        assert reader.read() == CLIENT
        server.calls.clear()
        yield reader


def test_objects_are_read_signed_with_their_condition_over_kept_connections(
    server: Server, reader: Reader
) -> None:
    assert {reader.read() for _ in range(20)} == {NATIVE}
    assert server.connection_count < 11  # a busy machine may not have one back in time
    path, headers = server.calls[0]
    assert path == "/bucket/a%20b/%C3%BC%2B%25.txt"
    assert headers["If-Match"] == '"tag"'
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=any/\d{8}/eu-west-3/s3/aws4_request, ",
        headers["Authorization"],
    )


def test_a_version_is_asked_for_by_its_id(server: Server) -> None:
    request = {"Bucket": "bucket", "Key": "a.txt", "VersionId": "a+/="}
    client = _client(server)
    with PlainReads(client, spool_bytes=100) as plain:
        for _ in range(2):
            plain.read(request, lambda: io.BytesIO(client.get_object(**request)["Body"].read()))
    assert [path for path, _ in server.calls] == ["/bucket/a.txt?versionId=a%2B%2F%3D"] * 2
    assert askers(server) == [CLIENT, NATIVE]


def test_large_objects_are_spooled(server: Server) -> None:
    with opened(_client(server), server, spool_bytes=len(BODY) - 1) as reader:
        file = reader.plain.read(REQUEST, pytest.fail)
        assert isinstance(file, SpooledTemporaryFile)
        with file:
            file.seek(0)
            assert file.read() == BODY


@pytest.mark.parametrize("key", ["/a", "a/", "a//b", "..", "a/./b", "a\nb", "a\x7fb", "a\u0085b"])
def test_keys_that_the_native_client_reads_otherwise_are_left_to_the_client(
    server: Server, reader: Reader, key: str
) -> None:
    for _ in range(MOST_FAILURES + 1):
        assert reader.read(Key=key) == CLIENT
    assert reader.read() == NATIVE
    assert askers(server) == [CLIENT] * (MOST_FAILURES + 1) + [NATIVE]


def test_tags_that_make_no_header_are_left_to_the_client(server: Server, reader: Reader) -> None:
    file = reader.plain.read({**REQUEST, "IfMatch": '"a\tb"'}, lambda: io.BytesIO(BODY))
    assert file.read() == BODY
    assert not server.calls


@pytest.mark.parametrize(("status", "kept_bytes"), [(200, 2), (404, 5), (301, 5), (500, 5)])
def test_whatever_is_no_whole_object_is_left_to_the_client(
    server: Server, reader: Reader, status: int, kept_bytes: int
) -> None:
    server.status, server.kept_bytes = status, kept_bytes
    assert reader.read() == CLIENT
    assert reader.read() == NATIVE  # over a new connection


def test_no_more_is_tried_where_only_the_client_succeeds(server: Server, reader: Reader) -> None:
    for _ in range(MOST_FAILURES):
        server.status = 403
        assert reader.read() == CLIENT
    server.calls.clear()
    assert reader.read() == CLIENT
    assert askers(server) == [CLIENT]


def test_errors_of_the_client_pass_and_are_no_failure_of_ours(
    server: Server, reader: Reader
) -> None:
    for _ in range(MOST_FAILURES):
        server.status = 404
        with pytest.raises(LookupError):
            reader.plain.read(REQUEST, {}.popitem)
    server.heal()
    assert reader.read() == NATIVE


@pytest.mark.parametrize("status", [301, 302, 307])
def test_page_that_a_redirect_leads_to_is_no_document(
    server: Server, reader: Reader, status: int
) -> None:
    with Server() as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        other.etag = '"other"'
        server.status, server.location = status, f"http://{HOST}:{other.server_port}/login"
        assert reader.read() == CLIENT
        other.shutdown()


def test_session_token_goes_over_no_open_line(server: Server) -> None:
    with opened(_client(server, token="for an hour"), server) as reader:
        assert reader.read() == CLIENT
        assert askers(server) == [CLIENT]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
        ("AWS_SKIP_SIGNATURE", "true"),
        ("AWS_REQUEST_PAYER", "requester"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
    ],
)
def test_nothing_is_read_here_where_variables_say_what_only_obstore_obeys(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    client = _client(server)
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "*")
    with opened(client, server) as reader:
        assert reader.read() == CLIENT
        assert askers(server) == [CLIENT]


def test_a_bucket_is_read_where_the_client_was_led_to(server: Server) -> None:
    client = _client(server)

    def lead(request: Any, **_: object) -> None:
        """Do what botocore does when S3 has told it another region."""
        request.context["signing"] = {**request.context.get("signing", {}), "region": region}

    client.meta.events.register_first("before-sign.s3.GetObject", lead)
    region = "us-west-1"
    with opened(client, server) as reader:
        assert reader.read() == NATIVE
        assert "/us-west-1/s3/" in server.calls[-1][1]["Authorization"]
        region, server.status = "us-west-2", 400
        assert reader.read() == CLIENT
        assert reader.read() == NATIVE
        assert "/us-west-2/s3/" in server.calls[-1][1]["Authorization"]


def test_a_bucket_in_the_name_of_its_host_is_read_there(server: Server) -> None:
    client = _client(server)

    def move(request: Any, **_: object) -> None:
        request.url = request.url.replace("/bucket/", "/")

    client.meta.events.register_first("before-sign.s3.GetObject", move)
    with opened(client, server) as reader:
        assert reader.read() == NATIVE
        assert server.calls[-1][0] == "/a%20b/%C3%BC%2B%25.txt"


def test_one_that_succeeds_ends_a_row_of_failures(server: Server, reader: Reader) -> None:
    for _ in range(2):
        for _ in range(MOST_FAILURES - 1):
            server.status = 403
            assert reader.read() == CLIENT
        assert reader.read() == NATIVE


@pytest.mark.parametrize("signature", [UNSIGNED, "s3"])
def test_what_is_signed_otherwise_is_left_to_the_client(server: Server, signature: Any) -> None:
    with opened(_client(server, signature_version=signature), server) as reader:
        assert reader.read() == CLIENT
        assert askers(server) == [CLIENT]


def test_nothing_is_read_past_a_proxy(server: Server) -> None:
    client = _client(server, proxies={"http": f"http://{HOST}:{server.server_port}"})
    with opened(client, server) as reader:
        assert reader.read() == CLIENT
        assert askers(server) == [CLIENT]
