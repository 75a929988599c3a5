"""Prompt caching: whether the API is asked to keep what all requests of a run begin with."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict

from include.prices import Rates, read_rates
from include.tokens import estimate_tokens

if TYPE_CHECKING:
    from include.spec import FrozenSpec

CacheTtl = Literal["5m", "1h"]

MEASURED_TIME = dt.timedelta(days=30)
"""How long a measured hit rate counts; then a trial measures anew."""
MIN_MEASURED_REQUESTS = 200
"""Fewer requests say little: the first of them find an empty cache."""
_MIN_CACHEABLE_TOKENS: Final[Mapping[str, int]] = {"claude-haiku-5-5": 512}
"""Shorter prefixes are not cached, and nothing is said. Source: model page, October 2026."""
_MIN_CACHEABLE_TOKENS_ELSEWHERE = 4_096
"""[INFER] The most that was documented for any model; a lower one would only be cached later."""


class CacheChoice(BaseModel):
    """Whether a run's requests ask for a cache: chosen once, for its retry rounds too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttl: CacheTtl | None = None
    is_trial: bool = False
    """Only the first slice asks for it, to measure: what that can cost is bounded."""
    reason: str
    prefix_tokens: int = 0
    """Of each request, about: what the API may keep."""
    hit_rate: Decimal | None = None
    """What past nights saw; None where too little was measured."""

    def ttl_of_slice(self, number: int) -> CacheTtl | None:
        """Return what the requests of a slice ask for; slices are counted from 0."""
        return None if self.is_trial and number > 0 else self.ttl


NO_CACHE = CacheChoice(reason="not chosen")


@dataclass(frozen=True, slots=True)
class CacheUse:
    """What the API read from its cache and wrote to it, over requests that did either."""

    request_count: int = 0
    read_tokens: int = 0
    write_tokens: int = 0

    @property
    def hit_rate(self) -> Decimal:
        """Share of the cacheable tokens that were read."""
        return Decimal(self.read_tokens) / max(self.read_tokens + self.write_tokens, 1)

    @property
    def is_telling(self) -> bool:
        """Whether enough was measured."""
        return self.request_count >= MIN_MEASURED_REQUESTS

    @property
    def prefix_tokens(self) -> int:
        """Tokens of one request that were read or written."""
        return (self.read_tokens + self.write_tokens) // max(self.request_count, 1)


def break_even_rate(model: str, ttl: CacheTtl) -> Decimal:
    """Return the hit rate at which caching costs as much as no caching: less of it costs more."""
    rates = read_rates(model, in_batch=True, is_long_prompt=False)
    write = rates.cache_write if ttl == "5m" else rates.cache_write_1h
    return (write - rates.input) / (write - rates.cache_read)


def saved_usd(model: str, use: CacheUse, ttl: CacheTtl) -> Decimal:
    """Return what caching saved at batch price; below 0 is what it cost.

    Prompts above a model's price step count as if they were below it: too little rather than too
    much is claimed.
    """
    rates = read_rates(model, in_batch=True, is_long_prompt=False)
    return saved_at(rates, ttl, Decimal(use.read_tokens), Decimal(use.write_tokens))


def saved_at(rates: Rates, ttl: CacheTtl, read_tokens: Decimal, write_tokens: Decimal) -> Decimal:
    """Return what tokens cost less for being read, less what others cost more for being written."""
    write = rates.cache_write if ttl == "5m" else rates.cache_write_1h
    return read_tokens * (rates.input - rates.cache_read) - write_tokens * (write - rates.input)


def choose_caching(spec: "FrozenSpec", measured: CacheUse) -> CacheChoice:
    """Choose for one run.

    Five minutes, because at equal hit rates an hour always costs more; whether it brings so many
    more hits as to pay is for a person to try, with `caching="1h"`.

    Args:
        spec: The spec, whose `caching` may decide alone.
        measured: What past nights of the same spec and model saw.
    """
    if spec.caching == "off":
        return CacheChoice(reason="the spec says off")
    tokens = prefix_tokens(spec)
    asked = partial(
        CacheChoice,
        prefix_tokens=measured.prefix_tokens if measured.is_telling else tokens,
        hit_rate=measured.hit_rate if measured.is_telling else None,
    )
    if spec.caching != "auto":
        return asked(ttl=spec.caching, reason=f"the spec says {spec.caching}")
    needed = _MIN_CACHEABLE_TOKENS.get(spec.model, _MIN_CACHEABLE_TOKENS_ELSEWHERE)
    if tokens < needed:
        return CacheChoice(
            reason=f"all requests begin with about {tokens} tokens, {needed} can be cached"
        )
    if not measured.is_telling:
        return asked(ttl="5m", is_trial=True, reason="a trial: no hit rate is known yet")
    break_even = break_even_rate(spec.model, "5m")
    compared = f"{measured.hit_rate:.1%} hits were measured, it pays above {break_even:.1%}"
    if measured.hit_rate > break_even:
        return asked(ttl="5m", reason=compared)
    return CacheChoice(reason=compared)


def prefix_tokens(spec: "FrozenSpec") -> int:
    """Return about how many tokens all requests of a spec begin with: prompt and answer schema.

    [INFER] That the schema counts. Where it does not, a short prefix is not cached, and not billed.
    """
    shared = [spec.request_params[name] for name in ("system", "output_config")]
    return estimate_tokens(len(json.dumps(shared, ensure_ascii=False)))
