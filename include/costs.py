"""Costs: what answered requests cost, from the tokens that the API counted."""

from dataclasses import dataclass
from decimal import Decimal

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


def cost_of(model: str, usage: Usage, prices: PriceList = _LISTED) -> Cost:
    """Return what one answered request costs; thinking is part of its output."""
    is_long = usage.prompt_tokens > PRICE_STEP_TOKENS

    def total(*, in_batch: bool) -> Decimal:
        return _total(usage, prices.rates(model, in_batch=in_batch, is_long_prompt=is_long))

    return Cost(total(in_batch=True), total(in_batch=False))


def _total(usage: Usage, rates: Rates) -> Decimal:
    asked = rates.input * usage.input_tokens + rates.output * usage.output_tokens
    if not usage.cache_read_tokens and not usage.cache_write_tokens:
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
