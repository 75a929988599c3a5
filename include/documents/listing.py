"""List the objects of a bucket: a page at a time, the newest version in a window of each key."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from include.errors import ConfigurationError, TransientError
from include.s3_errors import describe, is_transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESTORED = "RESTORED"


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One version of an object, as the listing saw it."""

    bucket: str
    key: str
    version_id: str | None
    """None in a bucket without versioning; `null` for what was there before it."""
    etag: str
    """Without its quotes."""
    size_bytes: int
    last_modified_at: datetime
    storage_class: str | None
    """As S3 names it; `RESTORED` where S3 keeps a readable copy of an archived object."""


@dataclass(frozen=True, slots=True)
class ListingRequest:
    """Which objects of a bucket are listed; a window is half-open, and None leaves it open."""

    bucket: str
    prefixes: Sequence[str] = ("",)
    suffixes: Sequence[str] = ()
    """Such as `.pdf`, in any case, and with `.gz` after them; none means all."""
    window_start_at: datetime | None = None
    window_end_at: datetime | None = None

    def wants_time(self, moment: datetime) -> bool:
        """Return whether something last modified at `moment` lies in the window."""
        return (self.window_start_at is None or self.window_start_at <= moment) and (
            self.window_end_at is None or moment < self.window_end_at
        )

    def wants(self, key: str, size_bytes: int) -> bool:
        """Return whether an object is a document; an empty one named like a folder is none."""
        if key.endswith("/") and size_bytes == 0:
            return False
        name = key.lower().removesuffix(".gz")
        return not self.suffixes or name.endswith(tuple(map(str.lower, self.suffixes)))


def is_versioned(client: "S3Client", bucket: str) -> bool:
    """Return whether a bucket keeps versions, or once did.

    Raises:
        ConfigurationError: There is no such bucket, or S3 refuses to tell.
        TransientError: S3 did not answer.
    """
    with _errors_of(bucket):
        return "Status" in client.get_bucket_versioning(Bucket=bucket)


def list_objects(
    client: "S3Client", request: ListingRequest, *, versioned: bool
) -> Iterator[ListedObject]:
    """Yield the objects that are wanted, in the order in which S3 lists them.

    In a versioned bucket it is the newest version in the window of each key, unless that is a
    delete marker; else it is every object in the window.

    Raises:
        ConfigurationError: There is no such bucket, or S3 refuses to list it.
        TransientError: S3 did not answer.
    """
    list_prefix = _list_versions if versioned else _list_newest
    for prefix in _disjoint(request.prefixes):
        with _errors_of(request.bucket):
            for entry in list_prefix(client, request, prefix):
                if request.wants(entry["Key"], entry["Size"]):
                    yield _listed(request.bucket, entry)


def date_prefixes(template: str, start_at: datetime, end_at: datetime) -> list[str]:
    """Return one prefix for each UTC day of a window, such as `incoming/dt={ds}/`.

    A day belongs to the window that begins on it: [10th 02:00, 11th 02:00) is the 10th, so nights
    in a row take days in a row, and no day twice. A window within one day has that day.

    Args:
        template: `{ds}` is the day as 2026-01-31; `{day:%Y/%m/%d}` writes it in another way.

    Raises:
        ConfigurationError: The template names something else.
    """
    first_day, end_day = start_at.astimezone(UTC).date(), end_at.astimezone(UTC).date()
    day_count = max(1, (end_day - first_day).days)
    days = (first_day + timedelta(days=number) for number in range(day_count))
    try:
        return [template.format(ds=day.isoformat(), day=day) for day in days]
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        msg = f"prefix {template!r} is no template of a day; write it like 'incoming/dt={{ds}}/'"
        raise ConfigurationError(msg) from error


def _list_newest(client: "S3Client", request: ListingRequest, prefix: str) -> Iterator[Any]:
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=request.bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
    )
    for page in pages:
        for entry in page.get("Contents", ()):
            if request.wants_time(entry["LastModified"]):
                yield entry


def _list_versions(client: "S3Client", request: ListingRequest, prefix: str) -> Iterator[Any]:
    """Yield the newest version in the window per key, unless it is a delete marker."""
    pages = client.get_paginator("list_object_versions").paginate(
        Bucket=request.bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
    )
    unfinished: list[Any] = []
    for page in pages:
        entries_by_key: dict[str, list[Any]] = defaultdict(list)
        entries = chain(unfinished, page.get("Versions", ()), page.get("DeleteMarkers", ()))
        for entry in entries:
            if request.wants_time(entry["LastModified"]):
                entries_by_key[entry["Key"]].append(entry)
        # The versions of the last key may go on in the next page.
        unfinished = _newest(entries_by_key.pop(page.get("NextKeyMarker", ""), []))
        for versions in entries_by_key.values():
            yield from filter(_is_live, _newest(versions))
    yield from filter(_is_live, unfinished)


def _newest(versions: list[Any]) -> list[Any]:
    """Return the newest of the versions of one key; S3 lists the newer first in the same second."""
    newest = max(
        versions, key=lambda entry: (entry["LastModified"], entry["IsLatest"]), default=None
    )
    return [newest] if newest else []


def _is_live(entry: Any) -> bool:
    return "Size" in entry  # delete markers have none


def _disjoint(prefixes: Sequence[str]) -> Iterator[str]:
    """Yield the prefixes in order, without those that begin with another one."""
    last: str | None = None
    for prefix in sorted(prefixes):
        if last is None or not prefix.startswith(last):
            last = prefix
            yield prefix


def _listed(bucket: str, entry: Any) -> ListedObject:
    is_restored = "RestoreExpiryDate" in entry.get("RestoreStatus", {})
    return ListedObject(
        bucket=bucket,
        key=entry["Key"],
        version_id=entry.get("VersionId"),
        etag=entry["ETag"].strip('"'),
        size_bytes=entry["Size"],
        last_modified_at=entry["LastModified"].astimezone(UTC),
        storage_class=RESTORED if is_restored else entry.get("StorageClass"),
    )


@contextmanager
def _errors_of(bucket: str) -> Iterator[None]:
    """Tell errors that another try may cure from those that somebody must see to."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        msg = f"bucket {bucket} cannot be listed: {describe(error)}"
        kind = TransientError if is_transient(error) else ConfigurationError
        raise kind(msg) from error
