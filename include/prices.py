"""Prices: what a token costs. They come from `genai-prices` or a contract, never from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from include.errors import ConfigurationError
from include.price_overrides import NegotiatedPrices, PriceOverride
from include.tokens import PRICE_STEP_TOKENS

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    """Kept for five minutes."""
    cache_write_1h: Decimal

    def scaled(self, factor: Decimal) -> "Rates":
        """Return each rate times `factor`."""
        return Rates(
            self.input * factor,
            self.output * factor,
            self.cache_read * factor,
            self.cache_write * factor,
            self.cache_write_1h * factor,
        )


@dataclass(frozen=True)
class PriceList:
    """The price list, changed by what was negotiated."""

    overrides: Mapping[str, PriceOverride] = field(default_factory=dict)
    """By model."""

    def rates(self, model: str, *, in_batch: bool, is_long_prompt: bool) -> Rates:
        """Return what a model's tokens cost.

        Raises:
            ConfigurationError: Nobody knows the model's price.
        """
        override = self.overrides.get(model)
        if override is None:
            return read_rates(model, in_batch=in_batch, is_long_prompt=is_long_prompt)
        negotiated = override.batch if in_batch else override.standard
        if negotiated is not None:
            return _negotiated_rates(negotiated)
        listed = read_rates(model, in_batch=in_batch, is_long_prompt=is_long_prompt)
        return listed.scaled(1 - override.discount)


def _negotiated_rates(prices: NegotiatedPrices) -> Rates:
    return Rates(
        prices.input, prices.output, prices.cache_read, prices.cache_write, prices.cache_write_1h
    ).scaled(Decimal(1) / _MILLION)


@cache
def read_rates(model: str, *, in_batch: bool, is_long_prompt: bool) -> Rates:
    """Return what a model's tokens cost by the price list.

    Raises:
        ConfigurationError: The price list does not know the model, or not its price in a batch.
    """
    prompt_tokens = _MILLION if is_long_prompt else PRICE_STEP_TOKENS // 2
    prompt = _price(model, in_batch=in_batch, input_tokens=prompt_tokens)
    if in_batch and prompt == _price(model, in_batch=False, input_tokens=prompt_tokens):
        msg = f"no batch price is known for model {model!r}; name another model"
        raise ConfigurationError(msg)

    def per_token(**tokens: int) -> Decimal:
        price = _price(model, in_batch=in_batch, input_tokens=prompt_tokens, **tokens)
        return price / prompt_tokens

    with_output = _price(
        model, in_batch=in_batch, input_tokens=prompt_tokens, output_tokens=_MILLION
    )
    return Rates(
        input=prompt / prompt_tokens,
        output=(with_output - prompt) / _MILLION,
        cache_read=per_token(cache_read_tokens=prompt_tokens),
        cache_write=per_token(cache_write_tokens=prompt_tokens),
        cache_write_1h=per_token(
            cache_write_tokens=prompt_tokens, cache_write_1h_tokens=prompt_tokens
        ),
    )


def _price(model: str, *, in_batch: bool, **tokens: int) -> Decimal:
    from genai_prices import (  # noqa: PLC0415 - slow to load, and DAG files need no price
        Usage,
        calc_price,
    )

    context = {"processing": "batch"} if in_batch else None
    try:
        answer = calc_price(Usage(**tokens), model, provider_id="anthropic", price_context=context)
    except LookupError:
        msg = (
            f"no price is known for model {model!r}; upgrade genai-prices, name another model, or "
            "give its prices in NIGHTSHIFT_PRICE_OVERRIDES"
        )
        raise ConfigurationError(msg) from None
    return answer.total_price
