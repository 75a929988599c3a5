"""The page of example queries, and the rows that they return: `docs/queries.md`.

`python -m tests.integration.warehouse.queries_page` writes the rows into the page.
"""

import re
import tempfile
from pathlib import Path

from local_stack.rows import Rows
from tests.integration.databases import Database, DuckDBFile
from tests.integration.warehouse.example_nights import fill

PAGE = Path(__file__).parents[3] / "docs" / "queries.md"

_QUERY = re.compile(r"(^```sql\n(.*?)^```\n)(?:\n(?:\|[^\n]*\n)+)?", re.MULTILINE | re.DOTALL)


def with_rows(page: str, database: Database) -> str:
    """Return the page with the rows below each query that it returns now."""
    return _QUERY.sub(
        lambda found: f"{found[1]}\n{ask(database, found[2]).as_markdown()}",
        page,
    )


def ask(database: Database, query: str) -> Rows:
    """Return what a query finds, which is something."""
    rows = database.rows(query)
    return Rows(list(rows[0]), [list(row.values()) for row in rows])


def main() -> None:
    """Write the rows into the page."""
    with tempfile.TemporaryDirectory() as folder:
        database = DuckDBFile(Path(folder) / "example.duckdb")
        fill(database.open())
        PAGE.write_text(with_rows(PAGE.read_text(encoding="utf-8"), database), encoding="utf-8")


if __name__ == "__main__":
    main()
