"""Pages of a listing, newest first, by cursors in both directions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.simulator.errors import refuse

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1_000


@dataclass(frozen=True)
class Cursor:
    """Which page of a listing is wanted."""

    limit: int
    after_id: str | None = None
    before_id: str | None = None


def read_cursor(query: Mapping[str, str], *, is_lenient: bool = False) -> Cursor:
    """Read the cursor from a query; a lenient one has only the limit.

    Raises:
        ApiError: The limit is out of bounds, or both directions are asked for.
    """
    text = query.get("limit", str(_DEFAULT_LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_LIMIT:
        refuse(400, f"limit: Input should be between 1 and {_MAX_LIMIT}")
    if is_lenient:
        return Cursor(int(text))
    if "after_id" in query and "before_id" in query:
        refuse(400, "Only one of after_id and before_id can be given")
    return Cursor(int(text), query.get("after_id"), query.get("before_id"))


def cut_page(ids: Sequence[str], cursor: Cursor) -> tuple[slice, bool]:
    """Return which of `ids` are on the page, and whether more lie beyond it.

    Raises:
        ApiError: The cursor is not in the listing.
    """
    if cursor.before_id is not None:
        end = _place(ids, cursor.before_id)
        start = max(0, end - cursor.limit)
        return slice(start, end), start > 0
    start = 0 if cursor.after_id is None else _place(ids, cursor.after_id) + 1
    return slice(start, start + cursor.limit), start + cursor.limit < len(ids)


def _place(ids: Sequence[str], cursor_id: str) -> int:
    if cursor_id not in ids:
        refuse(400, f"'{cursor_id}' is not a valid cursor")
    return ids.index(cursor_id)


def page(data: Sequence[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Return a page as the API shows it."""
    return {
        "data": data,
        "has_more": has_more,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }
