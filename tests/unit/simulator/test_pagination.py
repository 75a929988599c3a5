import pytest

from include.simulator.errors import ApiError
from include.simulator.pagination import Cursor, cut_page, page, read_cursor

IDS = ["e", "d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("cursor", "shown", "has_more"),
    [
        (Cursor(2), "ed", True),
        (Cursor(2, after_id="d"), "cb", True),
        (Cursor(2, after_id="b"), "a", False),
        (Cursor(5), "edcba", False),
        (Cursor(2, before_id="b"), "dc", True),
        (Cursor(2, before_id="c"), "ed", False),
        (Cursor(2, before_id="e"), "", False),
    ],
)
def test_a_page_is_cut_next_to_its_cursor(cursor, shown, has_more):
    place, more = cut_page(IDS, cursor)
    assert ("".join(IDS[place]), more) == (shown, has_more)


def test_an_unknown_cursor_is_refused():
    with pytest.raises(ApiError):
        cut_page(IDS, Cursor(2, after_id="x"))


def test_both_directions_at_once_are_refused_unless_cursors_do_not_matter():
    both = {"after_id": "a", "before_id": "b"}
    with pytest.raises(ApiError):
        read_cursor(both)
    assert read_cursor(both, is_lenient=True) == Cursor(20)


def test_an_empty_page_has_no_ids():
    assert page([], has_more=False) == {
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }
