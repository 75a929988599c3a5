"""Asks the local warehouse what an analyst would ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from local_stack.errors import StackError

Row = tuple[object, ...]

_PAGE_WIDTH = 120
_WITH_PLACE = """
*, row_number() over (
    partition by regexp_extract(object_key, '[^./]*$') order by md5(document_uri)
) as place
"""


def read_sample(warehouse: Path, columns: tuple[str, ...], *, limit: int) -> list[Row]:
    """Read some rows of the analyst's view: of many kinds, and the same ones every time."""
    with _open(warehouse) as connection:
        view = connection.table("nightshift.document_metadata").project(_WITH_PLACE)
        ordered = view.order("place, md5(document_uri)").limit(limit)
        return ordered.project(", ".join(columns)).fetchall()


def digest_tables(warehouse: Path) -> dict[str, Row]:
    """Return for each table its number of rows and a digest of all of them."""
    with _open(warehouse) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'nightshift' and table_type = 'BASE TABLE' order by 1"
        ).fetchall()
        return {name: _digest_table(connection, name) for (name,) in names}


def print_query(warehouse: Path, query: str) -> None:
    """Run one statement and print its rows as a table.

    Raises:
        StackError: The statement is not valid.
    """
    with _open(warehouse) as connection:
        try:
            connection.sql(query).show(max_width=_PAGE_WIDTH)
        except duckdb.Error as error:
            raise StackError(str(error)) from error


def _digest_table(connection: duckdb.DuckDBPyConnection, name: str) -> Row:
    table = connection.table(f'nightshift."{name}"').set_alias("rows")
    return table.aggregate("count(*), sum(hash(rows))").fetchall()[0]


@contextmanager
def _open(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for a moment: while it is open, no task can write."""
    connection = duckdb.connect(str(warehouse), read_only=True)
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()
