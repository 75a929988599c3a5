"""Which ledger the warehouse was loaded from, and how much of it."""

import datetime as dt
from dataclasses import dataclass

from include.errors import LedgerStateError
from include.warehouse.session import Session


@dataclass(frozen=True, slots=True)
class LoadedLedger:
    """What the warehouse knows of a spec's ledger."""

    ledger_id: str | None
    """None before the first load."""
    shard_count: int
    """Shards that were loaded."""


def read_ledger(session: Session, *, spec: str) -> LoadedLedger:
    """Return which ledger a spec was loaded from, and how many shards."""
    row = session.read("read_ledger", spec=spec).read_all().to_pylist()[0]
    return LoadedLedger(**row)


def record_ledger(session: Session, *, spec: str, ledger_id: str, now: dt.datetime) -> None:
    """Write down which ledger a spec is loaded from.

    Raises:
        LedgerStateError: It was loaded from another.
    """
    session.run("insert_ledgers", spec=spec, ledger_id=ledger_id, now=now)
    known = read_ledger(session, spec=spec).ledger_id
    if known != ledger_id:
        msg = (
            f"the warehouse holds spec {spec} of ledger {known}, not of {ledger_id}; point it at "
            "its own ledger, or load a new warehouse with `make rebuild-warehouse`"
        )
        raise LedgerStateError(msg)
