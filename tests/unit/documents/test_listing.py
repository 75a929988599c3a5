import datetime as dt

import pytest

from include.documents.listing import ListingRequest, date_prefixes
from include.errors import ConfigurationError


def _at(day: int, hour: int, *, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    return dt.datetime(2026, 3, day, hour, tzinfo=zone)


@pytest.mark.parametrize(
    ("start_at", "end_at", "days"),
    [
        (_at(10, 2), _at(11, 2), ["10"]),
        (_at(10, 0), _at(11, 0), ["10"]),
        (_at(8, 2), _at(11, 2), ["08", "09", "10"]),
        (_at(10, 3), _at(10, 4), ["10"]),
        (_at(11, 1, zone=dt.timezone(dt.timedelta(hours=5))), _at(11, 2), ["10"]),
    ],
    ids=["night", "day", "three nights", "an hour", "another zone"],
)
def test_window_takes_the_days_that_it_begins(
    start_at: dt.datetime, end_at: dt.datetime, days: list[str]
) -> None:
    expected = [f"in/dt=2026-03-{day}/" for day in days]
    assert date_prefixes("in/dt={ds}/", start_at, end_at) == expected


def test_nights_in_a_row_take_each_day_once() -> None:
    nights = [
        prefix
        for day in range(1, 8)
        for prefix in date_prefixes("{day:%Y/%m/%d}/", _at(day, 2), _at(day + 1, 2))
    ]
    assert nights == [f"2026/03/{day:02}/" for day in range(1, 8)]


@pytest.mark.parametrize("template", ["{date}/", "{0}/", "{ds", "{day.nothing}/"])
def test_template_of_something_else_is_refused(template: str) -> None:
    with pytest.raises(ConfigurationError, match="no template of a day"):
        date_prefixes(template, _at(1, 2), _at(2, 2))


def test_empty_suffixes_want_everything() -> None:
    assert ListingRequest("bucket").wants("any/key", 1)
