import datetime as dt
import io
from collections import Counter
from decimal import Decimal

import pytest
from rich.console import Console

from local_stack.demo import last_complete_night
from local_stack.night import Night
from local_stack.screen import Summary, print_summary

SUMMARY = Summary(
    airflow_url="http://127.0.0.1:8080",
    password="secret",
    simulator_url="http://127.0.0.1:12345",
    night_date=dt.date(2026, 1, 2),
    files_by_kind=Counter({f".kind{number}": 100 + number for number in range(20)}),
    night=Night(
        listed_count=2_310,
        counts={
            "enriched": 2_000,
            "reused": 100,
            "unchanged": 90,
            "skipped": 80,
            "dead_letter": 30,
            "pending": 10,
        },
        reasons=[("skipped", f"reason {number}", number) for number in range(20)],
        request_count=2_123,
        batch_count=10,
        forecast_usd=Decimal("12.3456"),
        actual_usd=Decimal("11.3456"),
        list_price_usd=Decimal("22.6912"),
    ),
    sample=[("documents/dt=2026-01-02/" + "long" * 40, *["many words " * 20] * 5)] * 10,
)


@pytest.mark.parametrize(
    ("now", "night"),
    [("2026-01-03T02:00", "2026-01-02"), ("2026-01-03T01:59", "2026-01-01")],
    ids=["after two", "before two"],
)
def test_the_last_night_is_complete_at_two_in_the_morning(now: str, night: str) -> None:
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC)
    assert last_complete_night(moment) == dt.date.fromisoformat(night)


def test_the_summary_fits_one_screen() -> None:
    page = io.StringIO()
    print_summary(Console(file=page, width=100), SUMMARY)
    lines = page.getvalue().splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100
