"""What the warehouse says about a night: the demo asks it as an analyst would."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from local_stack.errors import StackError

STATES = ("enriched", "reused", "unchanged", "skipped", "dead_letter", "pending")

Row = tuple[object, ...]

_PAGE_WIDTH = 120


@dataclass(frozen=True)
class Night:
    """One night's documents and money."""

    listed_count: int
    counts: dict[str, int]
    """By state."""
    reasons: list[tuple[str, str, int]]
    """State, reason and how many documents, the most frequent first."""
    request_count: int
    batch_count: int
    forecast_usd: Decimal
    actual_usd: Decimal
    list_price_usd: Decimal
    """What the same tokens cost outside a batch."""


def read_night(warehouse: Path, run_id: str) -> Night:
    """Read one night, its retries included."""
    with _open(warehouse) as connection:
        counts = ", ".join(f"{state}_count" for state in STATES)
        run = connection.execute(
            f"select run_key, listed_count, forecast_usd, {counts}"  # noqa: S608 -- names of ours
            " from nightshift.runs where run_id = ?",
            [run_id],
        ).fetchall()
        run_key, listed, forecast, *by_state = run[0]
        reasons = connection.execute(
            "select state, state_reason, count(*) from nightshift.document_states"
            " where run_key = ? and state_reason is not null group by all order by 3 desc, 1, 2",
            [run_key],
        ).fetchall()
        bought = connection.execute(
            "select count(*), count(distinct batch_id), coalesce(sum(cost_usd), 0),"
            " coalesce(sum(list_cost_usd), 0) from nightshift.results where run_key = ?",
            [run_key],
        ).fetchall()
    requests, batches, actual, list_price = bought[0]
    return Night(
        listed_count=listed,
        counts=dict(zip(STATES, by_state, strict=True)),
        reasons=[(state, reason, count) for state, reason, count in reasons],
        request_count=requests,
        batch_count=batches,
        forecast_usd=forecast or Decimal(0),
        actual_usd=actual,
        list_price_usd=list_price,
    )


def read_sample(warehouse: Path, columns: tuple[str, ...], *, limit: int) -> list[Row]:
    """Read some rows of the analyst's view, the same ones every time."""
    with _open(warehouse) as connection:
        return connection.execute(
            f"select {', '.join(columns)} from nightshift.document_metadata"  # noqa: S608 -- ditto
            " order by md5(document_uri) limit ?",
            [limit],
        ).fetchall()


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


def digest_tables(warehouse: Path) -> dict[str, Row]:
    """Return for each table its number of rows and a digest of all of them."""
    with _open(warehouse) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables"
            " where table_schema = 'nightshift' and table_type = 'BASE TABLE' order by 1"
        ).fetchall()
        digests: dict[str, Row] = {}
        for (name,) in names:
            query = f'select count(*), sum(hash(t)) from nightshift."{name}" as t'  # noqa: S608 -- ditto
            digests[name] = connection.execute(query).fetchall()[0]
    return digests


@contextmanager
def _open(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for a moment: while it is open, no task can write."""
    connection = duckdb.connect(str(warehouse), read_only=True)
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()
