"""A browser, and a stack of its own with some nights behind it."""

import datetime as dt
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from include.storage import ObjectStore
from local_stack.airflow_api import Run
from local_stack.demo import last_complete_night
from local_stack.stack import WORK_BUCKET, Stack, StackOptions
from tests.browser.airflow_ui import AirflowUi
from tests.browser.history import write_history
from tests.e2e.conftest import SMALL_NIGHTS
from tests.e2e.nights import DAG_ID, Nights

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
WIDE: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}

Shoot = Callable[[Page, str], None]

expect.set_options(timeout=WAIT_MILLISECONDS)


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
def last_night(stack: Stack) -> Iterator[tuple[Nights, Run]]:
    """A fortnight of nights, and a last one that the scheduler has run."""
    nights = Nights(stack)
    write_history(ObjectStore(nights.s3, WORK_BUCKET, "nightshift"))
    texts = {f"{name}.txt": f"The report {name} is about bridges." for name in "abcde"}
    nights.upload(last_complete_night(dt.datetime.now(dt.UTC)), texts)
    stack.simulator.control("faults", [{"kind": "refusal", "rate": 0.5, "times": 1}])
    nights.unpause()
    nights.wait_until(lambda: bool(stack.api.runs(DAG_ID)))
    (run,) = stack.api.runs(DAG_ID)
    run = nights.finish(run)
    nights.clear_faults()
    yield nights, run
    nights.s3.close()


@pytest.fixture(scope="session")
def nights(last_night: tuple[Nights, Run]) -> Nights:
    return last_night[0]


@pytest.fixture(scope="session")
def refused(last_night: tuple[Nights, Run]) -> Run:
    """The last night: some of its documents were refused, and some were not."""
    nights, run = last_night
    assert set(nights.states(run).values()) == {"enriched", "dead_letter: refused"}
    return run


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """A browser that is logged in as a person does it."""
    context = browser.new_context(
        viewport=WIDE,
        base_url=stack.airflow.base_url,
        timezone_id="UTC",
    )
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
def page(context: BrowserContext, tmp_path: "Path") -> Iterator[Page]:
    """A tab in which no script fails and no content policy is broken; in the folder of the test it
    leaves a picture when the test fails."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    assert complaints == []


@pytest.fixture
def ui(page: Page) -> AirflowUi:
    return AirflowUi(page)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, Any, Any]:
    """Keep what the browser showed when a test failed."""
    report = yield
    fixtures: dict[str, Any] = item.funcargs
    if report.when == "call" and report.failed and "page" in fixtures:
        page, picture = fixtures["page"], fixtures["tmp_path"] / "failed.png"
        page.screenshot(path=picture)
        report.sections.append(("Browser", f"{page.url}\n{picture}"))
    return report


@pytest.fixture(scope="session")
def shoot(request: pytest.FixtureRequest) -> Shoot:
    """Take a picture of a tab, small enough for the documentation, when one was asked for."""
    folder: Path | None = request.config.getoption("--screenshots")

    def take(page: Page, name: str) -> None:
        if folder is None:
            return
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
        small = picture.convert("RGB").quantize(
            256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        small.save(folder / f"{name}.png", optimize=True)

    return take
