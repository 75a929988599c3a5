"""The row of a run: what was listed, what became of it, what it cost."""

import datetime as dt
from dataclasses import asdict, dataclass
from decimal import Decimal

from include.caching import CacheUse
from include.warehouse.session import Session, check


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """What a run knows of itself; counts per state and the actual cost are in the tables."""

    spec: str
    run_key: str
    dag_id: str
    run_id: str
    run_type: str
    night: str
    """As YYYY-MM-DD."""
    window_start_at: dt.datetime | None
    window_end_at: dt.datetime | None
    prompt_version: str
    listed_count: int
    """Documents of the run: taken up and unchanged."""
    unchanged_count: int
    forecast_usd: Decimal | None
    forecast_lower_usd: Decimal | None = None
    forecast_upper_usd: Decimal | None = None
    is_complete: bool
    verdict: str
    started_at: dt.datetime
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many documents a run left in each state, and what it paid."""

    listed_count: int
    enriched_count: int
    reused_count: int
    unchanged_count: int
    skipped_count: int
    dead_letter_count: int
    pending_count: int
    actual_usd: Decimal


def settle_run(session: Session, run: RunRow) -> RunCounts:
    """Merge the row of a run and return its counts.

    A row that says the same already is left alone, `finished_at` included; `started_at` stays what
    it first was.

    Raises:
        CountMismatchError: The counts do not add up to `listed_count`.
    """
    session.run("merge_runs", **asdict(run))
    check(session, "check_run_counts", spec=run.spec, run_key=run.run_key)
    return read_run_counts(session, spec=run.spec, run_key=run.run_key)


def read_run_counts(session: Session, *, spec: str, run_key: str) -> RunCounts:
    """Return the counts of a run that was settled."""
    row = session.read("read_run", spec=spec, run_key=run_key).read_all().to_pylist()[0]
    return RunCounts(**row)


def read_last_window_end(session: Session, *, spec: str) -> dt.datetime | None:
    """Return where the window of the last complete scheduled run ended; None before the first.

    Only scheduled windows join up without a gap; a manual run or a backfill proves nothing about
    the nights before it.
    """
    row = session.read("read_last_window_end", spec=spec).read_all().to_pylist()[0]
    end: dt.datetime | None = row["window_end_at"]
    return end


def read_cache_use(session: Session, *, spec: str, model: str, since: dt.datetime) -> CacheUse:
    """Return what the first askings of a spec's requests read from the API's cache and wrote."""
    row = session.read("read_cache_use", spec=spec, model=model, since=since).read_all()
    return CacheUse(**row.to_pylist()[0])
