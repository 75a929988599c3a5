"""What the simulator must not forget: one SQLite file, committed before anything is answered."""

import math
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from include.simulator import batches
from include.simulator.batches import Batch, ResultType
from include.simulator.exchange import Call

_LOCK_WAIT_SECONDS = 60
_TABLES = ("batches", "items", "calls", "messages", "faults", "fault_hits", "settings")
_ONE_BATCH = "batch_id = ? AND workspace = ? AND deleted_at IS NULL"
_COLUMNS = ", ".join(column.name for column in fields(Batch))


class Item(NamedTuple):
    """One accepted request; the request itself lies in the body of its batch."""

    position: int
    custom_id: str
    prompt_digest: bytes
    model: str
    input_tokens: int
    finish_seconds: float
    """After the creation of the batch."""
    result_type: ResultType
    fate: str
    """JSON of a `Fate`."""
    is_charged: bool


class SoldMessage(NamedTuple):
    """What is kept of a message outside of any batch."""

    workspace: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: str
    """Exactly, which a number in SQLite would not be."""


class QueueFullError(Exception):
    """A workspace has too many requests waiting to take more."""


class Store:
    """The database of one simulator; every method is one transaction."""

    def __init__(self, database: Path) -> None:
        """Open `database`, which is made when it does not exist."""
        self._database = database
        database.parent.mkdir(parents=True, exist_ok=True)
        schema = resources.files("include.simulator").joinpath("schema.sql").read_text("utf-8")
        # One connection stays open, because closing the last one writes the whole log back.
        self._open = self._connect()
        self._open.execute("PRAGMA journal_mode=WAL")
        self._open.executescript(schema)

    def close(self) -> None:
        """Let go of the database."""
        self._open.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._database, timeout=_LOCK_WAIT_SECONDS, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        # NORMAL outlives the death of the process at any instruction; FULL would add power cuts.
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open a connection that sees one state throughout."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that is on disk when the block ends, or not at all."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def now(self) -> float:
        """Return the virtual time: that of the wall, plus what was advanced."""
        with self.read() as connection:
            return time.time() + _offset_seconds(connection)

    def advance(self, seconds: float) -> None:
        """Move the virtual clock forward."""
        with self.write() as connection:
            connection.execute(
                "INSERT INTO settings VALUES ('offset_seconds', ?)"
                " ON CONFLICT DO UPDATE SET value = value + excluded.value",
                (seconds,),
            )

    def setting(self, name: str, default: float) -> float:
        """Return what was set for the time being, or the default."""
        with self.read() as connection:
            row = connection.execute(
                "SELECT value FROM settings WHERE name = ?", (name,)
            ).fetchone()
        return float(row["value"]) if row else default

    def write_setting(self, name: str, value: float) -> None:
        """Set a value until the next reset."""
        with self.write() as connection:
            connection.execute(
                "INSERT INTO settings VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def add_message(self, message: SoldMessage) -> None:
        """Remember a message that was sold outside of any batch."""
        with self.write() as connection:
            connection.execute("INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?)", message)

    def messages(self) -> list[SoldMessage]:
        """Return the messages that were sold outside of any batch."""
        with self.read() as connection:
            rows = connection.execute(
                "SELECT workspace, model, input_tokens, output_tokens, cost_usd FROM messages"
                " ORDER BY number"
            )
            return [SoldMessage(**row) for row in map(dict, rows)]

    def reset(self) -> None:
        """Forget everything."""
        with self.write() as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own

    def log_call(self, call: Call) -> None:
        """Remember that a request arrived; of its key only the workspace."""
        with self.write() as connection:
            connection.execute(
                "INSERT INTO calls (received_at, method, path, workspace, body_bytes, body_sha256)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    time.time() + _offset_seconds(connection),
                    call.method,
                    call.path,
                    call.workspace,
                    call.body_bytes,
                    call.body_sha256,
                ),
            )

    def calls(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest calls, newest first."""
        with self.read() as connection:
            rows = connection.execute("SELECT * FROM calls ORDER BY number DESC LIMIT ?", (limit,))
            return [dict(row) for row in rows]

    def add_batch(self, batch: Batch, items: Iterable[Item], *, queue_limit: int) -> None:
        """Accept a batch; its number is given by the database.

        Raises:
            QueueFullError: Its requests and those queued are more than `queue_limit`.
        """
        with self.write() as connection:
            queued = _queued_requests(connection, batch.workspace)
            if queued + batch.request_count > queue_limit:
                msg = f"{queued} requests are queued, {batch.request_count} more are too many"
                raise QueueFullError(msg)
            number = _insert(connection, batch)
            connection.executemany(
                "INSERT INTO items (batch_number, position, custom_id, prompt_digest, model,"
                " input_tokens, finish_seconds, result_type, fate, is_charged)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((number, *item) for item in items),
            )

    def replace_batch(self, batch: Batch) -> None:
        """Put a batch without requests in the place of the one that has its id, if any."""
        with self.write() as connection:
            connection.execute("DELETE FROM batches WHERE batch_id = ?", (batch.batch_id,))
            _insert(connection, batch)

    def change_batch(
        self, batch_id: str, workspace: str, change: Callable[[Batch], Batch]
    ) -> Batch | None:
        """Change a batch of a workspace, or return None if there is none.

        What `change` raises leaves everything as it was.
        """
        with self.write() as connection:
            found = _batches(connection, _ONE_BATCH, (batch_id, workspace))
            if not found:
                return None
            changed = change(found[0])
            _update(connection, changed)
        return changed

    def settle(self, now: float) -> None:
        """End every batch that is due, with its final counts."""
        with self.read() as connection:
            if not _due(connection, now):
                return
        with self.write() as connection:
            for batch in _due(connection, now):
                _update(connection, _with_counts(connection, batches.end(batch)))

    def batch(self, batch_id: str, workspace: str) -> Batch | None:
        """Return a batch of a workspace, or None if there is none."""
        found = self.batches(_ONE_BATCH, (batch_id, workspace))
        return found[0] if found else None

    def batches(self, condition: str, values: Iterable[Any] = ()) -> list[Batch]:
        """Return the batches that fit a condition of ours."""
        with self.read() as connection:
            return _batches(connection, condition, values)

    def items(self, batch: Batch) -> Iterator[sqlite3.Row]:
        """Yield the items of a batch in the order of its body."""
        with self.read() as connection:
            yield from connection.execute(
                "SELECT position, custom_id, finish_seconds, result_type, fate FROM items"
                " WHERE batch_number = ? ORDER BY position",
                (batch.number,),
            )

    def write_output_tokens(self, batch: Batch, output_tokens: Iterable[tuple[int, int]]) -> None:
        """Remember what the answers cost: pairs of tokens and position."""
        with self.write() as connection:
            connection.executemany(
                "UPDATE items SET output_tokens = ? WHERE batch_number = ? AND position = ?",
                ((tokens, batch.number, position) for tokens, position in output_tokens),
            )


def _queued_requests(connection: sqlite3.Connection, workspace: str) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(request_count), 0) FROM batches"
        " WHERE workspace = ? AND ended_at IS NULL",
        (workspace,),
    ).fetchone()
    return int(row[0])


def _offset_seconds(connection: sqlite3.Connection) -> float:
    row = connection.execute("SELECT value FROM settings WHERE name = 'offset_seconds'").fetchone()
    return float(row[0]) if row else 0.0


def _batches(connection: sqlite3.Connection, condition: str, values: Iterable[Any]) -> list[Batch]:
    query = f"SELECT {_COLUMNS} FROM batches WHERE {condition}"  # noqa: S608 - our own text
    return [Batch(**row) for row in map(dict, connection.execute(query, tuple(values)))]


def _due(connection: sqlite3.Connection, now: float) -> list[Batch]:
    return _batches(connection, "ended_at IS NULL AND due_at <= ?", (now,))


def _insert(connection: sqlite3.Connection, batch: Batch) -> int | None:
    """Add a batch and return the number that it is given."""
    values = asdict(batch) | {"number": None}
    marks = ", ".join(f":{name}" for name in values)
    query = f"INSERT INTO batches ({_COLUMNS}) VALUES ({marks})"  # noqa: S608 - our own names
    return connection.execute(query, values).lastrowid


def _update(connection: sqlite3.Connection, batch: Batch) -> None:
    values = asdict(batch)
    changes = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(
        f"UPDATE batches SET {changes} WHERE number = :number",  # noqa: S608 - our own names
        values,
    )


def _with_counts(connection: sqlite3.Connection, batch: Batch) -> Batch:
    """Count what the requests of an ended batch came to."""
    cutoff_at = math.inf if batch.cutoff_at is None else batch.cutoff_at
    rows = connection.execute(
        "SELECT result_type, count(*) FROM items"
        " WHERE batch_number = ? AND finish_seconds <= ? GROUP BY result_type",
        (batch.number, cutoff_at - batch.created_at),
    )
    counts = {str(row[0]): int(row[1]) for row in rows}
    if batch.cutoff_result:
        late = batch.request_count - sum(counts.values())
        counts[batch.cutoff_result] = counts.get(batch.cutoff_result, 0) + late
    return replace(batch, **counts)  # type: ignore[arg-type]
