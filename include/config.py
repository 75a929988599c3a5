"""Settings: every value that differs between deployments and is no secret."""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from include.errors import ConfigurationError
from include.price_overrides import PriceOverride

PREFIX = "NIGHTSHIFT_"


class Settings(BaseModel):
    """One frozen model; each field is read from `NIGHTSHIFT_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents_bucket: str = Field(min_length=1)
    """Where the documents lie, unless a spec names another bucket."""
    work_bucket: str = Field(min_length=1)
    """Where runs, shards and the ledger lie. Must honour conditional writes."""
    work_prefix: str = Field(default="nightshift", pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$")
    """Key prefix of everything written to the work bucket."""

    max_documents_per_slice: int = Field(default=5_000, gt=0)
    """How many documents one `build_requests` task reads, until a night has 1,000 slices."""
    fetch_threads: int = Field(default=16, gt=0, le=256)
    """Objects fetched at the same time by one task."""
    extraction_workers: int = Field(default=2, gt=0, le=64)
    """Child processes that turn bytes into text, for one task."""
    extraction_timeout_seconds: float = Field(default=60, gt=0)
    """Time that one document may take before its parser is ended."""
    extraction_memory_bytes: int = Field(default=2_000_000_000, ge=256_000_000)
    """Address space that one parser may take."""
    max_object_bytes: int = Field(default=64_000_000, gt=0)
    """Larger objects, or lines that are documents, are skipped as `too_large`, unread."""
    max_unpacked_bytes: int = Field(default=256_000_000, gt=0)
    """Most bytes that a compressed document may unpack to."""

    max_requests_per_shard: int = Field(default=20_000, gt=0, le=100_000)
    """Source: Message Batches limit of 100,000 requests per batch."""
    max_shard_bytes: int = Field(default=200_000_000, gt=0, le=256_000_000)
    """Bytes on the wire. Source: Message Batches limit of 256 MB per batch."""
    max_request_bytes: int = Field(default=32_000_000, gt=0, le=32_000_000)
    """Bytes of one request. Source: the Messages API's limit of 32 MB per request."""
    max_requests_in_flight: int = Field(default=200_000, gt=0)
    """Unfinished requests of the account. Source: batch queue limit of the Start tier."""

    start_allowance_seconds: float = Field(default=60, gt=0)
    """How long after its intent a POST may still start."""
    post_timeout_seconds: float = Field(default=900, gt=0)
    """Hard limit on the total time of one POST."""
    settling_seconds: float = Field(default=1_800, gt=0)
    """How long after its last possible byte a lost POST may still become a batch."""
    submission_spacing_seconds: float = Field(default=1, ge=0)
    """Pause of a task between its look at the queue and its POST."""
    submit_poke_seconds: float = Field(default=60, gt=0)
    """How long a shard without room in flight, or with an open question, stands back."""

    poll_interval_seconds: float = Field(default=60, gt=0)
    """Time between two looks at a batch."""
    first_poll_delay_seconds: float = Field(default=15, gt=0)
    """Least time between deferring and the first look; faster ones trip the scheduler."""
    batch_timeout_seconds: float = Field(default=93_600, gt=86_400)
    """When a wait gives up and fails: 26 hours, above the 24 that a batch may take."""
    missing_recheck_seconds: float = Field(default=600, ge=0)
    """Least time between two downloads of a result file that lacks lines."""
    retry_window_seconds: float = Field(default=72_000, gt=0)
    """No retry round starts later than this after the night's run did."""

    segment_retention_days: int = Field(default=30, ge=8)
    """How long the requests of a run, texts included, are kept after its last shard is loaded.
    Above the 7 days after which the sweep gives up a shard that nobody submitted."""
    raw_retention_days: int = Field(default=90, ge=1)
    """How long the API's answers are kept as they came, after they are loaded. They serve to judge
    anew after a mistake in a spec or a parser; the warehouse can be rebuilt without them."""
    daily_budget_usd: Decimal | None = Field(default=None, ge=0)
    """Most that the nights of all specs may cost on one day, in UTC; above it the spec's
    `over_budget` decides. Empty for no such budget."""
    count_spacing_seconds: float = Field(default=0.05, ge=0)
    """Between two requests whose tokens are counted for a forecast: 0.05 are 1,200 a minute.
    Source: the Start tier lets 2,000 a minute be counted."""
    price_overrides: dict[str, PriceOverride] = Field(default={})
    """Negotiated prices by model, as JSON: {"model": {"discount": 0.1}}, or `standard` and `batch`
    prices: input, output, cache_read, cache_write and cache_write_1h in USD per million tokens."""

    @field_validator("daily_budget_usd", mode="before")
    @classmethod
    def _no_budget_is_empty(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("price_overrides", mode="before")
    @classmethod
    def _price_overrides_are_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}", parse_float=Decimal)
        except ValueError as error:
            msg = f"not JSON: {error}"
            raise ValueError(msg) from None

    alert_emails: str = Field(default="", pattern=r"^([^@,\s]+@[^@,\s]+(,[^@,\s]+@[^@,\s]+)*)?$")
    """Who is told of red and late nights, with commas between; nobody when empty."""

    @property
    def alert_recipients(self) -> list[str]:
        """The addresses of `alert_emails`."""
        return self.alert_emails.split(",") if self.alert_emails else []

    @model_validator(mode="after")
    def _shards_fit_the_queue(self) -> Self:
        if self.max_requests_per_shard > self.max_requests_in_flight:
            msg = (
                f"max_requests_per_shard ({self.max_requests_per_shard}) is above "
                f"max_requests_in_flight ({self.max_requests_in_flight}): no shard would ever fit"
            )
            raise ValueError(msg)
        return self

    @classmethod
    def without_buckets(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings for work that touches no bucket."""
        buckets = {f"{PREFIX}DOCUMENTS_BUCKET": "none", f"{PREFIX}WORK_BUCKET": "none"}
        return cls.from_env(buckets | dict(environ))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: A variable is missing, unknown or out of bounds; all are named.
        """
        values = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX)
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(
                f"{PREFIX}{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}"
                for item in error.errors()
            )
            msg = f"settings are not usable: {problems}. See .env.example for every variable."
            raise ConfigurationError(msg) from None
