"""Past nights by backfill, as a person runs it in the browser; all of them again buys nothing."""

import datetime as dt

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import WAIT_MILLISECONDS, Shoot
from tests.e2e.nights import DAG_ID, Nights

pytestmark = pytest.mark.browser

FIRST = dt.date(2026, 9, 10)
DAYS = [FIRST + dt.timedelta(days=number) for number in range(2)]

expect.set_options(timeout=WAIT_MILLISECONDS)


def fill_moment(dialog: Locator, page: Page, moment: dt.datetime) -> None:
    dialog.get_by_text("Select date and time").first.click()
    for placeholder, text in (("YYYY/MM/DD", f"{moment:%Y/%m/%d}"), ("HH:mm", f"{moment:%H:%M}")):
        field = page.locator(f'input[placeholder="{placeholder}"]:visible')
        field.fill(text)
        field.press("Tab")
    page.keyboard.press("Escape")


def run_backfill(page: Page, behaviour: str, shoot: Shoot | None = None) -> None:
    """Fill in Airflow's own form, and send it."""
    page.goto(f"/dags/{DAG_ID}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.locator(".chakra-dialog__content[data-state=open]")
    dialog.get_by_text("Run this Dag for a range of dates").click()
    fill_moment(dialog, page, dt.datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=dt.UTC))
    last = DAYS[-1]
    fill_moment(dialog, page, dt.datetime(last.year, last.month, last.day, 23, 59, tzinfo=dt.UTC))
    dialog.get_by_text(behaviour, exact=True).click()
    expect(dialog.get_by_text("2 runs will be triggered.")).to_be_visible()
    if shoot:
        shoot(page, "backfill")
    dialog.get_by_role("button", name="Run Backfill").click()
    expect(dialog).to_be_hidden()


def ended(nights: Nights, *, since: dt.datetime) -> bool:
    """Return whether both nights have succeeded after a moment."""
    runs = nights.stack.api.call("GET", f"/dags/{DAG_ID}/dagRuns", run_type="backfill")["dag_runs"]
    done = [
        run
        for run in runs
        if run["state"] == "success" and dt.datetime.fromisoformat(run["end_date"]) > since
    ]
    return len(done) == len(DAYS)


def test_backfill_from_the_browser_and_all_runs_again_buy_nothing(
    page: Page, nights: Nights, shoot: Shoot
) -> None:
    for day in DAYS:
        nights.upload(day, {f"{day}-{name}.txt": f"About {name} on {day}." for name in "xy"})
    before = nights.bought()
    start = dt.datetime.now(dt.UTC)
    run_backfill(page, "Missing Runs", shoot)
    nights.wait_until(lambda: ended(nights, since=start), timeout_seconds=300)
    assert nights.bought() == before + 2 * len(DAYS)
    tables = nights.tables()

    def is_over() -> bool:
        backfills = nights.stack.api.call("GET", "/backfills", dag_id=DAG_ID)["backfills"]
        return all(one["completed_at"] for one in backfills)

    nights.wait_until(is_over, timeout_seconds=180)
    again = dt.datetime.now(dt.UTC)
    run_backfill(page, "All Runs")
    nights.wait_until(lambda: ended(nights, since=again), timeout_seconds=300)
    assert nights.bought() == before + 2 * len(DAYS)
    assert nights.tables() == tables
