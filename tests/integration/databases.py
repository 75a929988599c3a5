"""The databases that a warehouse can be, as a test looks into them: past our own code."""

import secrets
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from psycopg.rows import dict_row

from include.warehouse.duckdb_warehouse import open_duckdb
from include.warehouse.postgres_warehouse import open_postgres
from include.warehouse.session import numbered_parameters
from local_stack.ports import HOST
from local_stack.postgres import PostgresServer

if TYPE_CHECKING:
    from include.warehouse.session import Warehouse

Row = dict[str, Any]
Execute = Callable[[str, Mapping[str, Any]], list[Row]]

LOADER = "loader"

_TABLES = """
select table_name as name from information_schema.tables
where table_schema = 'nightshift' and table_catalog = current_database()
order by table_name
"""


class Database(ABC):
    """A database that a test may look into."""

    @abstractmethod
    def open(self, *, lock_timeout_seconds: float = 60) -> "Warehouse":
        """Return the warehouse in it."""

    @abstractmethod
    def another(self) -> "Database":
        """Return an empty one beside it."""

    @abstractmethod
    def connected(self) -> AbstractContextManager[Execute]:
        """Open a connection; yield what runs statements on it."""

    def execute(self, text: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one statement and return its rows."""
        with self.connected() as execute:
            return execute(text, values or {})

    @abstractmethod
    def definitions(self) -> list[Row]:
        """Return name, type and comment of every column, and how every view is defined."""

    @property
    @abstractmethod
    def place(self) -> str:
        """What `at` finds it by, in another process."""

    @staticmethod
    def at(place: str) -> "Database":
        """Return the database of that place."""
        if place.startswith("postgresql:"):
            return PostgresDatabase(place)
        return DuckDBFile(Path(place))

    def rows(self, text: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Return what a query finds; `from nightshift.x` is all of it."""
        return self.execute(f"select * {text}" if text.startswith("from ") else text, values)

    def everything(self) -> dict[str, "Counter[str]"]:
        """Return all rows of all tables and views, as text."""
        with self.connected() as execute:
            return {
                name: Counter(map(str, execute(f'select * from nightshift."{name}"', {})))  # noqa: S608
                for name in (row["name"] for row in execute(_TABLES, {}))
            }


@dataclass(frozen=True)
class DuckDBFile(Database):
    """A DuckDB file."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    def open(self, *, lock_timeout_seconds: float = 60) -> "Warehouse":
        return open_duckdb(self.path, lock_timeout_seconds=lock_timeout_seconds)

    def another(self) -> "DuckDBFile":
        return DuckDBFile(self.path.with_name(f"{secrets.token_hex(4)}.duckdb"))

    @contextmanager
    def connected(self) -> Iterator[Execute]:
        with duckdb.connect(self.path) as connection:
            connection.execute("set TimeZone = 'UTC'")

            def execute(text: str, values: Mapping[str, Any]) -> list[Row]:
                found = connection.execute(text, values or None)
                names = [column[0] for column in found.description or ()]
                return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

            yield execute

    def definitions(self) -> list[Row]:
        return self.rows("""
            select table_name, column_name, data_type as definition, comment from duckdb_columns()
            where schema_name = 'nightshift'
            union all
            select view_name, null, sql, comment from duckdb_views()
            where schema_name = 'nightshift'
            union all
            select table_name, null, sql, comment from duckdb_tables()
            where schema_name = 'nightshift'
            order by all
        """)


@dataclass(frozen=True)
class PostgresDatabase(Database):
    """A database of a PostgreSQL server."""

    uri: str

    @classmethod
    def create(cls, server: PostgresServer, template: str = "template0") -> "PostgresDatabase":
        """Create one with a name of its own, for a user who owns it and has no other rights."""
        name = f"t{secrets.token_hex(6)}"
        server.create_database(name, template=template, owner=LOADER)
        return cls(f"postgresql://{LOADER}:{server.password}@{HOST}:{server.port}/{name}")

    @property
    def place(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        return self.uri.rpartition("/")[2]

    def drop(self, server: PostgresServer) -> None:
        """Drop it, and end whoever is connected: its owner may not end the server's own vacuum."""
        with psycopg.connect(server.uri(), autocommit=True) as connection:
            connection.execute(f'drop database "{self.name}" with (force)')

    def open(self, *, lock_timeout_seconds: float = 60) -> "Warehouse":
        return open_postgres(self.uri, lock_timeout_seconds=lock_timeout_seconds)

    def another(self) -> "PostgresDatabase":
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f'create database "{name}" template template0')
        return PostgresDatabase(self._uri_of(name))

    def _uri_of(self, name: str) -> str:
        return f"{self.uri.rpartition('/')[0]}/{name}"

    @contextmanager
    def connected(self) -> Iterator[Execute]:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute("set timezone = 'UTC'")
            cursor = psycopg.RawCursor(connection, row_factory=dict_row)

            def execute(text: str, values: Mapping[str, Any]) -> list[Row]:
                numbered = numbered_parameters(text, list(values))
                cursor.execute(numbered.encode(), list(values.values()))
                return cursor.fetchall() if cursor.description else []

            yield execute

    def definitions(self) -> list[Row]:
        return self.rows("""
            select
                c.relname as table_name, a.attname as column_name,
                format_type(a.atttypid, a.atttypmod) as definition,
                col_description(c.oid, a.attnum) as comment
            from pg_class as c
            join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relnamespace = 'nightshift'::regnamespace and c.relkind in ('r', 'v')
            union all
            select
                c.relname, null, case when c.relkind = 'v' then pg_get_viewdef(c.oid) end,
                obj_description(c.oid)
            from pg_class as c
            where c.relnamespace = 'nightshift'::regnamespace and c.relkind in ('r', 'v')
            order by 1, 2
        """)
