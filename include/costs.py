"""Costs: what tokens cost, before and after. Prices come from `genai-prices`, never from here."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from include.errors import ConfigurationError
from include.results import Outcome, Usage
from include.tokens import CHARACTERS_PER_TOKEN, PRICE_STEP_TOKENS

EXPECTED_OUTPUT_TOKENS = 160
"""Tokens of an answer before any was seen: a handful of short fields."""

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    """For five minutes."""
    cache_write_1h: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """What one or many requests cost in a batch, and would cost outside of one."""

    batch_usd: Decimal = Decimal(0)
    list_usd: Decimal = Decimal(0)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.batch_usd + other.batch_usd, self.list_usd + other.list_usd)


@cache
def read_rates(model: str, *, in_batch: bool, is_long_prompt: bool) -> Rates:
    """Return what a model's tokens cost.

    Raises:
        ConfigurationError: The price list does not know the model.
    """
    prompt_tokens = _MILLION if is_long_prompt else PRICE_STEP_TOKENS // 2

    def price(**tokens: int) -> Decimal:
        usage = PricedUsage(**tokens)
        context = {"processing": "batch"} if in_batch else None
        try:
            answer = calc_price(usage, model, provider_id="anthropic", price_context=context)
        except LookupError:
            msg = f"no price is known for model {model!r}; update genai-prices or name another"
            raise ConfigurationError(msg) from None
        return answer.total_price

    prompt = price(input_tokens=prompt_tokens)
    read = price(input_tokens=prompt_tokens, cache_read_tokens=prompt_tokens)
    written = price(input_tokens=prompt_tokens, cache_write_tokens=prompt_tokens)
    written_1h = price(
        input_tokens=prompt_tokens,
        cache_write_tokens=prompt_tokens,
        cache_write_1h_tokens=prompt_tokens,
    )
    with_output = price(input_tokens=prompt_tokens, output_tokens=_MILLION)
    return Rates(
        input=prompt / prompt_tokens,
        output=(with_output - prompt) / _MILLION,
        cache_read=read / prompt_tokens,
        cache_write=written / prompt_tokens,
        cache_write_1h=written_1h / prompt_tokens,
    )


def cost_of(model: str, usage: Usage) -> Cost:
    """Return what one answered request costs, from the tokens that the API counted."""
    read = usage.cache_read_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    is_long = usage.input_tokens + read + written > PRICE_STEP_TOKENS

    def total(*, in_batch: bool) -> Decimal:
        rates = read_rates(model, in_batch=in_batch, is_long_prompt=is_long)
        return (
            rates.input * usage.input_tokens
            + rates.output * usage.output_tokens
            + rates.cache_read * read
            + rates.cache_write * (written - usage.cache_write_1h_tokens)
            + rates.cache_write_1h * usage.cache_write_1h_tokens
        )

    return Cost(total(in_batch=True), total(in_batch=False))


def billed(outcome: Outcome, *, has_content: bool) -> bool:
    """Return whether a result is paid: bad answers are, a refusal before any output is not."""
    if outcome in {"errored", "expired", "canceled", "missing"}:
        return False
    return outcome != "refused" or has_content


def estimate(model: str, *, request_count: int, characters: int, picture_tokens: int = 0) -> Cost:
    """Return what requests will cost, from the characters of their prompts.

    Args:
        model: The model's id.
        request_count: How many requests.
        characters: Of prompts, schemas and documents, over all requests.
        picture_tokens: Of documents that are sent as they are, over all requests.
    """
    tokens = characters / CHARACTERS_PER_TOKEN + picture_tokens
    usage = Usage(
        input_tokens=int(tokens / max(request_count, 1)),
        output_tokens=EXPECTED_OUTPUT_TOKENS,
    )
    one = cost_of(model, usage)
    return Cost(one.batch_usd * request_count, one.list_usd * request_count)
