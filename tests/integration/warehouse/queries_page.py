"""The page of example queries, and the rows that they return: `docs/queries.md`.

`python -m tests.integration.warehouse.queries_page` writes the rows into the page.
"""

import re
import tempfile
from functools import partial
from pathlib import Path

from include.warehouse.duckdb_warehouse import open_duckdb
from local_stack.rows import Ask
from local_stack.warehouse import ask_duckdb
from tests.integration.warehouse.example_nights import fill

PAGE = Path(__file__).parents[3] / "docs" / "queries.md"

_QUERY = re.compile(r"(^```sql\n(.*?)^```\n)(?:\n(?:\|[^\n]*\n)+)?", re.MULTILINE | re.DOTALL)


def with_rows(page: str, ask: Ask) -> str:
    """Return the page with the rows below each query that it returns now."""
    return _QUERY.sub(lambda found: f"{found[1]}\n{ask(found[2]).as_markdown()}", page)


def main() -> None:
    """Write the rows into the page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.duckdb"
        fill(open_duckdb(path))
        text = with_rows(PAGE.read_text(encoding="utf-8"), partial(ask_duckdb, path))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
