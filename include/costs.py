"""Costs: what answered requests cost, from the tokens that the API counted."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial

from include.prices import PriceList, Rates
from include.results import Outcome, Usage
from include.tokens import PRICE_STEP_TOKENS

_LISTED = PriceList()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one or many requests cost in a batch, and would cost outside of one."""

    batch_usd: Decimal = Decimal(0)
    list_usd: Decimal = Decimal(0)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.batch_usd + other.batch_usd, self.list_usd + other.list_usd)


class Tariff:
    """What the tokens of one model cost, in a batch or outside of one; each rate read once."""

    def __init__(self, model: str, prices: PriceList = _LISTED, *, in_batch: bool) -> None:
        """Read from `prices` what is asked for, when it is."""
        self._rates = partial(prices.rates, model, in_batch=in_batch)

    def usd(self, usage: Usage) -> Decimal:
        """Return what one answered request costs; thinking is part of its output.

        Raises:
            ConfigurationError: Nobody knows the model's price.
        """
        is_long = usage.prompt_tokens > PRICE_STEP_TOKENS
        return _total(usage, self._long if is_long else self._short)

    @cached_property
    def _short(self) -> Rates:
        return self._rates(is_long_prompt=False)

    @cached_property
    def _long(self) -> Rates:
        return self._rates(is_long_prompt=True)


def cost_of(model: str, usage: Usage, prices: PriceList = _LISTED) -> Cost:
    """Return what one answered request costs; thinking is part of its output."""
    in_batch, listed = (Tariff(model, prices, in_batch=one) for one in (True, False))
    return Cost(in_batch.usd(usage), listed.usd(usage))


def _total(usage: Usage, rates: Rates) -> Decimal:
    asked = rates.input * usage.input_tokens + rates.output * usage.output_tokens
    if not usage.cache_read_input_tokens and not usage.cache_creation_input_tokens:
        return asked
    written_1h = usage.cache_write_1h_tokens
    return (
        asked
        + rates.cache_read * usage.cache_read_tokens
        + rates.cache_write * (usage.cache_write_tokens - written_1h)
        + rates.cache_write_1h * written_1h
    )


def billed(outcome: Outcome, *, has_content: bool) -> bool:
    """Return whether a result is paid: bad answers are, a refusal before any output is not."""
    if outcome in {"errored", "expired", "canceled", "missing"}:
        return False
    return outcome != "refused" or has_content
