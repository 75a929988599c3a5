"""The forecast of a night: requests, tokens and cost, each with an interval, before any spend."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from include.cache_forecast import CacheForecast
from include.costs import Cost
from include.prices import PriceList
from include.token_rates import OutputSource, TokenRates, TokenSource
from include.tokens import PRICE_STEP_TOKENS, usual_tokens

DEVIATIONS = 2
"""Half the width of an interval in standard deviations: 19 of 20 nights lie within it."""
UNSEEN_RETRY_SHARE = 0.05
"""What retry rounds may add, before any were seen."""

_NANO = Decimal("1e-9")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TokenBand(_Part):
    """A number of tokens, and between which numbers it probably lies."""

    expected: int
    lower: int
    upper: int


class CostBand(_Part):
    """A sum in USD, and between which sums it probably lies."""

    expected: Decimal
    lower: Decimal
    upper: Decimal

    def scaled(self, factor: Decimal) -> "CostBand":
        """Return the band of that share of it."""
        return CostBand(
            expected=(self.expected * factor).quantize(_NANO),
            lower=(self.lower * factor).quantize(_NANO),
            upper=(self.upper * factor).quantize(_NANO),
        )

    def holds(self, amount: Decimal) -> bool:
        """Return whether a sum lies within the band."""
        return self.lower <= amount <= self.upper


class Forecast(_Part):
    """What a run will buy of one model."""

    model: str
    request_count: int
    input_tokens: TokenBand
    output_tokens: TokenBand
    """Thinking included."""
    cost_usd: CostBand
    """In batches, retry rounds included: the bill."""
    list_usd: Decimal
    """The same outside of batches, without a cache."""
    saved_by_batching_usd: Decimal
    saved_by_caching_usd: Decimal
    """Below 0 when the cache costs more than it saves."""
    saved_by_reuse_usd: Decimal
    reused_count: int
    """Answers that are not bought: of equal content, or known from earlier nights."""
    source: TokenSource
    """What the tokens of prompts are told by."""
    counted_count: int
    """Requests that were counted for it."""
    output_source: OutputSource
    """What the tokens of answers are told by."""

    @property
    def upper_share(self) -> Decimal:
        """The upper end of the cost for each dollar that is expected, retry rounds included."""
        expected = self.cost_usd.expected
        return self.cost_usd.upper / expected if expected else Decimal(1)

    def scaled(self, factor: Decimal) -> "Forecast":
        """Return the forecast of that share of the requests, reuse left out."""

        def share(band: TokenBand) -> TokenBand:
            return TokenBand(**{k: round(v * factor) for k, v in band.model_dump().items()})

        return self.model_copy(
            update={
                "request_count": round(self.request_count * factor),
                "input_tokens": share(self.input_tokens),
                "output_tokens": share(self.output_tokens),
                "cost_usd": self.cost_usd.scaled(factor),
                "list_usd": (self.list_usd * factor).quantize(_NANO),
                "saved_by_batching_usd": (self.saved_by_batching_usd * factor).quantize(_NANO),
                "saved_by_caching_usd": (self.saved_by_caching_usd * factor).quantize(_NANO),
                "saved_by_reuse_usd": Decimal(0),
                "reused_count": 0,
            }
        )

    def __add__(self, other: "Forecast") -> "Forecast":
        """Return both together; the errors of one night's two plans go the same way."""
        values = self.model_dump()
        for name, value in other.model_dump().items():
            if isinstance(value, dict):
                values[name] = {key: values[name][key] + value[key] for key in value}
            elif isinstance(value, int | Decimal) and name != "counted_count":
                values[name] += value
        values["counted_count"] = max(self.counted_count, other.counted_count)
        return Forecast(**values)


@dataclass(frozen=True, slots=True)
class ClassLoad:
    """The requests of one class that a run buys, and those that it need not."""

    token_class: str
    bought_count: int
    bought_usual: float
    """Usual tokens."""
    reused_count: int = 0
    reused_usual: float = 0


FindLong = Callable[[Mapping[str, float]], Sequence[ClassLoad]]
"""Returns what lies above a limit of usual tokens, which is given by class."""


@dataclass(frozen=True, slots=True)
class _Money:
    """Sums of a night at one side of its interval."""

    batch: float = 0
    listed: float = 0
    uncached: float = 0
    """In batches, without a cache."""

    def __add__(self, other: "_Money") -> "_Money":
        return _Money(
            self.batch + other.batch, self.listed + other.listed, self.uncached + other.uncached
        )


class RequestPricing:
    """What requests of one model will cost, by how many tokens they will be."""

    def __init__(
        self,
        model: str,
        rates: TokenRates,
        prices: PriceList,
        cache: CacheForecast | None = None,
    ) -> None:
        """Look up the model's prices.

        Raises:
            ConfigurationError: Nobody knows the model's price.
        """
        self.model = model
        self.rates = rates
        self._cache = cache
        self._prices = prices
        self._batch, self._listed = (
            tuple(
                prices.rates(model, in_batch=in_batch, is_long_prompt=is_long)
                for is_long in (False, True)
            )
            for in_batch in (True, False)
        )

    def of_model(self, model: str) -> "RequestPricing":
        """Return what the same requests will cost of another model, of which as little is known."""
        return self if model == self.model else RequestPricing(model, self.rates, self._prices)

    def cost_of(self, rows: Iterable[Mapping[str, Any]]) -> Cost:
        """Return what rows of the request index will cost, each on its side of the price step."""
        total = _Money()
        for row in rows:
            usual = usual_tokens(row["prompt_characters"], row["picture_tokens"])
            tokens = usual * self._factor(row["token_class"])
            output = self.rates.output_of(row["token_class"]).mean
            total += self._money(1, tokens, output, is_long=tokens > PRICE_STEP_TOKENS)
        return Cost(_usd(total.batch), _usd(total.listed))

    def forecast(self, loads: Sequence[ClassLoad], find_long: FindLong) -> Forecast:
        """Return the forecast of a night.

        Args:
            loads: Its requests, by class.
            find_long: Which of them lie above a limit: each request is priced for itself, on its
                side of the price step.
        """
        rates = self.rates
        tokens_in = sum(one.bought_usual * self._factor(one.token_class) for one in loads)
        error_in = self._input_error(loads, tokens_in)
        tokens_out, error_out = self._output(loads)
        middle = self._total(loads, find_long, scale=1, widened=0)
        sides = [
            self._total(loads, find_long, scale=max(1 + side * error_in, 0), widened=side)
            for side in (-DEVIATIONS, DEVIATIONS)
        ]
        by_output = DEVIATIONS * error_out * self._output_usd(loads, find_long)
        below = math.hypot(middle.batch - sides[0].batch, by_output)
        above = math.hypot(sides[1].batch - middle.batch, by_output)
        if self._cache:
            count = sum(one.bought_count for one in loads)
            less, more = self._cache.reach(self._batch[False], count)
            below, above = below + less, above + more
        retries = rates.retry_share or 0
        most_retries = 2 * retries + 0.01 if rates.retry_share is not None else UNSEEN_RETRY_SHARE
        return Forecast(
            model=self.model,
            request_count=sum(one.bought_count for one in loads),
            input_tokens=_token_band(tokens_in, DEVIATIONS * error_in),
            output_tokens=_token_band(tokens_out, DEVIATIONS * error_out),
            cost_usd=CostBand(
                expected=_usd(middle.batch * (1 + retries)),
                lower=_usd(max(middle.batch - below, 0)),
                upper=_usd((middle.batch + above) * (1 + most_retries)),
            ),
            list_usd=_usd(middle.listed * (1 + retries)),
            saved_by_batching_usd=_usd((middle.listed - middle.uncached) * (1 + retries)),
            saved_by_caching_usd=_usd((middle.uncached - middle.batch) * (1 + retries)),
            saved_by_reuse_usd=_usd(self._reused(loads, find_long).batch),
            reused_count=sum(one.reused_count for one in loads),
            source=rates.source,
            counted_count=rates.counted_count,
            output_source=rates.output_source,
        )

    def _factor(self, token_class: str | None) -> float:
        return self.rates.input_of(token_class).factor

    def _input_error(self, loads: Sequence[ClassLoad], tokens: float) -> float:
        """Return the relative error of all prompt tokens, one standard deviation."""
        if not tokens:
            return 0
        seen: list[float] = []
        unseen = 0.0
        for one in loads:
            rate = self.rates.input_of(one.token_class)
            error = one.bought_usual * rate.factor * rate.error
            if one.token_class in self.rates.inputs:
                seen.append(error)
            else:  # one guess stands for all classes: its errors do not even out
                unseen += error
        return math.hypot(*(error / tokens for error in (*seen, unseen)), self.rates.input_error)

    def _output(self, loads: Sequence[ClassLoad]) -> tuple[float, float]:
        """Return the tokens of all answers, and their relative error."""
        tokens = unseen = 0.0
        errors: list[float] = []
        for one in loads:
            rate = self.rates.output_of(one.token_class)
            own = one.bought_count * rate.mean
            tokens += own
            errors.append(math.sqrt(one.bought_count) * rate.mean * rate.spread)
            if one.token_class in self.rates.outputs:
                errors.append(own * rate.error)
            else:
                unseen += own * rate.error
        if not tokens:
            return 0, 0
        relative = (error / tokens for error in (*errors, unseen))
        return tokens, math.hypot(*relative, self.rates.output_error)

    def _total(
        self, loads: Sequence[ClassLoad], find_long: FindLong, *, scale: float, widened: float
    ) -> _Money:
        """Return what the bought requests cost, should all prompts be `scale` times as long.

        Args:
            widened: How many of its own deviations one request may lie above what it should be:
                near the price step that decides on which side it is.
        """
        long = self._above_step(find_long, scale, widened)
        total = _Money()
        for one in loads:
            part = long.get(one.token_class)
            long_count, long_usual = (part.bought_count, part.bought_usual) if part else (0, 0)
            total += self._class_money(
                one.token_class,
                one.bought_count - long_count,
                (one.bought_usual - long_usual) * scale,
                is_long=False,
            )
            total += self._class_money(
                one.token_class, long_count, long_usual * scale, is_long=True
            )
        return total

    def _reused(self, loads: Sequence[ClassLoad], find_long: FindLong) -> _Money:
        """Return what the answers would have cost that need not be bought."""
        swapped = [ClassLoad(one.token_class, one.reused_count, one.reused_usual) for one in loads]

        def find(limits: Mapping[str, float]) -> Sequence[ClassLoad]:
            return [
                ClassLoad(one.token_class, one.reused_count, one.reused_usual)
                for one in find_long(limits)
            ]

        return self._total(swapped, find, scale=1, widened=0)

    def _output_usd(self, loads: Sequence[ClassLoad], find_long: FindLong) -> float:
        """Return what of the cost are answers."""
        without = [ClassLoad(one.token_class, 0, one.bought_usual) for one in loads]

        def find(limits: Mapping[str, float]) -> Sequence[ClassLoad]:
            return [ClassLoad(one.token_class, 0, one.bought_usual) for one in find_long(limits)]

        all_of_it = self._total(loads, find_long, scale=1, widened=0)
        return all_of_it.batch - self._total(without, find, scale=1, widened=0).batch

    def _above_step(
        self, find_long: FindLong, scale: float, widened: float
    ) -> dict[str, ClassLoad]:
        limits = {}
        for name in self.rates.inputs:
            limits[name] = self._limit(name, scale, widened)
        limits[""] = self._limit("", scale, widened)
        return {one.token_class: one for one in find_long(limits)}

    def _limit(self, name: str, scale: float, widened: float) -> float:
        rate = self.rates.input_of(name)
        reach = rate.factor * scale * max(1 + widened * rate.spread, 1e-6)
        return PRICE_STEP_TOKENS / reach if reach else math.inf

    def _class_money(self, token_class: str, count: int, usual: float, *, is_long: bool) -> _Money:
        output = count * self.rates.output_of(token_class).mean
        return self._money(count, usual * self._factor(token_class), output, is_long=is_long)

    def _money(self, count: int, tokens: float, output: float, *, is_long: bool) -> _Money:
        """Return what requests with so many tokens in and out, all together, will cost."""
        batch, listed = self._batch[is_long], self._listed[is_long]
        uncached = tokens * float(batch.input) + output * float(batch.output)
        return _Money(
            batch=uncached - (count * self._cache.saved_by_request(batch) if self._cache else 0),
            listed=tokens * float(listed.input) + output * float(listed.output),
            uncached=uncached,
        )


def _token_band(tokens: float, error: float) -> TokenBand:
    return TokenBand(
        expected=round(tokens),
        lower=round(tokens * max(1 - error, 0)),
        upper=round(tokens * (1 + error)),
    )


def _usd(amount: float) -> Decimal:
    return Decimal(amount).quantize(_NANO)
