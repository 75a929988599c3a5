"""A run: what one DAG run is asked for, its window, and where its files lie."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.caching import NO_CACHE, CacheChoice
from include.errors import PermanentError, WriteRefusedError
from include.identities import run_key
from include.params import Params
from include.spec import FrozenSpec

if TYPE_CHECKING:
    from include.storage import ObjectStore

LOOKBACK = dt.timedelta(days=2)
"""How far a scheduled night looks behind its interval: S3 dates a multipart upload by its begin."""
MANUAL_WINDOW = dt.timedelta(days=1)

DeadLetterReason = Literal[
    "too_large",
    "context_exceeded",
    "refused",
    "truncated",
    "invalid_output",
    "errored",
    "missing",
]
SkipReason = Literal["image_only", "garbled", "too_many_pages", "too_long"]
"""Why a document is skipped until its spec permits more."""
RequeueReason = Literal[DeadLetterReason, SkipReason]

ModelT = TypeVar("ModelT", bound=BaseModel)


class RunParams(Params):
    """What an operator may change for one run; the DAG's form has the same fields."""

    window_start: dt.datetime | None = None
    window_end: dt.datetime | None = None
    prefix: str | None = None
    limit: int | None = Field(default=None, ge=1)
    budget_usd: Decimal | None = Field(default=None, ge=0)
    plan_only: bool = False
    requeue: tuple[RequeueReason, ...] = ()
    reprocess: bool = False
    """Ask again about what the run lists and an older prompt_version has settled."""

    @model_validator(mode="after")
    def _window_is_whole(self) -> Self:
        if (self.window_start is None) != (self.window_end is None):
            msg = "window_start and window_end go together"
            raise ValueError(msg)
        if self.window_start and self.window_end:
            if self.window_start.tzinfo is None or self.window_end.tzinfo is None:
                msg = "window_start and window_end need a time zone"
                raise ValueError(msg)
            if self.window_start >= self.window_end:
                msg = "window_start must lie before window_end"
                raise ValueError(msg)
        return self

    @property
    def is_whole(self) -> bool:
        """Whether the run is about everything, and buys what it needs."""
        return self.is_unrestricted and not self.plan_only

    @property
    def is_unrestricted(self) -> bool:
        """Whether the run is about all documents of its window."""
        return self.limit is None and self.prefix is None

    @classmethod
    def parse(cls, params: Mapping[str, object]) -> Self:
        """Read the params of a DAG run; what is null is as if it were not said.

        Raises:
            ConfigurationError: One is out of bounds; it is named.
        """
        return super().parse({name: value for name, value in params.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What Airflow knows of a run."""

    dag_id: str
    run_id: str
    run_type: str
    run_after: dt.datetime
    started_at: dt.datetime
    interval_start: dt.datetime | None
    interval_end: dt.datetime | None
    params: RunParams

    @property
    def run_key(self) -> str:
        """The run's id as it stands in keys and tables."""
        return run_key(self.run_id)


def choose_window(
    context: RunContext, last_window_end: dt.datetime | None
) -> tuple[dt.datetime, dt.datetime]:
    """Return which documents a run is about, by one rule: half open, in UTC.

    Args:
        context: The run.
        last_window_end: Where the last complete run of the spec ended; a night that was missed
            since is caught up with. None before the first: unpausing must not buy the past.
    """
    params = context.params
    if params.window_start and params.window_end:
        return params.window_start, params.window_end
    if context.interval_start is None or context.interval_end is None:
        return context.run_after - MANUAL_WINDOW, context.run_after
    if context.interval_start == context.interval_end:
        msg = f"run {context.run_id} has an interval without width; the DAG pins its timetable"
        raise PermanentError(msg)
    if context.run_type != "scheduled" or last_window_end is None:
        return context.interval_start, context.interval_end
    return min(context.interval_start, last_window_end) - LOOKBACK, context.interval_end


def choose_night(context: RunContext) -> dt.date:
    """Return the night of a run: the UTC date on which its interval begins.

    Not of its window, which looks behind the interval. A run that was given a window, or has no
    interval, has the night on which its window begins.
    """
    begins_at = choose_window(context, None)[0]
    return begins_at.astimezone(dt.UTC).date()


class RunManifest(BaseModel):
    """`spec.json`: the spec and the window as the first task of the run found them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    dag_id: str
    run_id: str
    run_key: str
    run_type: str
    started_at: dt.datetime
    night: dt.date
    window_start_at: dt.datetime
    window_end_at: dt.datetime
    params: RunParams
    spec: FrozenSpec
    caching: CacheChoice = NO_CACHE
    """The same for all requests of the run: they share what is cached, byte by byte."""


class SlicePart(BaseModel):
    """One slice of the listing: what one `build_requests` task reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    document_count: int


class ListingManifest(BaseModel):
    """`listing/manifest.json`: what was listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slices: tuple[SlicePart, ...]
    listed_count: int
    """Every object of the window, the known ones included, and what was carried over."""
    unchanged_count: int
    marks_keys: tuple[str, ...] = ()
    """Parquet of what was found deleted, or there again, by each attempt at listing."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Where the files of one run lie."""

    spec: str
    run_key: str

    def key(self, name: str) -> str:
        """Return the key of a file of this run."""
        return f"{self.spec}/runs/{self.run_key}/{name}"

    def lines_key(self, name: str = "") -> str:
        """Texts of a slice whose documents are lines, by the slice's file name."""
        return self.key(f"lines/{name}")

    @property
    def manifest_key(self) -> str:
        """JSON of `RunManifest`."""
        return self.key("spec.json")

    @property
    def listing_key(self) -> str:
        """JSON of `ListingManifest`."""
        return self.key("listing/manifest.json")

    def plan_key(self, round_number: int) -> str:
        """JSON of `Plan`."""
        return self.key("plan.json" if round_number == 0 else f"plan-{round_number}.json")

    @property
    def approval_key(self) -> str:
        """JSON of `SpendDecision`."""
        return self.key("approval.json")

    @property
    def preflight_key(self) -> str:
        """JSON of `PaidProbes`."""
        return self.key("preflight.json")

    @property
    def report_key(self) -> str:
        """JSON of the night's report."""
        return self.key("report.json")


def keep_manifest(store: "ObjectStore", manifest: RunManifest) -> RunManifest:
    """Write the manifest once; a run that was cleared gets the one it has planned by.

    Before its first plan a run has bought nothing: cleared then, it takes up a corrected spec.
    """
    files = RunFiles(manifest.spec.name, manifest.run_key)
    data = manifest.model_dump_json(indent=1).encode()
    try:
        store.create(files.manifest_key, data)
    except WriteRefusedError:
        if store.read(files.plan_key(0)) is not None:
            return read_manifest(store, manifest.spec.name, manifest.run_key)
        store.write(files.manifest_key, data)
    return manifest


def read_manifest(store: "ObjectStore", spec: str, run_key: str) -> RunManifest:
    """Return the manifest of a run.

    Raises:
        PermanentError: The run has none: its listing never began.
    """
    return read_model(store, RunFiles(spec, run_key).manifest_key, RunManifest)


def read_model(store: "ObjectStore", key: str, model: type[ModelT]) -> ModelT:
    """Return a JSON file of a run.

    Raises:
        PermanentError: It is missing: the task that writes it has not succeeded.
    """
    stored = store.read(key)
    if stored is None:
        msg = f"{store.uri(key)} is missing: the task that writes it has not succeeded"
        raise PermanentError(msg)
    return model.model_validate_json(stored.data)
