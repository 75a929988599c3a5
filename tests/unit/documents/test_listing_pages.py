import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from include.documents.listing_pages import read_entries_quickly

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
TIME = "2026-11-10T12:00:59.123Z"
OBJECT = (
    "<Contents><Key>a%20%C3%BC%26b</Key><LastModified>{time}</LastModified>"
    "<ETag>&quot;tag&quot;</ETag><Size>{size}</Size><StorageClass>GLACIER</StorageClass>"
    "{more}</Contents>"
)
RESTORED = (
    "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
    "<RestoreExpiryDate>2026-12-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>"
)
FRAME = (
    "<{root}{namespace}><Name>b</Name><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
    "<NextKeyMarker>z%2F</NextKeyMarker><NextContinuationToken>t&amp;t</NextContinuationToken>"
    "<CommonPrefixes><Prefix>p%2F</Prefix></CommonPrefixes>{entries}</{root}>"
)
MARKS = (
    "<{kind}><Key>a</Key><VersionId>v1</VersionId><IsLatest>{latest}</IsLatest>"
    "<LastModified>2026-11-10T12:00:00Z</LastModified></{kind}>"
)


class Page(HTTPServer):
    """Answers everything with one page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = b""


class _Handler(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with Page() as page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        yield page
        page.shutdown()


@pytest.fixture(scope="module")
def clients(page: Page) -> tuple["S3Client", "S3Client"]:
    """Return a client as it is, and one that reads entries quickly."""
    plain, quick = (
        boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{page.server_port}",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}),
        )
        for _ in range(2)
    )
    read_entries_quickly(quick)
    read_entries_quickly(quick)  # twice does no harm
    return plain, quick


def listed(client: "S3Client", operation: str) -> dict[str, Any]:
    """Return what the client makes of the page."""
    answer: dict[str, Any] = getattr(client, operation)(Bucket="b")
    for entry in answer.get("Contents", []):  # what nobody asks for may differ
        if "RestoreStatus" in entry:
            entry["RestoreStatus"] = sorted(entry["RestoreStatus"])
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def objects(time: str = TIME, size: str = "7", more: str = "") -> str:
    return OBJECT.format(time=time, size=size, more=more)


@pytest.mark.parametrize("namespace", ["", NAMESPACE], ids=["bare", "namespace"])
@pytest.mark.parametrize(
    "entries",
    [
        "",
        objects(),
        objects(more=RESTORED) * 3,
        objects(size="5000000000000"),
        *(
            objects(time)
            for time in (
                "2026-11-10T12:00:00.000Z",
                "2026-11-10T12:00:00Z",
                "2026-11-10T23:59:59.999999Z",
                "1969-12-31T23:59:59.001Z",
                "2038-01-19T03:14:08.1Z",
                "2026-11-10T12:00:00+01:00",
                "2026-11-10T12:00:00",
                "Tue, 10 Nov 2026 12:00:00 GMT",
                "1760000000",
            )
        ),
        "<Contents><Key>without a time</Key></Contents>",
        objects()
        + "<Contents><Key></Key><LastModified>2026-11-10T12:00:00Z</LastModified></Contents>",
    ],
)
def test_objects_are_what_botocore_makes_of_them(
    page: Page, clients: tuple["S3Client", "S3Client"], namespace: str, entries: str
) -> None:
    body = FRAME.format(root="ListBucketResult", namespace=namespace, entries=entries)
    page.body = body.encode()
    plain, quick = (listed(client, "list_objects_v2") for client in clients)
    assert quick == plain
    assert len(quick.get("Contents", [])) == entries.count("<Contents>")


def test_versions_and_marks_are_what_botocore_makes_of_them(
    page: Page, clients: tuple["S3Client", "S3Client"]
) -> None:
    entries = "".join(
        MARKS.format(kind=kind, latest=latest)
        for kind in ("Version", "DeleteMarker", "Version")
        for latest in ("true", "false")
    )
    body = FRAME.format(root="ListVersionsResult", namespace=NAMESPACE, entries=entries)
    page.body = body.encode()
    plain, quick = (listed(client, "list_object_versions") for client in clients)
    assert quick == plain
    assert [one["IsLatest"] for one in quick["Versions"]] == [True, False] * 2
    assert len(quick["DeleteMarkers"]) == 2


def test_page_that_breaks_off_is_an_error_as_before(
    page: Page, clients: tuple["S3Client", "S3Client"]
) -> None:
    page.body = FRAME.format(root="R", namespace="", entries=objects()).encode()[:-30]
    for client in clients:
        with pytest.raises(ClientError, match="500"):
            listed(client, "list_objects_v2")
