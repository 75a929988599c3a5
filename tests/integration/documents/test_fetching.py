import datetime as dt
import gzip
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.fetching import FetchFailure, Original, _handfuls, fetch_and_extract
from include.documents.listing import ListedObject, ListingRequest, list_objects
from include.documents.pool import ExtractionPool
from include.errors import ConfigurationError
from tests.unit.documents.samples import make_scan

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration

LIMITS = ExtractionLimits(max_object_bytes=1_000_000)

Answer = tuple[int, bytes, int]
"""Status, body, and how many bytes the header promises."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    with ExtractionPool(LIMITS, workers=2) as pool:
        yield pool


def _outcomes(
    s3: "S3Client", objects: list[ListedObject], pool: ExtractionPool
) -> list[str | FetchFailure]:
    results = [found for _, found in fetch_and_extract(s3, objects, pool, fetch_threads=4)]
    return [found if isinstance(found, FetchFailure) else found.outcome for found in results]


def _list(s3: "S3Client", bucket: str, *, versioned: bool = False) -> list[ListedObject]:
    existing = list_objects(s3, ListingRequest(bucket), versioned=versioned)
    return [one.document for one in existing if one.document]


def test_documents_come_back_in_the_order_of_the_listing(
    s3: "S3Client", bucket: str, pool: ExtractionPool
) -> None:
    for number in range(40):
        body = b"words " * (1 + number % 7 * 50_000 // 6) + str(number).encode()
        s3.put_object(Bucket=bucket, Key=f"{number:02}.txt", Body=body)
    objects = _list(s3, bucket)
    results = list(fetch_and_extract(s3, objects, pool, fetch_threads=8))
    assert [listed for listed, _ in results] == objects
    for number, (_, found) in enumerate(results):
        assert isinstance(found, Extraction)
        assert (found.text or "").endswith(f" {number}")


def test_few_objects_are_taken_before_they_are_asked_for(
    s3: "S3Client", bucket: str, pool: ExtractionPool
) -> None:
    s3.put_object(Bucket=bucket, Key="a.txt", Body=b"words")
    (listed,) = _list(s3, bucket)
    taken = 0

    def endless() -> Iterator[ListedObject]:
        nonlocal taken
        while True:
            taken += 1
            yield listed

    results = fetch_and_extract(s3, endless(), pool, fetch_threads=2)
    for _ in range(10):
        next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert taken < 60


def test_large_objects_go_alone_and_small_ones_together() -> None:
    kilobytes = [1] * 10 + [300, 200, 50, 10, 2]
    objects = [replace(_listed(), size_bytes=size * 1_024) for size in kilobytes]
    handfuls = [[one.size_bytes // 1_024 for one in handful] for handful in _handfuls(objects)]
    assert handfuls == [[1] * 8, [1, 1], [300], [200, 50], [10, 2]]


def test_changed_object_is_superseded_and_deleted_one_has_vanished(
    s3: "S3Client", bucket: str, pool: ExtractionPool
) -> None:
    for key in ("changed", "deleted"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"old words")
    objects = _list(s3, bucket)
    s3.put_object(Bucket=bucket, Key="changed", Body=b"new words")
    s3.delete_object(Bucket=bucket, Key="deleted")
    assert _outcomes(s3, objects, pool) == ["superseded", "vanished"]


def test_listed_version_is_fetched_even_when_it_was_replaced(
    s3: "S3Client", versioned_bucket: str, pool: ExtractionPool
) -> None:
    s3.put_object(Bucket=versioned_bucket, Key="a.txt", Body=b"old words")
    objects = _list(s3, versioned_bucket, versioned=True)
    s3.put_object(Bucket=versioned_bucket, Key="a.txt", Body=b"new words")
    ((_, found),) = fetch_and_extract(s3, objects, pool, fetch_threads=1)
    assert isinstance(found, Extraction)
    assert found.text == "old words"


def test_version_that_was_deleted_has_vanished(
    s3: "S3Client", versioned_bucket: str, pool: ExtractionPool
) -> None:
    s3.put_object(Bucket=versioned_bucket, Key="a.txt", Body=b"old words")
    (listed,) = _list(s3, versioned_bucket, versioned=True)
    assert listed.version_id is not None
    s3.delete_object(Bucket=versioned_bucket, Key="a.txt", VersionId=listed.version_id)
    assert _outcomes(s3, [listed], pool) == ["vanished"]


def test_object_in_parts_is_fetched_by_its_tag(
    s3: "S3Client", bucket: str, pool: ExtractionPool
) -> None:
    from boto3.s3.transfer import TransferConfig

    body = b"words " * 1_000_000
    config = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20)
    s3.upload_fileobj(io.BytesIO(body), bucket, "a.txt", Config=config)
    objects = _list(s3, bucket)
    with ExtractionPool(ExtractionLimits(), workers=1) as roomy:
        assert _outcomes(s3, objects, roomy) == ["text"]
    assert _outcomes(s3, objects, pool) == ["too_large"]


@pytest.mark.parametrize("packed", ["", "packed", "with bytes behind it"])
def test_picture_that_is_wanted_comes_with_its_bytes(
    s3: "S3Client", bucket: str, pool: ExtractionPool, packed: str
) -> None:
    content = make_scan()
    body = gzip.compress(content) if packed else content
    body += packed.encode() if packed.startswith("with") else b""
    s3.put_object(Bucket=bucket, Key="scan.pdf", Body=body)
    s3.put_object(Bucket=bucket, Key="words.txt", Body=b"words")
    objects = _list(s3, bucket)
    (_, scan), (_, words) = fetch_and_extract(
        s3, objects, pool, fetch_threads=2, keeps=lambda _: True
    )
    assert isinstance(scan, Original)
    with scan.file as file:
        assert file.read() == content
    assert scan.picture.size_bytes == len(content)
    assert isinstance(words, Extraction)
    assert _outcomes(s3, objects, pool) == ["image_only", "text"]


def test_large_object_is_not_downloaded(pool: ExtractionPool) -> None:
    listed = replace(_listed(), size_bytes=LIMITS.max_object_bytes + 1)
    assert _outcomes(_client("http://127.0.0.1:1"), [listed], pool) == ["too_large"]


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_object_is_not_asked_for(pool: ExtractionPool, storage_class: str) -> None:
    listed = replace(_listed(), storage_class=storage_class)
    assert _outcomes(_client("http://127.0.0.1:1"), [listed], pool) == ["archived"]


def test_restored_object_is_read_like_any_other(
    serve: Callable[[list[Answer]], str], pool: ExtractionPool
) -> None:
    client = _client(serve([_listing_of_archive(), WHOLE]))
    frozen, restored = _list(client, "bucket")
    assert (frozen.storage_class, restored.storage_class) == ("GLACIER", "RESTORED")
    assert _outcomes(client, [frozen, restored], pool) == ["archived", "text"]


def _listing_of_archive() -> Answer:
    entries = "".join(
        f"<Contents><Key>{key}.txt</Key><LastModified>2026-01-01T00:00:00Z</LastModified>"
        f'<ETag>"0"</ETag><Size>11</Size><StorageClass>GLACIER</StorageClass>{status}</Contents>'
        for key, status in {
            "frozen": "",
            "restored": "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
            "<RestoreExpiryDate>2026-02-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>",
        }.items()
    )
    body = f"<ListBucketResult>{entries}</ListBucketResult>".encode()
    return 200, body, len(body)


def _error(status: int, code: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return status, body, len(body)


WHOLE: Answer = (200, b"whole words", 11)
BROKEN: Answer = (200, b"whole", 11)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([BROKEN, BROKEN, WHOLE], "text"),
        ([_error(403, "AccessDenied")], "forbidden"),
        ([_error(400, "InvalidRequest")], "forbidden"),
        ([_error(403, "InvalidObjectState")], "archived"),
        ([_error(404, "NoSuchKey")], "vanished"),
        ([_error(405, "MethodNotAllowed")], "vanished"),
        ([_error(412, "PreconditionFailed")], "superseded"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0][1][:40].decode(),
)
def test_answer_of_s3_decides(
    serve: Callable[[list[Answer]], str],
    pool: ExtractionPool,
    answers: list[Answer],
    outcome: str,
) -> None:
    assert _outcomes(_client(serve(answers)), [_listed()], pool) == [outcome]


@pytest.mark.parametrize(
    "answer",
    [_error(503, "SlowDown"), _error(500, "InternalError"), _error(400, "ExpiredToken"), BROKEN],
    ids=["slow down", "internal", "expired", "broken off"],
)
def test_error_that_lasts_is_a_value_not_an_exception(
    serve: Callable[[list[Answer]], str], pool: ExtractionPool, answer: Answer
) -> None:
    objects = [_listed()]
    (failure,) = _outcomes(_client(serve([answer])), objects, pool)
    assert isinstance(failure, FetchFailure)
    assert failure.reason.startswith("S3 did not hand over the object: ")


@pytest.mark.parametrize(
    ("status", "code"), [(403, "SignatureDoesNotMatch"), (404, "NoSuchBucket")]
)
def test_error_that_is_not_about_the_object_stops_everything(
    serve: Callable[[list[Answer]], str], pool: ExtractionPool, status: int, code: str
) -> None:
    client = _client(serve([_error(status, code)]))
    with pytest.raises(ConfigurationError, match=code):
        _outcomes(client, [_listed()], pool)


@pytest.fixture
def serve() -> Iterator[Callable[[list[Answer]], str]]:
    """Serve the answers given, the last one for ever, as S3 would; returns the address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: list[Answer]) -> str:
        remaining = chain(answers, repeat(answers[-1]))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, promised_bytes = next(remaining)
                self.send_response(status)
                self.send_header("Content-Length", str(promised_bytes))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _client(endpoint_url: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def _listed() -> ListedObject:
    return ListedObject(
        bucket="bucket",
        key="a.txt",
        version_id=None,
        etag="0" * 32,
        size_bytes=11,
        last_modified_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        storage_class=None,
    )
