"""The work bucket: reads that tell absent from unreadable, and conditional writes."""

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from include.errors import (
    ConfigurationError,
    PermanentError,
    StorageUnavailableError,
    WriteRefusedError,
)
from include.s3_errors import code_of, describe, is_transient, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

_CONFLICTS = frozenset({409, 412})
_NO_ETAG = '"00000000000000000000000000000000"'
_ABSENT = frozenset({"NoSuchKey", "404"})
"""404 is what a HEAD can say; a missing bucket has a code of its own."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The bytes at a key and the ETag that they had when read."""

    data: bytes
    etag: str


class MissingKeyError(PermanentError):
    """Nothing lies at a key that was named as if something did."""


class ObjectStore:
    """Keys below one prefix of one bucket."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        """Use an open S3 client; every key is taken relative to `prefix`."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def uri(self, key: str) -> str:
        """Return the full address of a key, for people."""
        return f"s3://{self._bucket}/{self._path(key)}"

    def read(self, key: str) -> StoredObject | None:
        """Return what lies at `key`, or None when nothing does.

        Raises:
            StorageUnavailableError: Whether something lies there could not be found out.
        """
        with self._translated("read", key, absent_is_none=True):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._path(key))
            return StoredObject(answer["Body"].read(), answer["ETag"])
        return None

    def read_range(self, key: str, *, start: int, length: int) -> bytes:
        """Return `length` bytes at offset `start`."""
        with self._translated("read", key):
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._path(key),
                Range=f"bytes={start}-{start + length - 1}",
            )
            return answer["Body"].read()

    def download(self, key: str, path: Path) -> Path:
        """Stream what lies at `key` to a file, and return its path."""
        with self._translated("read", key):
            self._client.download_file(self._bucket, self._path(key), str(path))
        return path

    def upload(self, path: Path, key: str) -> None:
        """Stream a file to `key`, whatever lies there."""
        with self._translated("write", key):
            self._client.upload_file(str(path), self._bucket, self._path(key))

    def write(self, key: str, data: bytes) -> None:
        """Write `key`, whatever lies there."""
        with self._translated("write", key):
            self._client.put_object(Bucket=self._bucket, Key=self._path(key), Body=data)

    def create(self, key: str, data: bytes) -> str:
        """Write `key` only if nothing lies there, and return its ETag.

        Raises:
            WriteRefusedError: Something lies there.
            StorageUnavailableError: Whether the write landed is unknown.
        """
        with self._translated("write", key):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._path(key), Body=data, IfNoneMatch="*"
            )
        return answer["ETag"]

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        """Write `key` only if it still has `etag`, and return the new one.

        Raises:
            WriteRefusedError: Somebody else wrote it since.
            StorageUnavailableError: Whether the write landed is unknown.
        """
        with self._translated("write", key):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._path(key), Body=data, IfMatch=etag
            )
        return answer["ETag"]

    def has_any(self, prefix: str) -> bool:
        """Return whether any key starts with `prefix`."""
        with self._translated("list", prefix):
            answer = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=self._path(prefix), MaxKeys=1
            )
        return bool(answer.get("KeyCount"))

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that start with `prefix`: for people's tools, never to find data."""
        return (key for key, _ in self.list_dated(prefix))

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names between `prefix` and the next `/`, each once."""
        with self._translated("list", prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._path(prefix), Delimiter="/"
            )
            for page in pages:
                for item in page.get("CommonPrefixes", []):
                    yield item["Prefix"].removeprefix(self._path(prefix)).rstrip("/")

    def list_dated(self, prefix: str) -> Iterator[tuple[str, dt.datetime]]:
        """Yield the keys that start with `prefix`, and when each was written."""
        with self._translated("list", prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._path(prefix)
            )
            for page in pages:
                for item in page.get("Contents", []):
                    yield item["Key"].removeprefix(f"{self._prefix}/"), item["LastModified"]

    def delete(self, key: str) -> None:
        """Delete what lies at `key`, and every earlier version of it; nothing need lie there."""
        with self._translated("delete", key):
            self._client.delete_object(Bucket=self._bucket, Key=self._path(key))
        self.delete_old_versions(key)

    def delete_old_versions(self, key: str) -> None:
        """Delete all but the latest version of `key`: what was overwritten is still there.

        A bucket without versions has none.
        """
        with self._translated("delete", key):
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=self._path(key)
            )
            old = [
                version["VersionId"]
                for page in pages
                for version in page.get("Versions", [])
                if version["Key"] == self._path(key) and not version["IsLatest"]
            ]
            for version_id in old:
                self._client.delete_object(
                    Bucket=self._bucket, Key=self._path(key), VersionId=version_id
                )

    def check_conditional_writes(self, probe_key: str) -> None:
        """Write a probe that is there, and over a version that is not; both must be refused.

        Raises:
            ConfigurationError: The store ignores conditional writes, on which paying once rests.
        """
        for _ in range(2):
            try:
                self.create(probe_key, b"probe")
            except WriteRefusedError:
                break
        else:
            self._refuse_store(probe_key, "If-None-Match")
        try:
            self.replace(probe_key, b"probe", etag=_NO_ETAG)
        except WriteRefusedError:
            return
        self._refuse_store(probe_key, "If-Match")

    def _refuse_store(self, probe_key: str, ignored: str) -> NoReturn:
        msg = (
            f"the store of {self.uri(probe_key)} ignores {ignored}; the ledger cannot be kept "
            "there: use S3, or a server that honours conditional writes"
        )
        raise ConfigurationError(msg)

    def _path(self, key: str) -> str:
        return f"{self._prefix}/{key}"

    @contextmanager
    def _translated(self, verb: str, key: str, *, absent_is_none: bool = False) -> Iterator[None]:
        """Turn botocore's errors into ours; swallow "no such key" when that is an answer."""
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            code = code_of(error) if isinstance(error, ClientError) else ""
            if code in _ABSENT and absent_is_none:
                return
            if code in _ABSENT:
                msg = f"{self.uri(key)} is missing; clear the task that writes it"
                raise MissingKeyError(msg) from error
            if isinstance(error, ClientError) and status_of(error) in _CONFLICTS:
                msg = f"{self.uri(key)} was changed by somebody else ({code})"
                raise WriteRefusedError(msg) from error
            msg = f"could not {verb} {self.uri(key)}: {describe(error)}"
            if is_transient(error):
                raise StorageUnavailableError(msg) from error
            msg = f"{msg}; check the bucket and the connection 'aws_default'"
            raise ConfigurationError(msg) from error
        except Boto3Error as error:  # what transfers of files raise
            msg = f"could not {verb} {self.uri(key)}: {error}"
            raise StorageUnavailableError(msg) from error
