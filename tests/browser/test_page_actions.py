"""What the page lets one do, in a real browser: it asks first, says what it costs, and does it."""

import datetime as dt
import re

import pytest
from batch_links import CONSOLE_URL
from playwright.sync_api import FrameLocator, Locator, expect

from local_stack.airflow_api import Run
from tests.browser.airflow_ui import AirflowUi
from tests.browser.conftest import Shoot
from tests.e2e.nights import DAG_ID, Nights

pytestmark = pytest.mark.browser

DAY = dt.date(2026, 9, 3)


def row_of(frame: FrameLocator, batch_id: str) -> Locator:
    return frame.locator("#batches tbody tr").filter(has_text=batch_id)


def batches_in_flight(nights: Nights) -> list[str]:
    batches = nights.stack.simulator.control("state")["batches"]
    return [one["id"] for one in batches if one["processing_status"] == "in_progress"]


@pytest.fixture
def endless(nights: Nights) -> Run:
    """A night that waits for a batch which does not end."""
    nights.upload(DAY, {f"{name}.txt": f"The {name} memo is about locks." for name in "fg"})
    nights.stack.simulator.control("faults", [{"kind": "never_end", "times": 1}])
    run = nights.start(DAY)

    def waits() -> bool:
        states = nights.stack.api.task_states(run.dag_id, run.run_id)
        return states.get(("shard.wait_for_batch", 0)) == "deferred"

    nights.wait_until(waits)
    return run


def test_dead_letters_are_requeued_with_a_budget(
    ui: AirflowUi, nights: Nights, refused: Run, shoot: Shoot
) -> None:
    known, (bought, twice) = {run.run_id for run in nights.stack.api.runs(DAG_ID)}, nights.bill()
    frame = ui.open_nightshift()
    frame.get_by_role("button", name="Requeue dead letters…").click()
    dialog = frame.locator("#requeue-dialog")
    expect(dialog).to_contain_text("Asking again costs money.")
    expect(dialog.get_by_label("refused")).to_be_checked()
    expect(dialog.get_by_label("errored")).not_to_be_checked()
    dialog.get_by_label("Budget in USD").fill("1.5")
    shoot(ui.page, "page-requeue")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    assert {run.run_id for run in nights.stack.api.runs(DAG_ID)} == known

    frame.get_by_role("button", name="Requeue dead letters…").click()
    dialog.get_by_label("Budget in USD").fill("1.5")
    dialog.get_by_role("button", name="Start the run").click()
    notice = frame.locator("#notices").get_by_text("was started")
    expect(notice).to_be_focused()
    (run,) = [run for run in nights.stack.api.runs(DAG_ID) if run.run_id not in known]
    expect(notice).to_contain_text(run.run_id)
    conf = nights.stack.api.call("GET", f"/dags/{DAG_ID}/dagRuns/{run.run_id}")["conf"]
    assert conf["requeue"] == ["refused"]
    assert conf["budget_usd"] == 1.5

    ui.rest()
    assert nights.finish(run).state == "success"
    given_up = [name for name, state in nights.states(refused).items() if "refused" in state]
    assert {name: nights.states(run)[name] for name in given_up} == dict.fromkeys(
        given_up, "enriched"
    )
    assert nights.bill() == (bought + len(given_up), twice + len(given_up))
    quality = ui.open_nightshift().locator("#quality")
    expect(quality).to_contain_text("Open dead letters by reason")
    expect(quality.get_by_role("row", name="refused")).to_have_count(0)


def test_batch_in_flight_leads_to_its_task_and_is_cancelled_by_keyboard(
    ui: AirflowUi, nights: Nights, endless: Run, shoot: Shoot
) -> None:
    (batch_id,) = batches_in_flight(nights)
    frame = ui.open_nightshift()
    row = row_of(frame, batch_id)
    row.get_by_role("link", name="Task").click()
    ui.page.wait_for_url("**/tasks/shard.wait_for_batch/mapped/0")
    expect(ui.page.get_by_role("heading", name="shard.wait_for_batch")).to_be_visible()
    ui.page.go_back()
    frame = ui.nightshift()
    ui.page.context.route(f"{CONSOLE_URL}**", lambda route: route.fulfill(body="Console"))
    with ui.page.context.expect_page() as opened:
        frame.get_by_role("link", name="Claude Console").click()
    expect(opened.value.locator("body")).to_have_text("Console")
    opened.value.close()
    expect(row).to_contain_text("submitted")
    row.get_by_role("button").focus()
    ui.page.keyboard.press("Enter")
    dialog = frame.locator("#cancel-dialog")
    expect(dialog).to_contain_text("is paid")
    expect(dialog.locator(".figure", has_text="Estimated cost")).to_have_text(
        re.compile(r"\$0\.\d{4}")
    )
    expect(dialog.get_by_label("Reason")).to_be_focused()
    shoot(ui.page, "page-cancel")
    ui.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row.get_by_role("button")).to_be_focused()
    assert batches_in_flight(nights) == [batch_id]

    ui.page.keyboard.press("Enter")
    ui.page.keyboard.type("a trial of the page")
    ui.page.keyboard.press("Enter")
    expect(frame.locator("#notices")).to_contain_text("was asked to cancel")
    ui.rest()
    assert nights.finish(endless).state == "success"
    assert set(nights.states(endless).values()) == {"enriched"}
    log = nights.stack.api.call("GET", "/eventLogs", event="nightshift.cancel_batch")
    assert [entry["owner"] for entry in log["event_logs"]] == ["admin"]


@pytest.mark.parametrize("task_id", ["shard.wait_for_batch", "shard.submit_batch"])
def test_task_leads_to_its_batch_and_back(
    ui: AirflowUi, nights: Nights, refused: Run, task_id: str
) -> None:
    ui.open_task(refused, task_id, 0)
    ui.page.get_by_role("link", name="Nightshift page").click()
    asked = ui.nightshift().locator("#asked tbody tr")
    expect(asked).to_contain_text("msgbatch_")
    expect(asked).to_contain_text("loaded")
    ui.page.reload()
    expect(asked).to_contain_text("msgbatch_")
    batch_id = asked.locator("code").inner_text()
    asked.get_by_role("link", name="Task").click()
    ui.page.wait_for_url("**/tasks/shard.wait_for_batch/mapped/0")
    expect(ui.page.get_by_role("heading", name=batch_id)).to_be_visible()
