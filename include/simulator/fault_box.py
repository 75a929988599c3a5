"""Which faults are still set, and what they have hit."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from include.simulator.faults import REQUEST_KINDS, Fault, Operation
from include.simulator.store import Store


class FaultBox:
    """The faults that are set; they outlive the process."""

    def __init__(self, store: Store) -> None:
        """Keep them in `store`."""
        self._store = store

    def add(self, faults: Sequence[Fault]) -> None:
        """Set more faults, behind those already set."""
        rows = [
            (msgspec.json.encode(fault).decode(), fault.skip, _calls(fault)) for fault in faults
        ]
        with self._store.write() as connection:
            connection.executemany(
                "INSERT INTO faults (fault, skip, remaining) VALUES (?, ?, ?)", rows
            )

    def clear(self) -> None:
        """Unset all."""
        with self._store.write() as connection:
            connection.execute("DELETE FROM faults")
            connection.execute("DELETE FROM fault_hits")

    def remaining(self) -> list[dict[str, Any]]:
        """Return what is still set, as the control plane shows it."""
        with self._store.read() as connection:
            rows = connection.execute("SELECT fault, skip, remaining FROM faults ORDER BY number")
            return [
                msgspec.json.decode(row["fault"], type=dict[str, Any])
                | {"skip": row["skip"], "remaining": row["remaining"]}
                for row in rows
            ]

    def take(self, operation: Operation, kinds: Collection[str]) -> list[Fault]:
        """Use up every fault that a call of `operation` sets off."""
        return self._take(operation, kinds, limit=None)

    def take_one(self, operation: Operation, kinds: Collection[str]) -> Fault | None:
        """Use up the first fault that a call sets off; the others wait their turn."""
        return next(iter(self._take(operation, kinds, limit=1)), None)

    def _take(
        self, operation: Operation, kinds: Collection[str], *, limit: int | None
    ) -> list[Fault]:
        with self._store.read() as connection:
            if not _set(connection, operation, kinds):
                return []
        taken: list[Fault] = []
        with self._store.write() as connection:
            for row, fault in _set(connection, operation, kinds):
                if len(taken) == limit:
                    break
                if row["skip"] == 0:
                    taken.append(fault)
                _use_up(connection, row)
        return taken

    def rules(self) -> "RequestRules":
        """Return the faults about single requests."""
        with self._store.read() as connection:
            return RequestRules(
                [
                    (row["number"], fault)
                    for row, fault in _set(connection, "create", REQUEST_KINDS)
                ],
                {
                    (row[0], row[1]): row[2]
                    for row in connection.execute("SELECT * FROM fault_hits")
                },
            )

    def count_hits(self, rules: "RequestRules") -> None:
        """Remember which attempts the rules have hit."""
        with self._store.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO fault_hits VALUES (?, ?, ?)",
                [(number, custom_id, hits) for (number, custom_id), hits in rules.hits.items()],
            )


class RequestRules:
    """Decides which fault, if any, hits one request of a new batch."""

    def __init__(
        self, faults: Sequence[tuple[int, Fault]], hits: dict[tuple[int, str], int]
    ) -> None:
        """Take the faults by number, and how often each has hit which `custom_id`."""
        self._faults = faults
        self.hits = hits

    def match(self, custom_id: str, seed: int) -> Fault | None:
        """Return the first fault that hits this attempt."""
        for number, fault in self._faults:
            hits = self.hits.get((number, custom_id), 0)
            is_spent = fault.times is not None and hits >= fault.times
            if not is_spent and fault.chooses(custom_id, seed):
                if fault.times is not None:
                    self.hits[number, custom_id] = hits + 1
                return fault
        return None


def _calls(fault: Fault) -> int | None:
    """Return how many calls use a fault up; those about single requests count otherwise."""
    return None if fault.kind in REQUEST_KINDS else fault.times


def _set(
    connection: sqlite3.Connection, operation: Operation, kinds: Collection[str]
) -> list[tuple[sqlite3.Row, Fault]]:
    rows = connection.execute("SELECT * FROM faults ORDER BY number").fetchall()
    decoded = [(row, msgspec.json.decode(row["fault"], type=Fault)) for row in rows]
    return [
        (row, fault) for row, fault in decoded if fault.kind in kinds and fault.concerns(operation)
    ]


def _use_up(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Count one call against a fault, and unset it after its last."""
    if row["skip"]:
        statement = "UPDATE faults SET skip = skip - 1 WHERE number = ?"
    elif row["remaining"] is None:
        return
    elif row["remaining"] > 1:
        statement = "UPDATE faults SET remaining = remaining - 1 WHERE number = ?"
    else:
        statement = "DELETE FROM faults WHERE number = ?"
    connection.execute(statement, (row["number"],))
