"""Small tables for the report of a run."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from include.warehouse.session import Session


def read_states(session: Session, *, spec: str, run_key: str) -> pa.Table:
    """Return `state, state_reason, document_count` of a run; unchanged documents are not in it."""
    return session.read("read_states", spec=spec, run_key=run_key).read_all()


def read_given_up_again(
    session: Session, *, spec: str, run_key: str, started_at: dt.datetime
) -> int:
    """Return how many dead letters of a run had been dead letters before it started."""
    rows = session.read("read_given_up_again", spec=spec, run_key=run_key, started_at=started_at)
    return int(rows.read_all()["document_count"][0].as_py())


def read_open_dead_letters(session: Session, *, spec: str) -> pa.Table:
    """Return `state, state_reason, document_count` of a spec's open dead letters, most first."""
    return session.read("read_open_dead_letters", spec=spec).read_all()


def read_spend(session: Session, *, spec: str, run_key: str) -> pa.Table:
    """Return results, tokens, `cost_usd` and `list_cost_usd` of what a run bought, by `outcome`."""
    return session.read("read_spend", spec=spec, run_key=run_key).read_all()


def read_spend_by_model(session: Session, *, spec: str, run_key: str) -> pa.Table:
    """Return results, cached tokens and `cost_usd` of what a run bought in batches, by `model`."""
    return session.read("read_spend_by_model", spec=spec, run_key=run_key).read_all()


def read_reuse(session: Session, *, spec: str, run_key: str) -> pa.Table:
    """Return `request_count` and `saved_usd` of the answers that a run did not have to buy."""
    return session.read("read_reuse", spec=spec, run_key=run_key).read_all()


def read_failures(session: Session, *, spec: str, run_key: str, limit: int) -> pa.Table:
    """Return the first documents of a run that got no enrichment, each with its reason."""
    return session.read("read_failures", spec=spec, run_key=run_key, limit=limit).read_all()


def read_day_cost(session: Session, *, day: dt.date) -> Decimal:
    """Return what the batches of all specs cost that were created on a UTC day."""
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    rows = session.read("read_day_cost", day_start=start, day_end=start + dt.timedelta(days=1))
    cost: Decimal = rows.read_all().to_pylist()[0]["cost_usd"]
    return cost
