"""What a person does in Airflow's own pages, by what they show."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from playwright.sync_api import FrameLocator, Locator, Page, expect

from local_stack.airflow_api import Run
from tests.e2e.nights import DAG_ID

RunKind = Literal["Single Run", "Backfill"]
Reprocess = Literal["Missing Runs", "Missing and Errored Runs", "All Runs"]


@dataclass(frozen=True)
class AirflowUi:
    """A tab that shows Airflow to somebody who is logged in."""

    page: Page

    def rest(self) -> None:
        """Show nothing: Airflow's pages keep a core busy while one waits for a run to end."""
        self.page.goto("about:blank")

    def open_nightshift(self) -> FrameLocator:
        """Open the Nightshift page from the navigation, and return it once it is loaded."""
        self.page.goto("/")
        sidebar = self.page.get_by_test_id("nav-sidebar")  # assets are links with such names too
        sidebar.get_by_role("link", name="Nightshift", exact=True).click()
        return self.nightshift()

    def nightshift(self) -> FrameLocator:
        """Return the Nightshift page once it is loaded."""
        frame = self.page.frame_locator("iframe[title=Nightshift]")
        expect(frame.locator("main")).to_have_attribute("aria-busy", "false")
        return frame

    def open_task(self, run: Run, task_id: str, map_index: int) -> None:
        """Open the details of a mapped task."""
        run_id = quote(run.run_id, safe="")
        self.page.goto(
            f"/dags/{run.dag_id}/runs/{run_id}/tasks/{task_id}/mapped/{map_index}/details"
        )

    def open_form(self, kind: RunKind) -> Locator:
        """Open the form that starts runs of the nightly DAG."""
        self.page.goto(f"/dags/{DAG_ID}")
        self.page.get_by_role("button", name="Trigger").first.click()
        form = self.page.get_by_role("dialog").filter(has_text=f"Trigger Dag - {DAG_ID}")
        if kind == "Backfill":
            form.get_by_text("Run this Dag for a range of dates").click()
            form = self.page.get_by_role("dialog").filter(has_text=f"Run Backfill - {DAG_ID}")
        expect(form).to_be_visible()
        return form

    def fill_moment(self, field: Locator, moment: dt.datetime) -> None:
        """Fill in one of Airflow's pickers of date and time, in UTC."""
        field.click()
        day, time = (
            self.page.locator(f'input[placeholder="{placeholder}"]:visible')
            for placeholder in ("YYYY/MM/DD", "HH:mm")
        )
        day.fill(f"{moment:%Y/%m/%d}")
        time.fill(f"{moment:%H:%M}")
        self.page.keyboard.press("Escape")
        expect(day).to_have_count(0)  # it fades away, and the next picker has the same fields
        expect(field).to_have_text(f"{moment:%b %d, %Y %H:%M}")

    def backfill(self, first: dt.date, last: dt.date, reprocess: Reprocess) -> Locator:
        """Fill in the form of a backfill, and return it unsent."""
        form = self.open_form("Backfill")
        fields = form.get_by_test_id("datetime-input")
        self.fill_moment(fields.nth(0), _moment(first, 0, 0))
        self.fill_moment(fields.nth(1), _moment(last, 23, 59))
        form.get_by_text(reprocess, exact=True).click()
        days = (last - first).days + 1
        expect(form.get_by_text(f"{days} runs will be triggered.")).to_be_visible()
        return form

    def open_question(self, run: Run) -> None:
        """Open the question that a run asks, from the list of required actions."""
        self.page.goto("/")
        self.page.get_by_role("button", name="Browse").click()
        self.page.get_by_role("menuitem", name="Required Actions").click()
        row = self.page.get_by_role("row").filter(has_text=run.run_id)
        row.get_by_role("link", name="above its budget").click()


def _moment(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), dt.UTC)
