import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from include.documents.plain_reads import MOST_FAILURES, PlainReads
from local_stack.ports import HOST, draw_ports

if TYPE_CHECKING:
    from email.message import Message

    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

BODY = b"words"


class Server(ThreadingHTTPServer):
    """Hands over the same object, `kept_bytes` of it, to whoever comes with a signature."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kept_bytes = len(BODY)
        self.status = 200
        self.etag = '"tag"'
        self.location = ""
        self.calls: list[tuple[str, Message]] = []
        self.connection_count = 0


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


def test_objects_are_read_signed_with_their_condition_over_kept_connections(server: Server) -> None:
    with PlainReads(_client(server), spool_bytes=100) as plain:
        for _ in range(20):
            file = plain.read(REQUEST)
            assert file is not None
            with file:
                file.seek(0)
                assert file.read() == BODY
    assert server.connection_count < 10  # a busy machine may not have one back in time
    path, headers = server.calls[0]
    assert path == "/bucket/a%20b/%C3%BC%2B%25.txt"
    assert headers["If-Match"] == '"tag"'
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=any/\d{8}/eu-west-3/s3/aws4_request, ",
        headers["Authorization"],
    )


def test_a_version_is_asked_for_by_its_id(server: Server) -> None:
    with PlainReads(_client(server), spool_bytes=100) as plain:
        assert plain.read({"Bucket": "bucket", "Key": "a.txt", "VersionId": "a+/="}) is not None
    assert server.calls[0][0] == "/bucket/a.txt?versionId=a%2B%2F%3D"


def test_large_objects_are_spooled(server: Server) -> None:
    with PlainReads(_client(server), spool_bytes=len(BODY) - 1) as plain:
        file = plain.read(REQUEST)
        assert isinstance(file, SpooledTemporaryFile)
        with file:
            file.seek(0)
            assert file.read() == BODY


@pytest.mark.parametrize("key", ["/a", "a/", "a//b"])
def test_keys_with_empty_parts_are_left_to_the_client(server: Server, key: str) -> None:
    with PlainReads(_client(server), spool_bytes=100) as plain:
        assert not plain.can_read(REQUEST | {"Key": key})
        assert plain.can_read(REQUEST)


@pytest.mark.parametrize("key", ["..", "a/./b", "a\nb"])
def test_keys_that_the_native_client_refuses_are_left_to_the_client(
    server: Server, key: str
) -> None:
    with PlainReads(_client(server), spool_bytes=100) as plain:
        assert plain.read(REQUEST | {"Key": key}) is None
    assert not server.calls


@pytest.mark.parametrize(("status", "kept_bytes"), [(200, 2), (404, 5), (301, 5), (500, 5)])
def test_whatever_is_no_whole_object_is_left_to_the_client(
    server: Server, status: int, kept_bytes: int
) -> None:
    server.status, server.kept_bytes = status, kept_bytes
    with PlainReads(_client(server), spool_bytes=100) as plain:
        assert plain.read(REQUEST) is None
        server.status, server.kept_bytes = 200, len(BODY)
        file = plain.read(REQUEST)  # the connection is opened anew
        assert file is not None
        file.close()


def test_no_more_is_tried_where_only_the_client_succeeds(server: Server) -> None:
    server.status = 403
    with PlainReads(_client(server), spool_bytes=100) as plain:
        for _ in range(MOST_FAILURES):
            assert plain.can_read(REQUEST)
            assert plain.read(REQUEST) is None
            plain.count_failure("bucket")
        assert not plain.can_read(REQUEST)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_page_that_a_redirect_leads_to_is_no_document(server: Server, status: int) -> None:
    with Server() as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        other.etag = '"other"'
        server.status, server.location = status, f"http://{HOST}:{other.server_port}/login"
        with PlainReads(_client(server), spool_bytes=100) as plain:
            assert plain.read(REQUEST) is None
        other.shutdown()


def test_session_token_goes_over_no_open_line(server: Server) -> None:
    with PlainReads(_client(server, token="for an hour"), spool_bytes=100) as plain:
        assert plain.read(REQUEST) is None
    assert not server.calls


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
    with PlainReads(client, spool_bytes=100) as plain:
        assert not plain.can_read(REQUEST)


def test_after_a_failure_the_client_is_asked_again_where_the_bucket_is(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _client(server)
    asked = client.generate_presigned_url
    (nobody,) = draw_ports(1)
    places = iter([f"http://{HOST}:{nobody}/bucket/key", None])

    def redirected(*args: Any, **options: Any) -> str:
        return next(places) or asked(*args, **options)

    with PlainReads(client, spool_bytes=100) as plain:
        asked("get_object", Params={"Bucket": "bucket", "Key": "key"})
        monkeypatch.setattr(client, "generate_presigned_url", redirected)
        assert plain.read(REQUEST) is None
        plain.count_failure("bucket")
        assert plain.read(REQUEST) is not None


def test_one_that_succeeds_ends_a_row_of_failures(server: Server) -> None:
    with PlainReads(_client(server), spool_bytes=100) as plain:
        for _ in range(MOST_FAILURES - 1):
            plain.count_failure("bucket")
        assert plain.read(REQUEST) is not None
        plain.count_failure("bucket")
        assert plain.can_read(REQUEST)


def test_without_credentials_nothing_is_read_here(server: Server) -> None:
    client = _client(server, signature_version=UNSIGNED)
    with PlainReads(client, spool_bytes=100) as plain:
        assert plain.read(REQUEST) is None
    assert not server.calls


def test_nothing_is_read_past_a_proxy(server: Server) -> None:
    client = _client(server, proxies={"http": "http://127.0.0.1:1"})
    with PlainReads(client, spool_bytes=100) as plain:
        assert not plain.can_read(REQUEST)
