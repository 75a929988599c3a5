"""The walkthrough as `make walkthrough` runs it."""

from pathlib import Path

import pytest
from rich.console import Console

from local_stack.walkthrough import PAGE, differences, open_walkthrough

pytestmark = pytest.mark.integration


def test_three_nights_are_as_the_page_says(tmp_path: Path) -> None:
    with open_walkthrough(tmp_path / "servers", Console(quiet=True)) as walkthrough:
        found = walkthrough.run()

    assert differences(PAGE.read_text(encoding="utf-8"), found) == [], "make walkthrough ACCEPT=1"


def test_a_difference_is_shown_where_it_is() -> None:
    shown = differences(
        "| a | enriched |\n| b | enriched |\n", "| a | enriched |\n| b | reused |\n"
    )

    assert shown[-2:] == ["-| b | enriched |", "+| b | reused |"]
