"""PostgreSQL as the warehouse: one transaction a session, one writer at a time, COPY from Arrow."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count

import pyarrow as pa
from adbc_driver_manager import Error
from adbc_driver_postgresql import dbapi

from include.warehouse.postgres_arrow import parameter_batch, plain_batch
from include.warehouse.postgres_errors import PostgresAddress, reported, sealed_error
from include.warehouse.session import (
    Relation,
    Session,
    Value,
    bound_values,
    numbered_parameters,
    relations_by_name,
    statement_text,
)
from include.warehouse.sources import RowSource

logger = logging.getLogger(__name__)

_LOCK = int.from_bytes(b"nightshi")
"""Advisory locks are numbers; they hold within one database."""
_SHORT_WAITS = "set lock_timeout = '60s'"
"""For a change of a table: whoever wants to read it meanwhile stands in line behind the change."""
_ROWS_PER_BATCH = 10_000
_TYPES = (("timestamp with time zone", "timestamptz"), ("numeric", "decimal"))
_WITHOUT_COPY = {"adbc.postgresql.use_copy": "false"}
"""The driver would wrap a `fetch` in a `copy`, which PostgreSQL does not take."""


def open_postgres(uri: str, *, lock_timeout_seconds: float = 600) -> "PostgresWarehouse":
    """Return the warehouse in a database, which must exist.

    Args:
        uri: As libpq reads it, `postgresql://user:password@host:port/database?sslmode=require`.
        lock_timeout_seconds: How long a session waits for the sessions of others.

    Raises:
        ConfigurationError: The address cannot be read.
    """
    return PostgresWarehouse(PostgresAddress.parse(uri), lock_timeout_seconds)


@dataclass(frozen=True, slots=True)
class PostgresWarehouse:
    """A database, written to by one session at a time.

    The lock ends with its transaction, whatever becomes of the process that holds it.
    """

    address: PostgresAddress
    lock_timeout_seconds: float

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """Open a transaction; one that writes waits for those of others.

        Raises:
            TransientError: The server does not answer or went away, or the lock was not free in
                time.
            ConfigurationError: The server refuses the user, or has no such database.
        """
        with self._connected() as connection:
            session = PostgresSession(connection, self.address)
            try:
                self._begin(session, read_only=read_only)
                yield session
            except BaseException:
                _roll_back(connection)
                raise
            with reported(self.address, "commit"):
                connection.commit()

    @contextmanager
    def _connected(self) -> Iterator[dbapi.Connection]:
        try:
            connection = dbapi.connect(self.address.uri)
        except Error as error:
            raise sealed_error(self.address, error) from None
        try:
            yield connection
        finally:
            connection.close()

    def _begin(self, session: "PostgresSession", *, read_only: bool) -> None:
        if read_only:
            session.define("set transaction isolation level repeatable read")
        session.select("postgres_session", lock_timeout=f"{self.lock_timeout_seconds * 1000:.0f}")
        if not read_only:
            doing = f"another load has not ended within {self.lock_timeout_seconds:g} seconds"
            session.select("postgres_lock", doing, lock=_LOCK)
            session.define(_SHORT_WAITS)


@dataclass(slots=True)
class PostgresSession:
    """One transaction on an open connection."""

    _connection: dbapi.Connection
    _address: PostgresAddress
    _staged: set[str] = field(default_factory=set)
    _unknown: set[str] = field(default_factory=set)
    """Staged tables whose rows the planner has not seen: nothing analyses them by itself."""
    _cursors: Iterator[int] = field(default_factory=count)

    def stage(self, name: str, rows: pa.RecordBatchReader, *, append: bool = False) -> None:
        """Write rows to the temporary table `stage_<name>`, in bulk; replaced unless `append`."""
        table = self._staging_table(name, keep=append)
        source = RowSource(rows)
        mode = "append" if append else "create"
        with source.errors_as_raised(), self._cursor(f"stage {name}") as cursor:
            cursor.adbc_ingest(table, source.reader, mode=mode, temporary=True)

    def derive(self, name: str, **values: Value) -> None:
        """Fill the temporary table `stage_<name>` with what `select_<name>.sql` returns."""
        self._analyze()
        text = statement_text(f"select_{name}")
        table = self._staging_table(name)
        self._execute(
            f"select_{name}",
            f'create temporary table "{table}" as\n{text}',
            bound_values(text, values),
        )

    def run(self, statement: str, **values: Value) -> int:
        """Run `<statement>.sql` and return how many rows it changed."""
        self._analyze()
        text = statement_text(statement)
        counted = f"with changed as (\n{text}\nreturning 1\n)\nselect count(*) from changed"
        with self._cursor(statement) as cursor:
            cursor.execute(*_bound(counted, bound_values(text, values)))
            changed = int(cursor.fetch_arrow_table().column(0)[0].as_py())
        logger.debug("ran statement=%s rows=%d", statement, changed)
        return changed

    def read(self, statement: str, **values: Value) -> pa.RecordBatchReader:
        """Stream what `<statement>.sql` returns; read it to its end before the next statement."""
        self._analyze()
        text = statement_text(statement)
        cursor = f"reader_{next(self._cursors)}"
        self._execute(
            statement, f"declare {cursor} no scroll cursor for\n{text}", bound_values(text, values)
        )
        first = self._fetch(statement, cursor)
        return pa.RecordBatchReader.from_batches(
            first.schema, self._pages(statement, cursor, first)
        )

    def select(self, statement: str, doing: str = "", **values: Value) -> None:
        """Run `<statement>.sql` for what it does, not for its rows."""
        self._execute(doing or statement, statement_text(statement), values)

    def define(self, text: str) -> None:
        """Run a statement made from a spec's columns; identifiers in it are quoted."""
        self._execute("define", text, {})

    def catalog(self) -> dict[str, Relation]:
        """Return every table and view of schema `nightshift`, by name."""
        return relations_by_name(self.read("postgres_catalog"), _type_name)

    def _staging_table(self, name: str, *, keep: bool = False) -> str:
        """Return the name of a staging table, which is not there yet unless it is kept."""
        table = f"stage_{name}"
        if table in self._staged and not keep:
            self._execute("drop", f'drop table "{table}"', {})
        self._staged.add(table)
        self._unknown.add(table)
        return table

    def _analyze(self) -> None:
        for table in sorted(self._unknown):
            self._execute("analyze", f'analyze "{table}"', {})
        self._unknown.clear()

    def _pages(self, doing: str, cursor: str, page: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        while page.num_rows:
            yield page
            page = self._fetch(doing, cursor)
        self._execute(doing, f"close {cursor}", {})

    def _fetch(self, doing: str, name: str) -> pa.RecordBatch:
        with self._cursor(doing) as cursor:
            cursor.adbc_statement.set_options(**_WITHOUT_COPY)
            cursor.execute(f"fetch forward {_ROWS_PER_BATCH} from {name}")
            return plain_batch(cursor.fetch_arrow_table())

    def _execute(self, doing: str, text: str, values: Mapping[str, Value]) -> None:
        with self._cursor(doing) as cursor:
            cursor.execute(*_bound(text, values))

    @contextmanager
    def _cursor(self, doing: str) -> Iterator[dbapi.Cursor]:
        with reported(self._address, doing), closing(self._connection.cursor()) as cursor:
            yield cursor


def _bound(text: str, values: Mapping[str, Value]) -> tuple[str, pa.RecordBatch | None]:
    if not values:
        return text, None
    return numbered_parameters(text, list(values)), parameter_batch(list(values.values()))


def _roll_back(connection: dbapi.Connection) -> None:
    try:
        connection.rollback()
    except Error as error:  # the server has done so, or does when the connection ends
        logger.warning("not rolled back: sqlstate=%s", error.sqlstate)


def _type_name(formatted: str) -> str:
    for theirs, ours in _TYPES:
        formatted = formatted.replace(theirs, ours)
    return formatted
