"""A browser, and a stack of its own with some nights behind it."""

import datetime as dt
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from include.night_index import note_night
from include.reports import OutcomeCount, StateCount
from include.storage import ObjectStore
from local_stack.stack import WORK_BUCKET, Stack, StackOptions
from tests.e2e.conftest import SMALL_NIGHTS
from tests.e2e.nights import SPEC, Nights
from tests.factories import make_report

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MILLISECONDS = 60_000
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}

Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser, installed from Debian when it is missing and that is permitted."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(["apt-get", *command], check=True, capture_output=True, timeout=300)
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is missing and cannot be installed without root")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    options = StackOptions(settings=SMALL_NIGHTS, latency_seconds=1)
    stack = Stack(tmp_path_factory.mktemp("stack"), options)
    try:
        stack.start()
        yield stack
        stack.api.close()
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def nights(stack: Stack) -> Iterator[Nights]:
    nights = Nights(stack)
    nights.unpause()
    _write_history(ObjectStore(nights.s3, WORK_BUCKET, "nightshift"))
    yield nights
    nights.s3.close()


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """A browser that is logged in as a person does it."""
    context = browser.new_context(viewport=WIDE, base_url=stack.airflow.base_url)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    page.goto("/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", stack.secrets.admin_password)
    page.click("button[type=submit]")
    page.get_by_role("link", name="Dags", exact=True).wait_for()
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab in which no script fails and no content policy is broken."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    assert complaints == []


@pytest.fixture(scope="session")
def shoot(request: pytest.FixtureRequest) -> Shoot:
    """Take a picture of a tab, small enough for the documentation, when one was asked for."""
    folder: Path | None = request.config.getoption("--screenshots")

    def take(page: Page, name: str) -> None:
        if folder is None:
            return
        picture = Image.open(io.BytesIO(page.screenshot()))
        small = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
        small.save(folder / f"{name}.png", optimize=True)

    return take


def _write_history(store: ObjectStore) -> None:
    """Let a fortnight of nights have ended before: they wrote what is written here."""
    today = dt.datetime.now(dt.UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    for days in range(14, 0, -1):
        end = today - dt.timedelta(days=days)
        bought = 900 + 37 * (days * 7 % 11)
        failed = days * 5 % 13
        cost = bought * Decimal("0.00014")
        values: dict[str, Any] = {
            "spec": SPEC,
            "run_key": f"history-{days}",
            "run_id": f"scheduled__{end.isoformat()}",
            "night": (end - dt.timedelta(days=1)).date(),
            "window_start_at": end - dt.timedelta(days=1),
            "window_end_at": end,
            "started_at": end,
            "finished_at": end + dt.timedelta(minutes=47),
            "listed_count": bought + 260,
            "documents": {
                "enriched": bought - failed,
                "reused": 40,
                "unchanged": 180,
                "skipped": 40,
                "dead_letter": failed,
                "pending": 0,
            },
            "reasons": (
                StateCount(state="skipped", state_reason="image_only", document_count=40),
                StateCount(state="dead_letter", state_reason="refused", document_count=failed),
            ),
            "outcomes": (
                _outcome("succeeded", bought - failed),
                _outcome("truncated", 3 * failed),
                _outcome("refused", failed),
            ),
            "needed_count": bought + 40,
            "known_count": 40,
            "bought_count": bought,
            "forecast_usd": cost * Decimal("0.94"),
            "actual_usd": cost,
            "list_usd": 2 * cost,
        }
        note_night(store, make_report(**values))


def _outcome(name: str, count: int) -> OutcomeCount:
    return OutcomeCount(
        outcome=name,
        result_count=count,
        input_tokens=0,
        output_tokens=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cost_usd=count * Decimal("0.00014"),
        list_cost_usd=count * Decimal("0.00028"),
    )
