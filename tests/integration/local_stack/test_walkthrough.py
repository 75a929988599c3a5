"""The walkthrough as `make walkthrough` runs it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from local_stack.state import WarehouseKind
from local_stack.walkthrough import KINDS, PAGE, Servers, is_as_written, open_servers

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with open_servers(tmp_path_factory.mktemp("walkthrough") / "servers") as servers:
        yield servers


@pytest.mark.parametrize("kind", KINDS)
def test_three_nights_are_as_the_page_says(servers: Servers, kind: WarehouseKind) -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=100)

    found = servers.walkthrough(kind, console).run()

    assert is_as_written(PAGE, found, kind, console), shown.getvalue()


def test_a_difference_is_shown_with_the_night_and_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("## Night 1\n\n### States\n\n| a | enriched |\n| b | enriched |\n")
    found = page.read_text().replace("b | enriched", "b | reused")
    shown = io.StringIO()

    assert not is_as_written(page, found, "duckdb", Console(file=shown))

    text = shown.getvalue()
    assert "\nNight 1. States\n" in text
    assert "-| b | enriched |\n+| b | reused |\n" in text
