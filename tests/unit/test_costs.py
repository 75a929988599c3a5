from decimal import Decimal

import pytest
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from include.costs import Cost, billed, cost_of
from include.errors import ConfigurationError
from include.price_overrides import NegotiatedPrices, PriceOverride
from include.prices import PriceList
from include.results import CacheCreation, OutputDetails, Usage

HAIKU = "claude-haiku-5-5"


def usage(read: int = 0, written: int = 0, *, tokens_in: int = 0, out: int = 0) -> Usage:
    return Usage(tokens_in, out, read, written)


@pytest.mark.parametrize(
    ("used", "batch_usd", "list_usd"),
    [
        pytest.param(usage(tokens_in=100_000), "0.005", "0.01", id="input"),
        pytest.param(usage(out=1_000_000), "0.25", "0.50", id="output"),
        pytest.param(usage(tokens_in=1_000, out=100), "0.000075", "0.00015", id="document"),
        pytest.param(usage(tokens_in=100_001), "0.02500025", "0.0500005", id="long prompt"),
        pytest.param(
            usage(tokens_in=150_000, out=1_000), "0.03875", "0.0775", id="long prompt's output"
        ),
        pytest.param(usage(read=100_000), "0.0005", "0.001", id="cache read"),
        pytest.param(usage(written=100_000), "0.00625", "0.0125", id="cache write"),
        pytest.param(
            Usage(0, 0, 0, 100_000, CacheCreation(60_000)),
            "0.0085",
            "0.017",
            id="cache write, three fifths of it for an hour",
        ),
        pytest.param(
            usage(read=100_001), "0.002500025", "0.00500005", id="long prompt by the cache alone"
        ),
        pytest.param(
            Usage(0, 1_000, output_tokens_details=OutputDetails(900)),
            "0.00025",
            "0.0005",
            id="thinking is output",
        ),
        pytest.param(usage(), "0", "0", id="nothing"),
    ],
)
def test_cents_are_those_worked_out_by_hand(used: Usage, batch_usd: str, list_usd: str) -> None:
    assert cost_of(HAIKU, used) == Cost(Decimal(batch_usd), Decimal(list_usd))


@pytest.mark.parametrize("model", [HAIKU, "claude-sonnet-5", "claude-opus-4-8"])
@pytest.mark.parametrize(
    "used",
    [
        usage(tokens_in=1_234, out=567),
        usage(tokens_in=99_999, out=1),
        usage(tokens_in=250_000, out=4_096),
        usage(2_000, 0, tokens_in=100, out=10),
        usage(0, 3_000, tokens_in=100, out=10),
        usage(60_000, 50_000, tokens_in=1_000, out=100),
    ],
    ids=["short", "at the step", "above it", "cache read", "cache write", "above it by the cache"],
)
@pytest.mark.parametrize("in_batch", [True, False], ids=["batch", "list"])
def test_cost_is_that_of_the_price_list(model: str, used: Usage, *, in_batch: bool) -> None:
    read, written = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
    priced = PricedUsage(
        input_tokens=used.input_tokens + read + written,
        output_tokens=used.output_tokens,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
    context = {"processing": "batch"} if in_batch else None
    expected = calc_price(priced, model, provider_id="anthropic", price_context=context)
    cost = cost_of(model, used)
    assert (cost.batch_usd if in_batch else cost.list_usd) == expected.total_price


def test_unknown_model_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no price is known for model 'claude-nobody'"):
        cost_of("claude-nobody", usage(tokens_in=1))


def test_model_without_a_batch_price_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no batch price is known for model 'claude-3"):
        cost_of("claude-3-5-haiku-latest", usage(tokens_in=1))


def test_discount_is_taken_off_every_price() -> None:
    prices = PriceList({HAIKU: PriceOverride(discount=Decimal("0.1"))})
    used = Usage(1_000, 100, 1_000, 1_000)
    plain = cost_of(HAIKU, used)
    assert cost_of(HAIKU, used, prices) == Cost(
        plain.batch_usd * Decimal("0.9"), plain.list_usd * Decimal("0.9")
    )


def test_negotiated_prices_stand_for_any_model_and_length() -> None:
    batch = NegotiatedPrices(input=1, output=2, cache_read=3, cache_write=4, cache_write_1h=5)
    standard = NegotiatedPrices(input=6, output=0, cache_read=0, cache_write=0, cache_write_1h=0)
    prices = PriceList({"claude-own": PriceOverride(standard=standard, batch=batch)})
    used = Usage(1_000_000, 100_000, 100_000, 200_000, CacheCreation(100_000))
    assert cost_of("claude-own", used, prices) == Cost(Decimal("2.4"), Decimal(6))


def test_missing_cache_counts_are_none() -> None:
    assert cost_of(HAIKU, Usage(1_000, 100, None, None)) == cost_of(HAIKU, Usage(1_000, 100))


def test_costs_add_up() -> None:
    assert Cost(Decimal(1), Decimal(2)) + Cost(Decimal(3), Decimal(4)) == Cost(
        Decimal(4), Decimal(6)
    )


@pytest.mark.parametrize(
    ("outcome", "has_content", "is_billed"),
    [
        ("succeeded", True, True),
        ("truncated", True, True),
        ("context_exceeded", True, True),
        ("invalid_output", False, True),
        ("refused", True, True),
        ("refused", False, False),
        ("errored", False, False),
        ("expired", False, False),
        ("canceled", False, False),
        ("missing", False, False),
    ],
)
def test_bad_answers_are_billed_and_absent_ones_are_not(
    outcome: str, *, has_content: bool, is_billed: bool
) -> None:
    assert billed(outcome, has_content=has_content) is is_billed  # type: ignore[arg-type]  # literals


def test_hour_long_cache_writes_cost_twice_the_input() -> None:
    # 300 at 0.05 x 1.25 and 700 at 0.05 x 2 per million
    written = Usage(0, 0, 0, 1_000, CacheCreation(700))
    assert cost_of(HAIKU, written).batch_usd == Decimal("0.00008875")
