"""The page of example queries, and the rows that they return: `docs/queries.md`.

`python -m tests.integration.warehouse.queries_page` writes the rows into the page.
"""

import datetime as dt
import re
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from include.warehouse.duckdb_warehouse import open_duckdb
from tests.integration.warehouse.example_nights import fill

PAGE = Path(__file__).parents[3] / "docs" / "queries.md"
Table = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""Names of the columns, and the rows."""

_QUERY = re.compile(r"(^```sql\n(.*?)^```\n)(?:\n(?:\|[^\n]*\n)+)?", re.MULTILINE | re.DOTALL)


def with_rows(page: str, ask: Callable[[str], Table]) -> str:
    """Return the page with the rows below each query that it returns now."""
    return _QUERY.sub(lambda found: f"{found[1]}\n{_as_markdown(*ask(found[2]))}", page)


def ask_duckdb(path: Path, query: str) -> Table:
    """Return what a query finds in a file."""
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        result = connection.execute(query)
        return [column[0] for column in result.description or ()], result.fetchall()


def _as_markdown(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dt.datetime():
            return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
        case Decimal():
            return f"{value.normalize():f}"
        case list():
            return ", ".join(value)
    return str(value)


def main() -> None:
    """Write the rows into the page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.duckdb"
        fill(open_duckdb(path))
        text = with_rows(PAGE.read_text(encoding="utf-8"), lambda query: ask_duckdb(path, query))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
