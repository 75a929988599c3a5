"""DuckDB as the warehouse: one file, one machine, one writer at a time."""

import fcntl
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from include.errors import ConfigurationError, TransientError
from include.warehouse.session import (
    Relation,
    Session,
    Value,
    bound_values,
    relations_by_name,
    statement_text,
)
from include.warehouse.shapes import quoted
from include.warehouse.sources import RowSource

logger = logging.getLogger(__name__)

_LOCK_POLL_SECONDS = 0.05
_ROWS_PER_BATCH = 10_000
_TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


MEMORY_LIMIT_BYTES = 1_000_000_000
"""Enough to list and load a million documents in a night; ten million take six times as much."""


def open_duckdb(
    path: Path,
    *,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    lock_timeout_seconds: float = 600,
) -> "DuckDBWarehouse":
    """Return the warehouse in a file; the file is made by the first session.

    Args:
        memory_limit_bytes: What DuckDB may hold in memory. Joins spill what is more beside the
            file; keys of tables and changed rows cannot.
        lock_timeout_seconds: How long a session waits for the sessions of others.

    Raises:
        ConfigurationError: The file is named like the schema, which DuckDB cannot tell apart.
    """
    if path.stem.lower() == "nightshift":
        msg = f"{path} would be mistaken for schema nightshift in every query; name it otherwise"
        raise ConfigurationError(msg)
    return DuckDBWarehouse(path, memory_limit_bytes, lock_timeout_seconds)


@dataclass(frozen=True, slots=True)
class DuckDBWarehouse:
    """A DuckDB file behind a file lock.

    The lock serves readers too: while one process has the file open to write, DuckDB lets no other
    open it. Nothing stays open between sessions.
    """

    path: Path
    memory_limit_bytes: int
    lock_timeout_seconds: float

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """Open a transaction under the lock.

        Raises:
            ConfigurationError: What DuckDB may hold in memory is too little.
            TransientError: The lock was not free in time, another program has the file open, or
                what was committed is not in the file.
        """
        with self._locked(), self._named_limit():
            with closing(self._connect()) as connection:
                session = DuckDBSession(connection)
                connection.execute("begin")
                try:
                    yield session
                except BaseException:
                    session.drop_reader()
                    connection.execute("rollback")
                    raise
                session.drop_reader()
                nonce = _mark_commit(connection) if session.has_written else None
                connection.execute("commit")
            if nonce is not None:
                self._check_commit(nonce)

    def rewrite_file(self) -> None:
        """Copy the database to a new file that takes the place of the old one.

        DuckDB leaves the bytes of deleted rows in its file, after a checkpoint and `vacuum` too.
        Killed in between, the old file is still there.

        Raises:
            ConfigurationError: What DuckDB may hold in memory is too little.
            TransientError: The lock was not free in time, another program has the file open, or the
                copy is not whole.
        """
        fresh = self.path.with_name(f"{self.path.name}.fresh")
        with self._locked(), self._named_limit():
            fresh.unlink(missing_ok=True)
            with closing(self._connect()) as connection:
                (name,) = connection.execute("select current_database()").fetchall()[0]
                place = str(fresh).replace("'", "''")
                connection.execute(f"attach '{place}' as fresh")
                connection.execute(f"copy from database {quoted(name)} to fresh")
                is_whole = _row_counts(connection, "fresh") == _row_counts(connection, name)
                connection.execute("detach fresh")
            if not is_whole:
                fresh.unlink()
                msg = f"the copy of {self.path} is not whole; nothing was replaced, try again"
                raise TransientError(msg)
            fresh.replace(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock_path = self.path.with_name(f"{self.path.name}.lock")
        deadline = time.monotonic() + self.lock_timeout_seconds
        with lock_path.open("w") as lock:
            while not _try_lock(lock.fileno()):
                if time.monotonic() > deadline:
                    msg = (
                        f"{lock_path} was not free within {self.lock_timeout_seconds:g} seconds; "
                        "another load is at work, this one is tried again"
                    )
                    raise TransientError(msg)
                time.sleep(_LOCK_POLL_SECONDS)
            yield

    @contextmanager
    def _named_limit(self) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            if "max_temp_directory_size" in str(error):
                msg = f"the disk of {self.path} has no room for what DuckDB spills; make some"
                raise TransientError(msg) from error
            msg = (
                f"DuckDB may hold {self.memory_limit_bytes:,} bytes in memory, which is too little "
                f"for {self.path}; set memory_limit_bytes in the extra of the warehouse "
                "connection (600 bytes a document of a night), or load into PostgreSQL"
            )
            raise ConfigurationError(msg) from error

    def _connect(self) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self.memory_limit_bytes // 1_000_000}MB",
            "temp_directory": f"{self.path}.tmp",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
        try:
            connection = duckdb.connect(self.path, config=config)
        except duckdb.IOException as error:
            msg = f"{self.path} cannot be opened; close what else has it open: {error}"
            raise TransientError(msg) from error
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def _check_commit(self, nonce: str) -> None:
        """Read back what the last commit left in the file.

        DuckDB 2.0.0 has been seen to lose an acknowledged row when processes took turns on a file.
        """
        with closing(self._connect()) as connection:
            row = connection.execute("select nonce from main.last_commit").fetchone()
        if row != (nonce,):
            msg = f"{self.path} does not hold what was just committed; the load is repeated"
            raise TransientError(msg)


class DuckDBSession:
    """One transaction on an open connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._reader: pa.RecordBatchReader | None = None
        self.has_written = False

    def stage(self, name: str, rows: pa.RecordBatchReader, *, append: bool = False) -> None:
        """Write rows to the temporary table `stage_<name>`, in bulk; replaced unless `append`."""
        table = f'"stage_{name}"'
        start = (
            f"insert into {table}" if append else f"create or replace temporary table {table} as"
        )
        source = RowSource(rows)
        self._connection.register("staged_rows", source.reader)
        with source.errors_as_raised():
            self._connection.execute(f"{start} from staged_rows")
        self._connection.unregister("staged_rows")

    def derive(self, name: str, **values: Value) -> None:
        """Fill the temporary table `stage_<name>` with what `select_<name>.sql` returns."""
        text = statement_text(f"select_{name}")
        self._connection.execute(
            f'create or replace temporary table "stage_{name}" as\n{text}',
            bound_values(text, values),
        )

    def run(self, statement: str, **values: Value) -> int:
        """Run `<statement>.sql` and return how many rows it changed."""
        text = statement_text(statement)
        with self._in_order() if statement.startswith("update_") else nullcontext():
            row = self._connection.execute(text, bound_values(text, values)).fetchone()
        changed = int(row[0]) if row else 0
        self.has_written |= changed > 0
        logger.debug("ran statement=%s rows=%d", statement, changed)
        return changed

    @contextmanager
    def _in_order(self) -> Iterator[None]:
        """Make joins run over the rows of their first table, in its order.

        That is the one to update, of which the others are a part. Over the rows of a staged table
        of about the same size DuckDB would update in no order, which takes fifty times longer.
        """
        self._connection.execute("set disabled_optimizers = 'build_side_probe_side'")
        yield  # a session that fails here runs nothing any more
        self._connection.execute("reset disabled_optimizers")

    def read(self, statement: str, **values: Value) -> pa.RecordBatchReader:
        """Stream what `<statement>.sql` returns; read it to its end before the next statement."""
        text = statement_text(statement)
        relation = self._connection.sql(text, params=bound_values(text, values))
        self._reader = relation.to_arrow_reader(_ROWS_PER_BATCH)
        return self._reader

    def define(self, text: str) -> None:
        """Run a statement made from a spec's columns; identifiers in it are quoted."""
        self.has_written = True
        self._connection.execute(text)

    def catalog(self) -> dict[str, Relation]:
        """Return every table and view of schema `nightshift`, by name."""
        return relations_by_name(self.read("duckdb_catalog"), _type_name)

    def drop_reader(self) -> None:
        """Close a result that was not read to its end; an open one blocks the connection."""
        if self._reader is not None:
            self._reader.close()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mark_commit(connection: duckdb.DuckDBPyConnection) -> str:
    nonce = uuid.uuid4().hex
    connection.execute("create or replace table main.last_commit as select $1 as nonce", [nonce])
    return nonce


def _row_counts(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, int]:
    """Return how many rows each table of a database has."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $1", [database]
    ).fetchall()
    counts = {}
    for schema, table in tables:
        name = f"{quoted(database)}.{quoted(schema)}.{quoted(table)}"
        ((counts[f"{schema}.{table}"],),) = connection.execute(
            f"select count(*) from {name}"  # noqa: S608 - names of the database's own tables
        ).fetchall()
    return counts


def _type_name(duckdb_type: str) -> str:
    element, brackets, _ = duckdb_type.partition("[]")
    return _TYPES.get(element, element.lower()) + brackets
