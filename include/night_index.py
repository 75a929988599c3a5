"""The index of nights: the newest reports of a spec in one small object, for whoever shows them."""

import datetime as dt
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from include.errors import TransientError, WriteRefusedError
from include.storage import ObjectStore

if TYPE_CHECKING:
    from include.reports import NightReport

logger = logging.getLogger(__name__)

NIGHTS_KEPT = 200
"""Half a year of nights, and some runs by hand: about 300 kB to read for a page."""
WRITE_TRIES = 12
_PROBLEMS_KEPT = 5
_PROBLEM_CHARACTERS = 300


class BrokenIndexError(TransientError):
    """The index cannot be read; the next night to end writes a new one."""


class _Part(BaseModel):
    # Not forbidden to say more: a page that is older than the night still shows what it knows.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ReasonCount(_Part):
    """How many documents ended in one state for one reason."""

    state: str
    state_reason: str | None
    document_count: int


class OutcomeTotal(_Part):
    """How many results had one outcome, and what they cost."""

    outcome: str
    result_count: int
    cost_usd: Decimal
    list_cost_usd: Decimal

    def plus(self, other: "OutcomeTotal") -> "OutcomeTotal":
        """Return the sum of two of the same outcome."""
        return OutcomeTotal(
            outcome=self.outcome,
            result_count=self.result_count + other.result_count,
            cost_usd=self.cost_usd + other.cost_usd,
            list_cost_usd=self.list_cost_usd + other.list_cost_usd,
        )


class NightSummary(_Part):
    """What the index keeps of one report: counts and money, no name of any document."""

    spec: str
    run_key: str
    run_id: str
    run_type: str
    night: dt.date
    window_start_at: dt.datetime
    window_end_at: dt.datetime
    started_at: dt.datetime
    finished_at: dt.datetime
    verdict: Literal["green", "red"]
    problems: tuple[str, ...]
    listed_count: int
    documents: dict[str, int]
    reasons: tuple[ReasonCount, ...]
    open_dead_letters: tuple[ReasonCount, ...] | None = None
    """Of the whole spec when the run ended; None where that was not counted yet."""
    outcomes: tuple[OutcomeTotal, ...]
    needed_count: int
    known_count: int
    joined_count: int
    bought_count: int
    batch_count: int
    forecast_usd: Decimal
    forecast_lower_usd: Decimal | None = None
    forecast_upper_usd: Decimal | None = None
    is_within_forecast: bool | None = None
    """Whether the cost lies between the two; None while batches are out."""
    actual_usd: Decimal
    list_usd: Decimal

    @classmethod
    def of(cls, report: "NightReport") -> Self:
        """Return what the index keeps of a report."""
        alike = report.model_dump(include=set(cls.model_fields) - {"problems"})
        band = report.forecast.cost_usd if report.forecast else None
        return cls(
            **alike,
            forecast_lower_usd=band.lower if band else None,
            forecast_upper_usd=band.upper if band else None,
            batch_count=len(report.batches),
            problems=tuple(one[:_PROBLEM_CHARACTERS] for one in report.problems[:_PROBLEMS_KEPT]),
        )


class NightIndex(_Part):
    """`<spec>/runs/index.json`."""

    schema_version: Literal[1] = 1
    nights: tuple[NightSummary, ...] = ()
    """The latest windows first."""

    def with_night(self, night: NightSummary) -> Self:
        """Return the index with a night in it, in the place of what it said of the same run."""
        others = [one for one in self.nights if one.run_key != night.run_key]
        nights = sorted(
            [*others, night], key=lambda one: (one.window_end_at, one.started_at), reverse=True
        )
        return self.model_copy(update={"nights": tuple(nights[:NIGHTS_KEPT])})


def index_key(spec: str) -> str:
    """Return where the index of a spec lies."""
    return f"{spec}/runs/index.json"


def read_index(store: ObjectStore, spec: str) -> NightIndex:
    """Return the index of a spec; an empty one before its first night has ended.

    Raises:
        BrokenIndexError: What lies there is no index.
    """
    stored = store.read(index_key(spec))
    return _parse(stored.data, store.uri(index_key(spec))) if stored else NightIndex()


def note_night(store: ObjectStore, report: "NightReport") -> None:
    """Put a night into the index of its spec; writing it again changes nothing.

    Raises:
        TransientError: Other nights kept writing at the same time.
    """
    key = index_key(report.spec)
    night = NightSummary.of(report)
    for _ in range(WRITE_TRIES):
        stored = store.read(key)
        try:
            if stored is None:
                store.create(key, _data(NightIndex().with_night(night)))
            else:
                index = _usable(stored.data, store.uri(key)).with_night(night)
                store.replace(key, _data(index), etag=stored.etag)
        except WriteRefusedError:
            continue
        return
    msg = f"{store.uri(key)} was changed by others {WRITE_TRIES} times in a row"
    raise TransientError(msg)


def _usable(data: bytes, uri: str) -> NightIndex:
    """Begin anew where the index is broken: it repeats reports, and must fail no night."""
    try:
        return _parse(data, uri)
    except BrokenIndexError as error:
        logger.warning("began anew: %s", error)
        return NightIndex()


def _parse(data: bytes, uri: str) -> NightIndex:
    try:
        return NightIndex.model_validate_json(data)
    except ValidationError as error:
        msg = (
            f"{uri} is not an index of nights ({error.error_count()} problems); the next night "
            "to end writes a new one"
        )
        raise BrokenIndexError(msg) from None


def _data(index: NightIndex) -> bytes:
    return index.model_dump_json().encode()
