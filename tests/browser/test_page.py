"""The page in a real Airflow and a real browser: by keyboard, on a phone, in the dark."""

from urllib.parse import unquote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from include.night_index import index_key, read_index
from include.storage import ObjectStore
from local_stack.airflow_api import Run
from local_stack.stack import WORK_BUCKET
from tests.browser.airflow_ui import AirflowUi
from tests.browser.conftest import PHONE, Shoot
from tests.e2e.nights import DAG_ID, SPEC, Nights

pytestmark = pytest.mark.browser

QUIET_SPEC = "contract_terms"
"""A spec without any night."""


def test_page_is_found_in_the_navigation_and_tells_the_night(
    ui: AirflowUi, nights: Nights, refused: Run, shoot: Shoot
) -> None:
    index = read_index(ObjectStore(nights.s3, WORK_BUCKET, "nightshift"), SPEC)
    last = max(index.nights, key=lambda night: night.finished_at)
    frame = ui.open_nightshift()
    tonight = frame.locator("#tonight")
    expect(tonight).to_contain_text(f"Night of {last.night.day} ")
    for label, state in (("enriched", "enriched"), ("dead letter", "dead_letter")):
        figure = tonight.locator(".figure", has_text=label)
        expect(figure.locator("dd")).to_have_text(str(last.documents[state]))
    expect(frame.locator("#spend svg .bar")).not_to_have_count(0)
    expect(frame.locator("#quality svg .bar")).not_to_have_count(0)
    dead = list(nights.states(refused).values()).count("dead_letter: refused")
    letters = frame.locator("#quality").get_by_role("row", name="refused")
    expect(letters.get_by_role("cell")).to_have_text(str(dead))
    expect(frame.locator("#batches")).to_contain_text("Nothing is in flight")
    shoot(ui.page, "page-tonight")
    frame.locator("#spend").evaluate("one => one.scrollIntoView()")
    shoot(ui.page, "page-spend")
    frame.locator("#spend summary").click()
    expect(frame.locator("#spend tbody tr")).not_to_have_count(0)


def test_night_leads_to_its_run_and_the_way_back(ui: AirflowUi, refused: Run) -> None:
    link = ui.open_nightshift().locator("#nights tbody").get_by_role("link").first
    expect(link).to_contain_text("scheduled")
    link.click()
    ui.page.wait_for_url(f"**/dags/{DAG_ID}/runs/**")
    assert unquote(ui.page.url).endswith(f"/runs/{refused.run_id}")
    ui.page.go_back()
    expect(ui.nightshift().locator("#tonight")).to_contain_text("Night of ")


def test_spec_without_nights_says_so(ui: AirflowUi, nights: Nights) -> None:
    frame = ui.open_nightshift()
    frame.get_by_label("Spec").select_option(QUIET_SPEC)
    for section, text in {
        "tonight": "No night has ended yet.",
        "batches": "Nothing is in flight.",
        "spend": "No run has ended yet.",
        "quality": "No results yet.",
        "nights": "No night has ended yet.",
    }.items():
        expect(frame.locator(f"#{section}")).to_contain_text(text)


def test_what_cannot_be_read_is_named_beside_the_rest(ui: AirflowUi, nights: Nights) -> None:
    key = f"nightshift/{index_key(QUIET_SPEC)}"
    nights.write(key, b"no JSON")
    try:
        ui.page.goto("/nightshift/page")
        ui.page.get_by_label("Spec").select_option(QUIET_SPEC)
        expect(ui.page.locator("#notices .error")).to_contain_text("index.json is not an index")
        expect(ui.page.locator("#batches")).to_contain_text("Nothing is in flight.")
    finally:
        nights.delete(key)


def test_page_says_when_airflow_does_not_answer(ui: AirflowUi, nights: Nights) -> None:
    ui.page.goto("/nightshift/page")
    expect(ui.page.locator("main")).to_have_attribute("aria-busy", "false")
    ui.page.route("**/api/overview", lambda route: route.abort())
    ui.page.get_by_role("button", name="Refresh").click()
    expect(ui.page.locator("#notices .error")).to_contain_text("Could not be loaded")
    expect(ui.page.locator("#nights tbody tr")).not_to_have_count(0)
    ui.page.unroute("**/api/overview")
    ui.page.get_by_role("button", name="Refresh").click()
    expect(ui.page.locator("#notices")).to_be_empty()


def test_page_fits_a_phone_and_follows_the_dark(page: Page, nights: Nights, shoot: Shoot) -> None:
    page.set_viewport_size(PHONE)
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


def test_page_follows_the_theme_of_airflow(ui: AirflowUi, nights: Nights) -> None:
    frame = ui.open_nightshift()
    ui.page.evaluate("document.documentElement.className = 'dark'")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    ui.page.evaluate("document.documentElement.className = 'light'")
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
