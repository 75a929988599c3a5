"""A night that a person starts from the form; above its budget it asks, and does as it is told."""

import datetime as dt

import pytest
from playwright.sync_api import Locator, expect

from include.approvals import find_decision
from include.forecast_lines import usd
from include.identities import run_key
from include.runs import RunFiles
from include.storage import ObjectStore
from local_stack.stack import WORK_BUCKET
from tests.browser.airflow_ui import AirflowUi
from tests.browser.conftest import Shoot
from tests.e2e.nights import DAG_ID, SPEC, Nights

pytestmark = pytest.mark.browser

DAY = dt.date(2026, 9, 20)
SECTIONS = {
    "Which documents": ("Window start", "Window end", "Key prefix", "Limit"),
    "Money": ("Plan only", "Budget in USD"),
    "Asking again": ("Requeue", "Reprocess"),
}


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def answer(ui: AirflowUi, option: str) -> None:
    ui.page.get_by_role("button", name=option).click()
    expect(ui.page.get_by_text("approve_spend response successful")).to_be_visible()
    ui.rest()


@pytest.fixture
def documents(nights: Nights) -> None:
    nights.upload(DAY, {f"{name}.txt": f"A note about {name}." for name in ("oaks", "elms")})


def open_section(form: Locator, section: str) -> None:
    form.get_by_role("button", name=section).click()
    for title in SECTIONS[section]:
        expect(form.get_by_text(title, exact=True)).to_be_visible()


def fill_in(ui: AirflowUi, form: Locator, shoot: Shoot) -> None:
    """Choose the documents of one day and a budget of nothing, after some hesitation."""
    open_section(form, "Asking again")
    reasons = form.get_by_role("combobox", name="Select one or multiple values")
    reasons.fill("refused")
    reasons.press("Enter")
    expect(form.get_by_label("Remove refused")).to_be_visible()
    reasons.press("Backspace")
    open_section(form, "Money")
    form.get_by_role("spinbutton").fill("0")
    expect(form.get_by_text("Above this forecast a person is asked")).to_be_visible()
    open_section(form, "Which documents")
    moments = form.get_by_test_id("datetime-input")
    ui.fill_moment(moments.nth(-2), midnight(DAY))
    ui.fill_moment(moments.nth(-1), midnight(DAY + dt.timedelta(days=1)))
    shoot(ui.page, "run-form")


@pytest.mark.usefixtures("documents")
def test_night_from_the_form_is_rejected_and_leaves_its_documents_pending(
    ui: AirflowUi, nights: Nights, shoot: Shoot
) -> None:
    known, bill = {run.run_id for run in nights.stack.api.runs(DAG_ID)}, nights.bill()
    form = ui.open_form("Single Run")
    fill_in(ui, form, shoot)
    form.get_by_role("button", name="Trigger", exact=True).click()
    expect(form).to_be_hidden()
    ui.rest()
    (run,) = [run for run in nights.stack.api.runs(DAG_ID) if run.run_id not in known]
    nights.wait_for_question(run)
    ui.open_question(run)
    answer(ui, "Reject")
    assert nights.finish(run).state == "success"
    assert nights.report(run).window_start_at == midnight(DAY)
    assert set(nights.states(run).values()) == {"pending: spend_rejected"}
    assert nights.bill() == bill


@pytest.mark.usefixtures("documents")
def test_approved_night_goes_on_for_what_was_foretold(
    ui: AirflowUi, nights: Nights, shoot: Shoot
) -> None:
    bought, twice = nights.bill()
    run = nights.start(DAY, budget_usd=0)
    nights.wait_for_question(run)
    ui.open_question(run)
    question = ui.page.get_by_role("paragraph").filter(has_text="Approve to submit")
    expect(question).to_contain_text("the run's budget is $0.0000")
    asked = question.inner_text()
    shoot(ui.page, "approval")
    answer(ui, "Approve")
    assert nights.finish(run).state == "success"
    store = ObjectStore(nights.s3, WORK_BUCKET, "nightshift")
    decision = find_decision(store, RunFiles(SPEC, run_key(run.run_id)))
    assert decision is not None
    assert decision.estimate_usd > 0
    assert f"of {SPEC}, estimated at {usd(decision.estimate_usd)};" in " ".join(asked.split())
    # What the other test left pending is of equal content: either may be whom it is bought for.
    assert set(nights.states(run).values()) <= {"enriched", "reused"}
    assert nights.bill() == (bought + 2, twice)
