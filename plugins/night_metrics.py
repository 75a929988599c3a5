"""Tells Airflow's metrics what a task has done; docs/observability.md lists every metric.

Counters count what happened once: a task that runs again counts nothing twice. Gauges say how the
last night of a spec ended.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow.sdk.observability import stats

if TYPE_CHECKING:
    from include.reports import NightReport
    from include.steps.sweep_ledger import SweepReport
    from include.submission import Submitted
    from include.warehouse.loading import LoadSummary

BATCHES_SUBMITTED = "nightshift.batches.submitted"
BATCHES_ADOPTED = "nightshift.batches.adopted"
BATCHES_ENDED = "nightshift.batches.ended"
BATCHES_LOADED = "nightshift.batches.loaded"
RESULTS_LOADED = "nightshift.results.loaded"
TOKENS_SENT = "nightshift.tokens.sent"
TOKENS_ANSWERED = "nightshift.tokens.answered"
TOKENS_CACHED = "nightshift.tokens.cached"
COST_SPENT = "nightshift.cost.spent"
DOCUMENTS_SETTLED = "nightshift.documents.settled"
COST_FORECAST = "nightshift.cost.forecast"
COST_SETTLED = "nightshift.cost.settled"
RUNS_RECONCILED = "nightshift.runs.reconciled"
SHARDS_STUCK = "nightshift.shards.stuck"
BATCHES_UNCLAIMED = "nightshift.batches.unclaimed"

_NO_MODEL = "none"
_MICRO = 1_000_000


def count_submission(spec: str, submitted: "Submitted") -> None:
    """Count a batch that this task has made, or found after a lost answer."""
    if submitted.origin == "posted":
        stats.incr(BATCHES_SUBMITTED, tags={"spec": spec})
    elif submitted.origin == "adopted":
        stats.incr(BATCHES_ADOPTED, tags={"spec": spec})


def count_ended() -> None:
    """Count a batch whose end a wait has seen."""
    stats.incr(BATCHES_ENDED)


def count_load(spec: str, summary: "LoadSummary") -> dict[str, int]:
    """Count the results and batches that a load found new, and return its counts."""
    for paid in summary.paid:
        tags = {"spec": spec, "outcome": paid.outcome, "model": paid.model or _NO_MODEL}
        stats.incr(RESULTS_LOADED, paid.result_count, tags=tags)
        stats.incr(TOKENS_SENT, paid.input_tokens, tags=tags)
        stats.incr(TOKENS_ANSWERED, paid.output_tokens, tags=tags)
        stats.incr(TOKENS_CACHED, paid.cache_read_tokens + paid.cache_write_tokens, tags=tags)
        stats.incr(COST_SPENT, round(paid.cost_usd * _MICRO), tags=tags)
    for lag in summary.lags:
        stats.timing(BATCHES_LOADED, lag, tags={"spec": spec})
    return summary.counts


def count_sweep(spec: str, report: "SweepReport") -> dict[str, list[str]]:
    """Count what a sweep loaded and what it found, and return its findings."""
    for summary in report.loads:
        count_load(spec, summary)
    stats.gauge(SHARDS_STUCK, len(report.stuck) + len(report.failed), tags={"spec": spec})
    stats.gauge(BATCHES_UNCLAIMED, len(report.unclaimed_batch_ids), tags={"spec": spec})
    return report.findings


def show_night(report: "NightReport") -> None:
    """Show how a night ended, and what it cost."""
    tags = {"spec": report.spec}
    for state, count in report.documents.items():
        stats.gauge(DOCUMENTS_SETTLED, count, tags=tags | {"state": state})
    stats.gauge(COST_FORECAST, float(report.forecast_usd), tags=tags)
    stats.gauge(COST_SETTLED, float(report.actual_usd), tags=tags)
    stats.incr(RUNS_RECONCILED, tags=tags | {"verdict": report.verdict})


def all_metrics() -> Iterable[str]:
    """Return the name of every metric."""
    return [value for name, value in globals().items() if _is_metric(name, value)]


def _is_metric(name: str, value: Any) -> bool:
    return name.isupper() and isinstance(value, str) and value.startswith("nightshift.")
