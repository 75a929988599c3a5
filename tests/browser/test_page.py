"""The page in a real Airflow and a real browser: by keyboard, on a phone, in the dark."""

import datetime as dt
from typing import Any

import httpx2
import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from local_stack.airflow_api import Run
from tests.browser.conftest import PHONE, WAIT_MILLISECONDS, Shoot
from tests.e2e.nights import DAG_ID, Nights

pytestmark = pytest.mark.browser

PAST = dt.date(2026, 9, 1)
TEXT = "The {name} report is about bridges in Bern. It was written on {day}."

expect.set_options(timeout=WAIT_MILLISECONDS)


def texts(day: dt.date, *names: str) -> dict[str, str]:
    return {f"{name}.txt": TEXT.format(name=name, day=day) for name in names}


def open_from_navigation(page: Page) -> FrameLocator:
    page.goto("/")
    page.get_by_role("link", name="Nightshift").click()
    page.wait_for_url("**/plugin/nightshift")
    frame = page.frame_locator("iframe")
    expect(frame.locator("main")).to_have_attribute("aria-busy", "false")
    return frame


def row_of(frame: FrameLocator, batch_id: str) -> Locator:
    return frame.locator("#batches tbody tr").filter(has_text=batch_id)


@pytest.fixture(scope="module")
def night(nights: Nights) -> Run:
    """A night of which one document was refused."""
    nights.upload(PAST, texts(PAST, "a", "b", "c", "d", "e"))
    nights.stack.simulator.control("faults", [{"kind": "refusal", "rate": 0.5, "times": 1}])
    run = nights.finish(nights.start(PAST))
    httpx2.delete(f"{nights.stack.simulator.base_url}/_sim/faults").raise_for_status()
    assert "dead_letter: refused" in nights.states(run).values()
    return run


def test_page_is_found_in_the_navigation_and_tells_the_night(
    page: Page, nights: Nights, night: Run, shoot: Shoot
) -> None:
    frame = open_from_navigation(page)
    tonight = frame.locator("#tonight")
    expect(tonight).to_contain_text(f"Night of {PAST.day} ")
    expect(tonight.locator(".figure", has_text="Enriched").locator("dd")).to_have_text(
        str(list(nights.states(night).values()).count("enriched"))
    )
    expect(frame.locator("#spend svg .bar")).not_to_have_count(0)
    frame.locator("#spend summary").click()
    expect(frame.locator("#spend tbody tr")).not_to_have_count(0)
    expect(frame.locator("#quality")).to_contain_text("refused")
    expect(frame.locator("#batches")).to_contain_text("Nothing is in flight")
    frame.locator("#spend summary").click()
    page.wait_for_timeout(500)
    shoot(page, "page-tonight")
    frame.locator("#spend").scroll_into_view_if_needed()
    frame.locator("#quality figure").scroll_into_view_if_needed()
    shoot(page, "page-spend")


def test_night_leads_to_its_run_in_the_page_around(page: Page, night: Run) -> None:
    frame = open_from_navigation(page)
    frame.locator("#tonight").get_by_role("link", name="Run in Airflow").click()
    page.wait_for_url(f"**/dags/{DAG_ID}/runs/**")
    assert night.run_id.split("T")[0] in page.url.replace("%3A", ":")


def test_dead_letters_are_requeued_with_a_budget(
    page: Page, nights: Nights, night: Run, shoot: Shoot
) -> None:
    frame = open_from_navigation(page)
    frame.get_by_role("button", name="Requeue dead letters…").click()
    dialog = frame.locator("#requeue-dialog")
    expect(dialog.get_by_label("refused")).to_be_checked()
    dialog.get_by_label("Budget in USD").fill("1.5")
    shoot(page, "page-requeue")
    dialog.get_by_role("button", name="Start the run").click()
    expect(frame.locator("#notices")).to_contain_text("was started")
    runs = [run for run in nights.stack.api.runs(DAG_ID) if run.run_id != night.run_id]
    requeued = max(runs, key=lambda run: run.run_id if run.run_type == "manual" else "")
    conf: dict[str, Any] = nights.stack.api.call(
        "GET", f"/dags/{DAG_ID}/dagRuns/{requeued.run_id}"
    )["conf"]
    assert conf["requeue"] == ["refused"]
    assert conf["budget_usd"] == 1.5
    assert nights.finish(requeued).state == "success"
    nights.bought()


def test_batch_is_cancelled_by_keyboard_after_it_was_asked(
    page: Page, nights: Nights, shoot: Shoot
) -> None:
    day = PAST + dt.timedelta(days=1)
    nights.upload(day, texts(day, "f", "g"))
    nights.stack.simulator.control("faults", [{"kind": "never_end", "times": 1}])
    run = nights.start(day)

    def submitted() -> bool:
        states = nights.stack.api.task_states(run.dag_id, run.run_id)
        return states.get(("shard.wait_for_batch", 0)) == "deferred"

    nights.wait_until(submitted)
    (batch,) = [
        one
        for one in nights.stack.simulator.control("state")["batches"]
        if one["processing_status"] == "in_progress"
    ]
    frame = open_from_navigation(page)
    row = row_of(frame, batch["id"])
    expect(row).to_contain_text("submitted")
    expect(row.get_by_role("link", name="Task")).to_have_attribute(
        "href",
        f"{nights.stack.airflow.base_url}/dags/{DAG_ID}/runs/"
        f"{run.run_id.replace(':', '%3A').replace('+', '%2B')}/tasks/shard.wait_for_batch/mapped/0",
    )
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    dialog = frame.locator("#cancel-dialog")
    expect(dialog).to_contain_text("is paid")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    shoot(page, "page-cancel")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("a trial of the page")
    page.keyboard.press("Enter")
    expect(frame.locator("#notices")).to_contain_text("was asked to cancel")

    assert nights.finish(run).state == "success"
    assert set(nights.states(run).values()) == {"enriched"}
    log = nights.stack.api.call("GET", "/eventLogs", event="nightshift.cancel_batch")
    assert [entry["owner"] for entry in log["event_logs"]] == ["admin"]


def test_task_leads_to_its_batch_on_the_page(page: Page, nights: Nights, night: Run) -> None:
    task = f"/dags/{DAG_ID}/dagRuns/{night.run_id}/taskInstances/shard.wait_for_batch/links"
    link = nights.stack.api.call("GET", task, map_index=0)["extra_links"]["Nightshift page"]
    page.goto(link)
    asked = page.frame_locator("iframe").locator("#asked")
    expect(asked.locator("tbody tr")).to_contain_text(link.split("batch=")[1])
    expect(asked.locator("tbody tr")).to_contain_text("loaded")


def test_page_fits_a_phone_and_follows_the_dark(page: Page, nights: Nights, shoot: Shoot) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    page.goto("/nightshift/page")
    expect(page.locator("#nights tbody tr")).not_to_have_count(0)
    expect(page.locator("#spend svg")).to_have_attribute("viewBox", "0 0 360 220")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(22, 24, 29)"
    shoot(page, "page-phone-dark")
    page.emulate_media(color_scheme="light")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_page_follows_the_theme_of_airflow(page: Page, nights: Nights) -> None:
    frame = open_from_navigation(page)
    page.evaluate("document.documentElement.className = 'dark'")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("document.documentElement.className = 'light'")
    expect(frame.locator("html")).to_have_attribute("data-theme", "light")


def test_whole_page_is_reached_by_keyboard(page: Page, nights: Nights) -> None:
    page.goto("/nightshift/page")
    expect(page.locator("main")).to_have_attribute("aria-busy", "false")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#tonight') !== null")
    unnamed = page.locator("button:not([aria-label]):empty, input:not([id]):not([name])")
    expect(unnamed).to_have_count(0)


def test_cookie_of_nobody_sees_nothing(context: BrowserContext, page: Page) -> None:
    context.clear_cookies()
    for path in ("page", "static/page.js", "api/overview"):
        answer = context.request.get(f"/nightshift/{path}")
        assert answer.status == 401
    assert page.goto("/nightshift/page").status == 401  # type: ignore[union-attr]
