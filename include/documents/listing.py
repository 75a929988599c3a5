"""List the objects of a bucket, a page at a time: which exist, and which version is wanted."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from include.documents.listing_pages import read_entries_quickly
from include.errors import ConfigurationError, TransientError
from include.s3_errors import describe, is_transient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESTORED = "RESTORED"
DELETED = "DELETED"
"""Storage class of an object that a complete listing found gone: nothing is fetched of it."""


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
    """As S3 names it; or `RESTORED` where S3 keeps a readable copy of an archived object."""


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """An object that exists, whether or not it is wanted."""

    key: str
    document: ListedObject | None
    """The version of it that is wanted: None outside the window, or where the key is no document's.
    """


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
) -> Iterator[ExistingObject]:
    """Yield every object below the prefixes, wanted or not, in the order in which S3 lists them.

    In a versioned bucket the newest version in the window is wanted; an object whose latest version
    is a delete marker does not exist, whatever the window.

    Raises:
        ConfigurationError: There is no such bucket, or S3 refuses to list it.
        TransientError: S3 did not answer.
    """
    read_entries_quickly(client)
    list_prefix = _list_versions if versioned else _list_newest
    for prefix in _disjoint(request.prefixes):
        with _errors_of(request.bucket):
            for entries in list_prefix(client, request, prefix):
                yield _existing(request, entries)


def find_object(client: "S3Client", *, bucket: str, key: str) -> ListedObject | None:
    """Return an object as it is now, None where there is none.

    Raises:
        ConfigurationError: There is no such bucket, or S3 refuses to list it.
        TransientError: S3 did not answer.
    """
    below = list_objects(client, ListingRequest(bucket=bucket, prefixes=(key,)), versioned=False)
    first = next(below, None)  # the key itself comes before all that begin with it
    return first.document if first is not None and first.key == key else None


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


def _list_newest(client: "S3Client", request: ListingRequest, prefix: str) -> Iterator[list[Any]]:
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=request.bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
    )
    for page in pages:
        for entry in page.get("Contents", ()):
            yield [entry]


def _list_versions(client: "S3Client", request: ListingRequest, prefix: str) -> Iterator[list[Any]]:
    """Yield what matters of the versions of each key that exists."""
    pages = client.get_paginator("list_object_versions").paginate(
        Bucket=request.bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
    )
    unfinished: list[Any] = []
    for page in pages:
        entries_by_key: dict[str, list[Any]] = defaultdict(list)
        for entry in chain(unfinished, page.get("Versions", ()), page.get("DeleteMarkers", ())):
            entries_by_key[entry["Key"]].append(entry)
        # The versions of the last key may go on in the next page.
        unfinished = _condensed(request, entries_by_key.pop(page.get("NextKeyMarker", ""), []))
        yield from filter(_is_live, entries_by_key.values())
    if _is_live(unfinished):
        yield unfinished


def _condensed(request: ListingRequest, versions: list[Any]) -> list[Any]:
    """Return those of the versions of a key that what is still to come cannot outdo."""
    newest = _newest_wanted(request, versions)
    return [entry for entry in versions if entry["IsLatest"] or entry is newest]


def _is_live(versions: list[Any]) -> bool:
    return any(entry["IsLatest"] and "Size" in entry for entry in versions)  # markers have no size


def _newest_wanted(request: ListingRequest, versions: list[Any]) -> Any | None:
    """Return the newest version in the window; S3 lists the newer first in the same second."""
    return max(
        (entry for entry in versions if request.wants_time(entry["LastModified"])),
        key=lambda entry: (entry["LastModified"], entry.get("IsLatest", True)),
        default=None,
    )


def _disjoint(prefixes: Sequence[str]) -> Iterator[str]:
    """Yield the prefixes in order, without those that begin with another one."""
    last: str | None = None
    for prefix in sorted(prefixes):
        if last is None or not prefix.startswith(last):
            last = prefix
            yield prefix


def _existing(request: ListingRequest, versions: list[Any]) -> ExistingObject:
    key, newest = versions[0]["Key"], _newest_wanted(request, versions)
    # In the window a delete marker may be the newest, though the object came back after it.
    is_wanted = newest and "Size" in newest and request.wants(key, newest["Size"])
    return ExistingObject(key, _listed(request.bucket, newest) if is_wanted else None)


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
