"""The local S3 server behaves where the ledger leans on it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_stack.s3 import S3Server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.integration


def status_of_put(s3: "S3Client", bucket: str, **conditions: Any) -> int:
    try:
        answer = s3.put_object(Bucket=bucket, Key="key", Body=b"body", **conditions)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def test_of_sixteen_racing_first_writes_one_wins(s3: "S3Client", work_bucket: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        statuses = list(
            pool.map(lambda _: status_of_put(s3, work_bucket, IfNoneMatch="*"), range(16))
        )
    assert statuses.count(200) == 1


def test_a_write_on_a_stale_etag_is_refused(s3: "S3Client", work_bucket: str) -> None:
    stale = s3.put_object(Bucket=work_bucket, Key="key", Body=b"first")["ETag"]
    s3.put_object(Bucket=work_bucket, Key="key", Body=b"second")
    assert status_of_put(s3, work_bucket, IfMatch=stale) == 412


def test_a_versioned_bucket_keeps_what_was_overwritten(
    s3: "S3Client", versioned_bucket: str
) -> None:
    first = s3.put_object(Bucket=versioned_bucket, Key="key", Body=b"first")["VersionId"]
    s3.put_object(Bucket=versioned_bucket, Key="key", Body=b"second")
    kept = s3.get_object(Bucket=versioned_bucket, Key="key", VersionId=first)
    assert kept["Body"].read() == b"first"


def test_a_wrong_key_is_refused(s3_server: S3Server, bucket: str) -> None:
    stranger = replace(s3_server, secret_key="wrong").client()
    assert status_of_put(stranger, bucket) == 403
