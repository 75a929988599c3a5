"""What a night is foretold to cost, against sums worked out by hand."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from include.cache_forecast import CacheForecast
from include.forecast import ClassLoad, Forecast, RequestPricing
from include.prices import PriceList
from include.token_rates import InputRate, OutputRate, TokenRates

HAIKU = "claude-haiku-5-5"


def pricing(cache: CacheForecast | None = None, **changes: object) -> RequestPricing:
    values = {"any_input": InputRate(1, 0, 0), "any_output": OutputRate(100, 0, 0)}
    return RequestPricing(HAIKU, TokenRates(**(values | changes)), PriceList(), cache)  # type: ignore[arg-type]  # as the caller says


def night(usuals: Sequence[float], reused: Sequence[float] = (), **changes: Any) -> Forecast:
    """Foretell a night of requests with so many usual tokens each."""

    def load(limits: Mapping[str, float]) -> list[ClassLoad]:
        bought = [one for one in usuals if one > limits[""]]
        known = [one for one in reused if one > limits[""]]
        return [ClassLoad("x", len(bought), sum(bought), len(known), sum(known))]

    return pricing(**changes).forecast(load({"": -1}), load)


def usd(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("1e-9"))


def test_each_request_is_priced_on_its_own_side_of_the_step() -> None:
    """On the average both would lie below it, at a third of the price."""
    made = night([90_000, 101_000], any_output=OutputRate(0, 0, 0))
    assert made.cost_usd.expected == usd("0.0045") + usd("0.02525")
    row = {"picture_tokens": None, "token_class": "x"}
    rows = [row | {"prompt_characters": n * 2.5} for n in (90_000, 101_000)]
    assert pricing(any_output=OutputRate(0, 0, 0)).cost_of(rows).batch_usd == made.cost_usd.expected


def test_answers_to_long_prompts_cost_their_own_price() -> None:
    assert night([101_000]).cost_usd.expected == usd("0.02525") + usd("0.000125")


def test_interval_reaches_over_the_step_where_a_request_might() -> None:
    made = night([98_000], any_input=InputRate(1, 0, 0.05), any_output=OutputRate(0, 0, 0))
    assert (made.cost_usd.expected, made.cost_usd.lower) == (usd("0.0049"), usd("0.0049"))
    assert made.cost_usd.upper == usd("0.0245") * Decimal("1.05")


def test_list_price_less_what_was_saved_is_the_bill() -> None:
    half = CacheForecast("5m", prefix_tokens=500, hit_rate=1.0)
    made = night([1_000] * 10, reused=[1_000] * 4, cache=half, retry_share=0.0)
    assert made.list_usd == usd("0.0015")
    assert made.saved_by_batching_usd == usd("0.00075")
    assert made.saved_by_caching_usd == usd("0.000225")
    assert (made.reused_count, made.saved_by_reuse_usd) == (4, usd("0.00021"))
    saved = made.saved_by_batching_usd + made.saved_by_caching_usd
    assert made.list_usd - saved == made.cost_usd.expected


def test_errors_of_prompts_and_answers_widen_the_interval() -> None:
    made = night(
        [1_000] * 100,
        any_input=InputRate(1, 0.05, 0),
        any_output=OutputRate(200, 0.10, 0),
        retry_share=0.0,
    )
    assert made.input_tokens.upper == 110_000
    assert made.output_tokens.lower == 16_000
    # 0.005 for prompts, off by a tenth; 0.005 for answers, off by a fifth: together 0.00112.
    assert float(made.cost_usd.lower) == pytest.approx(0.01 - 0.001118, abs=1e-6)
    assert float(made.cost_usd.upper) == pytest.approx(0.011118 * 1.01, abs=1e-6)


def test_one_guess_for_all_classes_does_not_even_out() -> None:
    loads = [ClassLoad(name, 10, 10_000) for name in ("a", "b", "c", "d")]
    made = pricing(any_input=InputRate(1, 0.25, 0)).forecast(loads, lambda _: [])
    assert made.input_tokens.upper == 60_000
    seen = pricing(inputs={one.token_class: InputRate(1, 0.25, 0) for one in loads})
    assert seen.forecast(loads, lambda _: []).input_tokens.upper == 50_000


def test_many_answers_are_surer_than_one() -> None:
    spread = OutputRate(100, 0, 0.5)
    one, many = night([1_000], any_output=spread), night([1_000] * 100, any_output=spread)
    assert (one.output_tokens.upper, many.output_tokens.upper) == (200, 11_000)


def test_retries_that_were_seen_are_in_the_forecast() -> None:
    plain, made = night([1_000] * 10), night([1_000] * 10, retry_share=0.1)
    assert made.cost_usd.expected == plain.cost_usd.expected * Decimal("1.1")
    assert made.cost_usd.lower == plain.cost_usd.expected


def test_forecasts_of_two_plans_add_up() -> None:
    whole, part = night([1_000] * 10), night([1_000] * 4)
    assert whole.scaled(Decimal("0.6")) + part == whole


def test_night_without_requests_costs_nothing() -> None:
    made = night([])
    assert (made.cost_usd.expected, made.cost_usd.upper, made.request_count) == (0, 0, 0)


def test_hit_rate_that_was_measured_is_foretold() -> None:
    """Of each thousand tokens, 800 at 80 % hits: 640 read for a tenth, 160 written for 1.25."""
    cache = CacheForecast("5m", prefix_tokens=800, hit_rate=0.8)
    made = night([1_000] * 10, cache=cache, retry_share=0.0, any_output=OutputRate(0, 0, 0))
    assert made.cost_usd.expected == usd("0.000232")  # 0.0005 - 0.000288 + 0.00002
    assert made.saved_by_caching_usd == usd("0.000268")
    # 98 % hits would save 0.0003508, 30 % would save 0.000038.
    assert made.cost_usd.lower == usd("0.0001492")
    assert made.cost_usd.upper == usd("0.000462") * Decimal("1.01")
    row = {"picture_tokens": None, "token_class": "x", "prompt_characters": 2_500}
    priced = pricing(cache, any_output=OutputRate(0, 0, 0)).cost_of([row] * 10)
    assert priced.batch_usd == made.cost_usd.expected


@pytest.mark.parametrize("share", [1.0, 0.25], ids=["all of the night", "its first slice"])
def test_cache_that_is_tried_is_foretold_by_what_is_documented(share: float) -> None:
    """Of 800 tokens 64 % hits save 0.00001944; all read 0.000036; all written cost 0.00001."""
    trial = CacheForecast("5m", prefix_tokens=800, hit_rate=None, share=share)
    made = night([2_500] * 40, cache=trial, retry_share=0.0, any_output=OutputRate(0, 0, 0))
    count, plain = int(40 * share), usd("0.005")
    assert made.cost_usd.expected == plain - count * usd("0.00001944")
    assert made.cost_usd.lower == plain - count * usd("0.000036")
    assert made.cost_usd.upper == (plain + count * usd("0.00001")) * Decimal("1.01")
