"""The walkthrough as `make walkthrough` runs it."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from local_stack.walkthrough import PAGE, is_as_written, open_walkthrough

pytestmark = pytest.mark.integration


def test_three_nights_are_as_the_page_says(tmp_path: Path) -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=100)
    with open_walkthrough(tmp_path / "servers", console) as walkthrough:
        found = walkthrough.run()

    assert is_as_written(PAGE, found, console), shown.getvalue()


def test_a_difference_is_shown_where_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| a | enriched |\n| b | enriched |\n")
    shown = io.StringIO()

    assert not is_as_written(page, "| a | enriched |\n| b | reused |\n", Console(file=shown))

    assert "-| b | enriched |\n+| b | reused |\n" in shown.getvalue()
