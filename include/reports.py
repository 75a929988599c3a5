"""The report of a night: what happened to every document, what it cost, and why not."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from include.caching import CacheChoice, CacheUse, saved_usd
from include.entries import Entry
from include.forecast import Forecast

FAILURES_SHOWN = 20
_SETTLED = frozenset({"collected", "loaded", "abandoned"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StateCount(_Part):
    """How many documents ended in one state for one reason."""

    state: str
    state_reason: str | None
    document_count: int


class OutcomeCount(_Part):
    """What came of the requests that the run bought, by outcome."""

    outcome: str
    result_count: int
    input_tokens: int
    output_tokens: int
    thinking_tokens: int = 0
    """Of the output tokens, those that were thought."""
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal
    list_cost_usd: Decimal


class ModelSpend(_Part):
    """What one model answered to the requests that the run bought."""

    model: str
    result_count: int
    succeeded_count: int
    cached_count: int
    """Requests that read from the cache or wrote to it."""
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal


class Savings(_Part):
    """What reuse and caching were worth."""

    reused_requests: int
    """Answers that were not bought, because they were there."""
    reused_usd: Decimal
    """What they cost when they were bought."""
    caching: CacheChoice
    cache_hit_rate: Decimal
    """Share of the cacheable tokens that were read from the cache."""
    cache_usd: Decimal
    """What caching saved; below 0 is what it cost."""


class BatchLine(_Part):
    """One batch that the run submitted or waited for."""

    shard_id: str
    batch_id: str | None
    round: int
    state: str
    request_count: int
    is_own: bool
    """Bought by this run."""
    is_adopted: bool


class FailureLine(_Part):
    """One document without an enrichment."""

    document_uri: str
    state: str
    state_reason: str | None
    error_message: str | None


class NightReport(_Part):
    """`report.json`."""

    schema_version: Literal[1] = 1
    spec: str
    run_key: str
    run_id: str
    run_type: str
    night: dt.date
    """The UTC date on which the interval of the run begins."""
    window_start_at: dt.datetime
    window_end_at: dt.datetime
    started_at: dt.datetime
    finished_at: dt.datetime
    verdict: Literal["green", "red"]
    problems: tuple[str, ...]
    listed_count: int
    documents: dict[str, int]
    """Documents by state; they add up to `listed_count`."""
    reasons: tuple[StateCount, ...]
    open_dead_letters: tuple[StateCount, ...] | None = None
    """Of the whole spec when the run ended, most first: what requeueing can take up again."""
    needed_count: int
    known_count: int
    joined_count: int
    bought_count: int
    split_count: int = 0
    """Documents asked about in parts."""
    truncated_count: int = 0
    """Documents of which only the beginning was asked about."""
    outcomes: tuple[OutcomeCount, ...]
    models: tuple[ModelSpend, ...] = ()
    savings: Savings | None = None
    batches: tuple[BatchLine, ...]
    forecast_usd: Decimal
    forecast: Forecast | None = None
    """With its interval, what it rests on, and what was saved."""
    deviation_percent: Decimal | None = None
    """How far the actual cost lies from the forecast; None while batches are out."""
    is_within_forecast: bool | None = None
    """Whether the actual cost lies within the forecast's interval."""
    actual_usd: Decimal
    list_usd: Decimal
    failures: tuple[FailureLine, ...]

    def compared(self) -> "NightReport":
        """Return the report with what became of its forecast, once all own batches are in."""
        own = (line for line in self.batches if line.is_own)
        if self.forecast is None or any(line.state not in _SETTLED for line in own):
            return self
        share = self.actual_usd / self.forecast_usd - 1 if self.forecast_usd else Decimal(0)
        return self.model_copy(
            update={
                "deviation_percent": (100 * share).quantize(Decimal("0.01")),
                "is_within_forecast": self.forecast.cost_usd.holds(self.actual_usd),
            }
        )

    @property
    def event(self) -> dict[str, Any]:
        """What the assets of a green night tell those who wait for it."""
        return {
            "night": self.night.isoformat(),
            "run_key": self.run_key,
            "listed": self.listed_count,
            **self.documents,
            "actual_usd": str(self.actual_usd),
        }


def batch_lines(entries: Iterable[Entry], run_key: str) -> tuple[BatchLine, ...]:
    """Return the report's line of each shard."""
    return tuple(
        BatchLine(
            shard_id=entry.shard_id,
            batch_id=entry.batch_id,
            round=entry.round,
            state=entry.state,
            request_count=entry.request_count,
            is_own=entry.run_key == run_key,
            is_adopted=entry.is_adopted,
        )
        for entry in entries
    )


def summary_lines(report: NightReport) -> Iterator[str]:
    """Yield the report as a person reads it in a log."""
    counts = [f"{count} {state}" for state, count in report.documents.items() if count]
    yield f"night {report.window_start_at:%Y-%m-%d %H:%M} to {report.window_end_at:%Y-%m-%d %H:%M}"
    yield f"listed {report.listed_count} = {' + '.join(counts) or '0'}"
    yield (
        f"requests {report.needed_count}: {report.known_count} known, "
        f"{report.joined_count} in open batches, {report.bought_count} bought"
    )
    if report.split_count or report.truncated_count:
        yield f"long documents {report.split_count} in parts, {report.truncated_count} truncated"
    own = sum(line.is_own for line in report.batches)
    yield f"batches {own} own, {len(report.batches) - own} joined"
    yield from _cost_lines(report)
    if report.savings:
        yield from _savings_lines(report.savings)
    yield from _outcome_lines(report.outcomes)
    yield from _model_lines(report.models)
    yield from _failure_lines(report.failures)
    yield f"verdict {report.verdict}"
    yield from (f"problem: {problem}" for problem in report.problems)


def _cost_lines(report: NightReport) -> Iterator[str]:
    yield (
        f"cost {_usd(report.actual_usd)}, forecast {_usd(report.forecast_usd)}, "
        f"list price {_usd(report.list_usd)}"
    )
    if report.forecast is None:
        return
    band = report.forecast.cost_usd
    verdict = {None: "not all is in", True: "it holds", False: "it does not hold"}
    deviation = report.deviation_percent
    yield (
        f"forecast between {_usd(band.lower)} and {_usd(band.upper)}: "
        f"{verdict[report.is_within_forecast]}"
        + (f", the cost is {deviation:+} % off" if deviation is not None else "")
    )


def savings_of(
    models: Sequence[ModelSpend], caching: CacheChoice, reuse: dict[str, Any]
) -> Savings:
    """Return what was saved.

    Args:
        models: What was bought, by model.
        caching: What the run asked for.
        reuse: The row of `read_reuse`.
    """
    uses = {
        one.model: CacheUse(one.cached_count, one.cache_read_tokens, one.cache_write_tokens)
        for one in models
        if one.cached_count
    }
    whole = CacheUse(
        sum(use.request_count for use in uses.values()),
        sum(use.read_tokens for use in uses.values()),
        sum(use.write_tokens for use in uses.values()),
    )
    ttl = caching.ttl or "5m"
    return Savings(
        reused_requests=reuse["request_count"],
        reused_usd=reuse["saved_usd"],
        caching=caching,
        cache_hit_rate=round(whole.hit_rate, 4),
        cache_usd=sum((saved_usd(model, use, ttl) for model, use in uses.items()), Decimal(0)),
    )


def _savings_lines(savings: Savings) -> Iterator[str]:
    if savings.reused_requests:
        yield f"reuse {savings.reused_requests} requests, saved {_usd(savings.reused_usd)}"
    choice = savings.caching
    if choice.ttl is None:
        yield f"prompt cache off: {choice.reason}"
        return
    change = "saved" if savings.cache_usd >= 0 else "cost"
    yield (
        f"prompt cache {choice.ttl}: {savings.cache_hit_rate:.1%} hits, "
        f"{change} {_usd(abs(savings.cache_usd))} ({choice.reason})"
    )


def _model_lines(models: Sequence[ModelSpend]) -> Iterator[str]:
    """Tell the models apart where a stronger one was asked too."""
    for line in models if len(models) > 1 else ():
        yield (
            f"model {line.model}: {line.result_count} results, {line.succeeded_count} usable, "
            f"{_usd(line.cost_usd)}"
        )


def _outcome_lines(outcomes: Sequence[OutcomeCount]) -> Iterator[str]:
    for line in outcomes:
        yield (
            f"results {line.outcome}: {line.result_count}, {line.input_tokens} tokens in, "
            f"{line.output_tokens} out, {_usd(line.cost_usd)}"
        )


def _failure_lines(failures: Sequence[FailureLine]) -> Iterator[str]:
    for line in failures:
        # No message: errors quote documents, and nothing erases a log.
        yield f"{line.state} {line.state_reason}: {line.document_uri}"


def _usd(amount: Decimal) -> str:
    return f"${amount:.4f}"


def reason_lines(table: Sequence[dict[str, Any]]) -> tuple[StateCount, ...]:
    """Return the counts by state and reason as the warehouse gives them."""
    return tuple(StateCount(**row) for row in table)
