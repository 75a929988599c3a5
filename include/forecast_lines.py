"""A forecast in words: for logs, approvals and people at a terminal."""

from collections.abc import Iterator
from decimal import Decimal

from include.forecast import Forecast

_SOURCES = {
    "actuals": "answers of earlier nights",
    "sample": "a sample that the API counted",
    "usual": "2.5 characters a token, nothing was counted",
}
_OUTPUT_SOURCES = {
    "actuals": "answers of earlier nights",
    "other_prompt": "answers to an earlier prompt",
    "schema": "the schema, no answer was seen",
}


def log_line(forecast: Forecast | None) -> str:
    """Return a forecast as `key=value` pairs of a log line."""
    if forecast is None:
        return "forecast=none"
    cost = forecast.cost_usd
    return (
        f"forecast_usd={cost.expected:.6f} lower_usd={cost.lower:.6f} upper_usd={cost.upper:.6f} "
        f"tokens_in={forecast.input_tokens.expected} tokens_out={forecast.output_tokens.expected} "
        f"list_usd={forecast.list_usd:.6f} saved_by_reuse_usd={forecast.saved_by_reuse_usd:.6f} "
        f"source={forecast.source} output_source={forecast.output_source} "
        f"counted={forecast.counted_count}"
    )


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    """Yield a forecast as a person reads it."""
    tokens_in, tokens_out = forecast.input_tokens, forecast.output_tokens
    yield f"{forecast.request_count:,} requests to {forecast.model}"
    yield (
        f"tokens in {tokens_in.expected:,} ({tokens_in.lower:,} to {tokens_in.upper:,}), by "
        f"{_SOURCES[forecast.source]}"
        + (f" ({forecast.counted_count:,} requests)" if forecast.counted_count else "")
    )
    yield (
        f"tokens out {tokens_out.expected:,} ({tokens_out.lower:,} to {tokens_out.upper:,}), by "
        f"{_OUTPUT_SOURCES[forecast.output_source]}"
    )
    cost = forecast.cost_usd
    yield f"cost {usd(cost.expected)}, between {usd(cost.lower)} and {usd(cost.upper)}"
    yield (
        f"list price {usd(forecast.list_usd)}; saved by batching "
        f"{usd(forecast.saved_by_batching_usd)}, by caching {usd(forecast.saved_by_caching_usd)}, "
        f"by reuse of {forecast.reused_count:,} answers {usd(forecast.saved_by_reuse_usd)}"
    )


def usd(amount: Decimal) -> str:
    """Return a sum as people read it."""
    return f"${amount:,.4f}" if amount >= 0 else f"-${-amount:,.4f}"
