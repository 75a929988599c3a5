import datetime as dt
import io
from collections import Counter
from decimal import Decimal

import pytest
from rich.console import Console

from include.reports import NightReport, StateCount
from local_stack.demo import last_complete_night
from local_stack.screen import Summary, print_summary

MIDNIGHT = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)

SUMMARY = Summary(
    airflow_url="http://127.0.0.1:8080",
    password="secret",
    simulator_url="http://127.0.0.1:12345",
    night=MIDNIGHT.date(),
    files_by_kind=Counter({f".kind{number}": 100 + number for number in range(20)}),
    report=NightReport(
        spec="document_metadata",
        run_key="key",
        run_id="id",
        run_type="scheduled",
        night=MIDNIGHT.date(),
        window_start_at=MIDNIGHT,
        window_end_at=MIDNIGHT,
        started_at=MIDNIGHT,
        finished_at=MIDNIGHT,
        verdict="green",
        problems=(),
        listed_count=2_310,
        documents={
            "enriched": 2_000,
            "reused": 100,
            "unchanged": 90,
            "skipped": 80,
            "dead_letter": 30,
            "pending": 10,
        },
        reasons=tuple(
            StateCount(state="skipped", state_reason=f"reason {number}", document_count=number)
            for number in range(20)
        ),
        needed_count=2_140,
        known_count=17,
        joined_count=0,
        bought_count=2_123,
        outcomes=(),
        batches=(),
        forecast_usd=Decimal("12.3456"),
        actual_usd=Decimal("11.3456"),
        list_usd=Decimal("22.6912"),
        failures=(),
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
