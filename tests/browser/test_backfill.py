"""Past nights by backfill, as a person runs it in the browser; all of them again buys nothing."""

import datetime as dt

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.airflow_ui import AirflowUi
from tests.browser.conftest import Shoot
from tests.e2e.nights import DAG_ID, RUN_SECONDS, Nights

pytestmark = pytest.mark.browser

FIRST = dt.date(2026, 9, 10)
NIGHTS_SECONDS = 2 * RUN_SECONDS
"""The form runs one night after the other."""
DAYS = [FIRST + dt.timedelta(days=number) for number in range(2)]


def send(ui: AirflowUi, form: Locator) -> None:
    form.get_by_role("button", name="Run Backfill").click()
    expect(form).to_be_hidden()
    ui.rest()


def have_ended(nights: Nights, *, since: dt.datetime) -> bool:
    """Return whether all the nights have succeeded after a moment."""
    runs = nights.stack.api.call("GET", f"/dags/{DAG_ID}/dagRuns", run_type="backfill")["dag_runs"]
    assert "failed" not in {run["state"] for run in runs}
    ends = [dt.datetime.fromisoformat(run["end_date"]) for run in runs if run["state"] == "success"]
    return len([end for end in ends if end > since]) == len(DAYS)


def is_over(nights: Nights) -> bool:
    """Return whether Airflow would take another backfill."""
    backfills = nights.stack.api.call("GET", "/backfills", dag_id=DAG_ID)["backfills"]
    return all(one["completed_at"] for one in backfills)


def test_past_nights_are_backfilled_and_all_runs_again_buy_nothing(
    ui: AirflowUi, nights: Nights, shoot: Shoot
) -> None:
    for day in DAYS:
        nights.upload(day, {f"{day}-{name}.txt": f"About {name} on {day}." for name in "xy"})
    (bought, twice), start = nights.bill(), dt.datetime.now(dt.UTC)
    form = ui.backfill(DAYS[0], DAYS[-1], "Missing Runs")
    shoot(ui.page, "backfill-form")
    send(ui, form)
    nights.wait_until(lambda: have_ended(nights, since=start), timeout_seconds=NIGHTS_SECONDS)
    assert nights.bill() == (bought + 2 * len(DAYS), twice)
    ui.page.goto(f"/dags/{DAG_ID}/runs?run_type=backfill")
    rows = ui.page.get_by_role("row").filter(has_text="backfill__")
    expect(rows).to_have_count(len(DAYS))
    for row in rows.all():
        expect(row).to_contain_text("Success")
    ui.rest()

    nights.wait_until(lambda: is_over(nights))
    tables, again = nights.tables(), dt.datetime.now(dt.UTC)
    send(ui, ui.backfill(DAYS[0], DAYS[-1], "All Runs"))
    nights.wait_until(lambda: have_ended(nights, since=again), timeout_seconds=NIGHTS_SECONDS)
    assert nights.bill() == (bought + 2 * len(DAYS), twice)
    assert nights.tables() == tables
