"""Asks the local warehouse what an analyst would ask."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import adbc_driver_manager
import duckdb
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from include.warehouse.postgres_arrow import plain_batch
from local_stack.errors import StackError
from local_stack.postgres import PostgresServer

Row = tuple[object, ...]

_DATABASE = "warehouse"
_PAGE_WIDTH = 120
_TABLES = """
select table_name as name from information_schema.tables
where table_schema = 'nightshift' and table_type = 'BASE TABLE' order by table_name
"""
_SAMPLE = """
select {columns} from (
    select *, row_number() over (
        partition by regexp_replace(object_key, '^.*[./]', '') order by md5(document_uri)
    ) as place
    from nightshift.document_metadata
) as sample
order by place, md5(document_uri)
limit {limit}
"""


class LocalWarehouse(ABC):
    """The warehouse of a local stack."""

    @property
    @abstractmethod
    def connection(self) -> dict[str, object]:
        """The Airflow connection that leads to it."""

    @abstractmethod
    def last_change(self) -> float | None:
        """Return when it was last written to, in seconds since 1970; None if there is none."""

    @abstractmethod
    def table(self, query: str) -> pa.Table:
        """Run one statement that reads.

        Raises:
            StackError: The statement is not valid.
        """

    def read_sample(self, columns: tuple[str, ...], *, limit: int) -> list[Row]:
        """Read some rows of the analyst's view: of many kinds, and the same ones every time."""
        return self._rows(_SAMPLE.format(columns=", ".join(columns), limit=limit))

    def digest_tables(self) -> dict[str, Row]:
        """Return for each table its number of rows and a digest of all of them."""
        names = [str(name) for (name,) in self._rows(_TABLES)]
        return {name: self._rows(self._digest_query(name))[0] for name in names}

    def print_query(self, query: str) -> None:
        """Run one statement and print its rows as a table."""
        with closing(duckdb.connect()) as screen:
            screen.execute("set timezone = 'UTC'")
            screen.from_arrow(self.table(query)).show(max_width=_PAGE_WIDTH)

    @abstractmethod
    def _digest_query(self, table: str) -> str: ...

    def _rows(self, query: str) -> list[Row]:
        return [tuple(row.values()) for row in self.table(query).to_pylist()]


@dataclass(frozen=True)
class DuckDBFile(LocalWarehouse):
    """A file."""

    path: Path

    @property
    def connection(self) -> dict[str, object]:
        """The Airflow connection that leads to it."""
        return {"conn_type": "duckdb", "host": str(self.path)}

    def last_change(self) -> float | None:
        """Return when the file was last written."""
        return self.path.stat().st_mtime if self.path.exists() else None

    def table(self, query: str) -> pa.Table:
        """Run one statement that reads."""
        with self._open() as connection:
            try:
                return connection.sql(query).to_arrow_table()
            except duckdb.Error as error:
                raise StackError(str(error)) from error

    def _digest_query(self, table: str) -> str:
        return f'select count(*), sum(hash(t)) from nightshift."{table}" as t'  # noqa: S608 - ours

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the warehouse for a moment: while it is open, no task can write."""
        with closing(duckdb.connect(str(self.path), read_only=True)) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection


@dataclass(frozen=True)
class PostgresTables(LocalWarehouse):
    """A database of its own in the stack's PostgreSQL."""

    server: PostgresServer

    def create(self) -> None:
        """Create the database, unless it is there."""
        self.server.create_database(_DATABASE)

    @property
    def connection(self) -> dict[str, object]:
        """The Airflow connection that leads to it."""
        return {"conn_type": "postgres", "schema": _DATABASE, **self.server.credentials}

    def last_change(self) -> float | None:
        """Return when a document last changed; None if there is none, or no server runs."""
        try:
            ((changed_at,),) = self._rows(
                "select cast(extract(epoch from max(updated_at)) as double precision) as changed_at"
                " from nightshift.documents"
            )
        except StackError:
            return None
        return float(str(changed_at)) if changed_at is not None else None

    def table(self, query: str) -> pa.Table:
        """Run one statement that reads; `from nightshift.x` is one, as in DuckDB."""
        whole = f"select * {query}" if query.lower().startswith("from ") else query
        try:
            with (
                closing(dbapi.connect(self.server.uri(_DATABASE))) as connection,
                closing(connection.cursor()) as cursor,
            ):
                cursor.execute("set transaction read only")
                cursor.execute("set local timezone = 'UTC'")
                cursor.execute(whole)
                return pa.Table.from_batches([plain_batch(cursor.fetch_arrow_table())])
        except adbc_driver_manager.Error as error:
            raise StackError(str(error)) from error

    def _digest_query(self, table: str) -> str:
        digest = "sum(hashtextextended(cast(t as text), 0)) as digest"
        return f'select count(*), {digest} from nightshift."{table}" as t'  # noqa: S608 - ours
