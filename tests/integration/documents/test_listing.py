import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest

from include.documents.listing import ListedObject, ListingRequest, is_versioned, list_objects
from include.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_s3 import S3Client

    from local_stack.s3 import S3Server

pytestmark = pytest.mark.integration

AWKWARD_KEYS = [
    "a b/c+d%20.txt",
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "日本/語.txt",
    "line\nbreak.txt",
    "quote\"'&<>.txt",
    "..hidden/.../x.txt",
]


def _put(s3: "S3Client", bucket: str, keys: "Iterable[str]") -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


def _documents(s3: "S3Client", request: ListingRequest, *, versioned: bool) -> list[ListedObject]:
    existing = list_objects(s3, request, versioned=versioned)
    return [one.document for one in existing if one.document]


def _keys(listed: "Iterable[ListedObject]") -> list[str]:
    return [item.key for item in listed]


def test_bucket_knows_whether_it_keeps_versions(
    s3: "S3Client", bucket: str, versioned_bucket: str
) -> None:
    assert not is_versioned(s3, bucket)
    assert is_versioned(s3, versioned_bucket)


@pytest.mark.parametrize("versioned", [False, True])
def test_keys_come_back_as_they_were_put(
    s3: "S3Client", bucket: str, versioned_bucket: str, *, versioned: bool
) -> None:
    name = versioned_bucket if versioned else bucket
    _put(s3, name, AWKWARD_KEYS)
    listed = _documents(s3, ListingRequest(name), versioned=versioned)
    assert sorted(_keys(listed)) == sorted(AWKWARD_KEYS)
    for item in listed:
        version: Any = {"VersionId": item.version_id} if item.version_id else {}
        answer = s3.get_object(Bucket=name, Key=item.key, IfMatch=f'"{item.etag}"', **version)
        assert answer["Body"].read() == item.key.encode()
        assert item.size_bytes == len(item.key.encode())
        assert item.last_modified_at.tzinfo is dt.UTC


def test_overlapping_prefixes_list_an_object_once(s3: "S3Client", bucket: str) -> None:
    _put(s3, bucket, ["a/1", "a/b/2", "c/3"])
    request = ListingRequest(bucket, prefixes=("a/b/", "a/"))
    assert _keys(_documents(s3, request, versioned=False)) == ["a/1", "a/b/2"]


def test_suffixes_hold_in_any_case_and_below_gzip(s3: "S3Client", bucket: str) -> None:
    _put(s3, bucket, ["1.PDF", "2.pdf.gz", "3.pdfx", "4.txt", "pdf"])
    request = ListingRequest(bucket, suffixes=(".pdf",))
    assert _keys(_documents(s3, request, versioned=False)) == ["1.PDF", "2.pdf.gz"]


def test_folder_markers_are_no_documents(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="folder/", Body=b"")
    _put(s3, bucket, ["folder/a"])
    assert _keys(_documents(s3, ListingRequest(bucket), versioned=False)) == ["folder/a"]


def test_window_is_half_open(s3: "S3Client", bucket: str) -> None:
    _put(s3, bucket, ["a"])
    (item,) = _documents(s3, ListingRequest(bucket), versioned=False)
    moment, later = item.last_modified_at, item.last_modified_at + dt.timedelta(seconds=1)
    inside = ListingRequest(bucket, window_start_at=moment, window_end_at=later)
    outside = ListingRequest(bucket, window_end_at=moment)
    assert _documents(s3, inside, versioned=False) == [item]
    assert _documents(s3, outside, versioned=False) == []


def test_newest_version_in_the_window_is_listed(s3: "S3Client", versioned_bucket: str) -> None:
    times = []
    for body in (b"one", b"two", b"three"):
        s3.put_object(Bucket=versioned_bucket, Key="a", Body=body)
        (newest,) = _documents(s3, ListingRequest(versioned_bucket), versioned=True)
        times.append(newest.last_modified_at)
        time.sleep(1.1)  # S3 keeps whole seconds
    request = ListingRequest(versioned_bucket, window_start_at=times[0], window_end_at=times[2])
    (item,) = _documents(s3, request, versioned=True)
    assert item.version_id is not None
    answer = s3.get_object(Bucket=versioned_bucket, Key="a", VersionId=item.version_id)
    assert answer["Body"].read() == b"two"


def test_deleted_object_is_not_there_even_for_a_window_of_its_past(
    s3: "S3Client", versioned_bucket: str
) -> None:
    _put(s3, versioned_bucket, ["a", "b"])
    _, item = _documents(s3, ListingRequest(versioned_bucket), versioned=True)
    time.sleep(1.1)
    s3.delete_object(Bucket=versioned_bucket, Key="a")
    end_at = item.last_modified_at + dt.timedelta(seconds=1)
    for request in (
        ListingRequest(versioned_bucket),
        ListingRequest(versioned_bucket, window_end_at=end_at),
    ):
        (existing,) = list_objects(s3, request, versioned=True)
        assert (existing.key, existing.document) == ("b", item)


@pytest.mark.parametrize("versioned", [False, True])
def test_objects_that_are_not_wanted_exist_all_the_same(
    s3: "S3Client", bucket: str, versioned_bucket: str, *, versioned: bool
) -> None:
    name = versioned_bucket if versioned else bucket
    _put(s3, name, ["a.pdf", "b.txt"])
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    request = ListingRequest(name, suffixes=(".pdf",), window_end_at=past)
    existing = list_objects(s3, request, versioned=versioned)
    assert [(one.key, one.document) for one in existing] == [("a.pdf", None), ("b.txt", None)]


def test_versions_of_a_key_may_span_pages(
    s3: "S3Client", s3_server: "S3Server", versioned_bucket: str
) -> None:
    for key in ("a", "b", "c"):
        for number in range(5):
            s3.put_object(Bucket=versioned_bucket, Key=key, Body=b"x" * number)
    s3.delete_object(Bucket=versioned_bucket, Key="b")
    client, pages = s3_server.client(), []

    def limit(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 2
        pages.append(params)

    client.meta.events.register_first("provide-client-params.s3.ListObjectVersions", limit)
    listed = _documents(client, ListingRequest(versioned_bucket), versioned=True)
    assert [(item.key, item.size_bytes) for item in listed] == [("a", 4), ("c", 4)]
    assert len(pages) > len(listed)


def test_missing_bucket_is_a_wrong_setting(s3: "S3Client") -> None:
    with pytest.raises(ConfigurationError, match="NoSuchBucket"):
        list(list_objects(s3, ListingRequest("there-is-none"), versioned=False))


def test_refused_credentials_are_a_wrong_setting(s3_server: "S3Server", bucket: str) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="stranger",
        aws_secret_access_key="wrong",
    )
    with pytest.raises(ConfigurationError, match=bucket):
        _documents(client, ListingRequest(bucket), versioned=False)


def test_silent_server_is_worth_another_try() -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(TransientError, match="cannot be listed"):
        list(list_objects(client, ListingRequest("any"), versioned=False))
