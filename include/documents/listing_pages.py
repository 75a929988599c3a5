"""The entries of a listing's pages, read at half of what botocore takes for them."""

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_OPERATIONS = ("ListObjectsV2", "ListObjectVersions")
_MEMBERS = {"Contents": "Contents", "Version": "Versions", "DeleteMarker": "DeleteMarkers"}
"""Where botocore puts what elements of that name hold."""
_RESTORED = "RestoreStatus"


def read_entries_quickly(client: "S3Client") -> None:
    """Make `client` parse listings as above, with the entries in the members that they always had.

    Of an entry there is what a page says of the object itself: times, sizes and flags as botocore
    has them. What cannot be read is left to botocore, which knows what to say of it.
    """
    for operation in _OPERATIONS:
        client.meta.events.register(
            f"before-parse.s3.{operation}", _take_entries, unique_id=f"entries-{operation}"
        )


def _take_entries(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Take the entries out of a page before botocore parses it, and add them to the result."""
    with suppress(ElementTree.ParseError, KeyError, ValueError):
        page = ElementTree.fromstring(response_dict["body"])  # noqa: S314 - as botocore does
        start = page.tag.rfind("}") + 1  # where names begin, behind the namespace
        entries: dict[str, list[dict[str, Any]]] = {}
        rest = []
        for element in page:
            member = _MEMBERS.get(element.tag[start:])
            if member is None:
                rest.append(element)
            else:
                entries.setdefault(member, []).append(_entry(element, start))
        if entries:
            page[:] = rest
            response_dict["body"] = ElementTree.tostring(page)
            customized_response_dict.update(entries)


def _entry(element: ElementTree.Element, start: int) -> dict[str, Any]:
    """Return an entry as botocore would.

    Raises:
        KeyError: It has no time.
        ValueError: Its time or its size is written in another way.
    """
    entry: dict[str, Any] = {child.tag[start:]: child.text or "" for child in element}
    entry["LastModified"] = datetime.fromisoformat(entry["LastModified"])
    if entry["LastModified"].tzinfo is None:
        raise ValueError
    if "Size" in entry:
        entry["Size"] = int(entry["Size"])
    if "IsLatest" in entry:
        entry["IsLatest"] = entry["IsLatest"] == "true"
    if _RESTORED in entry:
        status = next(child for child in element if child.tag[start:] == _RESTORED)
        entry[_RESTORED] = {child.tag[start:]: child.text or "" for child in status}
    return entry
