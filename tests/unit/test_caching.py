from decimal import Decimal
from typing import Any

import pytest

from include.caching import (
    CacheChoice,
    CacheUse,
    break_even_rate,
    choose_caching,
    prefix_tokens,
    saved_usd,
)
from tests.factories import make_frozen_spec

HAIKU = "claude-haiku-5-5"
SONNET = "claude-sonnet-5-5"
LONG = make_frozen_spec().model_copy(
    update={"request_params": {"system": "word " * 300, "output_config": {}}}
)
ENOUGH = 1_000


def measured(hit_rate: float, count: int = ENOUGH) -> CacheUse:
    return CacheUse(count, round(1_000_000 * hit_rate), round(1_000_000 * (1 - hit_rate)))


@pytest.mark.parametrize(
    ("model", "ttl", "rate"),
    [
        # (1.25 - 1) / (1.25 - 0.1), (2 - 1) / (2 - 0.1): what is read costs a tenth
        pytest.param(HAIKU, "5m", "0.2174", id="five minutes"),
        pytest.param(HAIKU, "1h", "0.5263", id="an hour"),
        # With a twentieth in the place of the tenth
        pytest.param(SONNET, "5m", "0.2083", id="what is read costs a twentieth"),
    ],
)
def test_break_even_is_the_one_worked_out_by_hand(model: str, ttl: Any, rate: str) -> None:
    assert round(break_even_rate(model, ttl), 4) == Decimal(rate)


@pytest.mark.parametrize(
    ("use", "ttl", "usd"),
    [
        # Per million tokens in a batch: 0.05 in full, 0.005 read, 0.0625 or 0.10 written.
        pytest.param(CacheUse(9, 1_000_000, 0), "5m", "0.045", id="all read"),
        pytest.param(CacheUse(9, 0, 1_000_000), "5m", "-0.0125", id="all written"),
        pytest.param(CacheUse(9, 0, 1_000_000), "1h", "-0.05", id="all written for an hour"),
        pytest.param(CacheUse(9, 250_000, 900_000), "5m", "0", id="at break-even"),
    ],
)
def test_savings_are_those_worked_out_by_hand(use: CacheUse, ttl: Any, usd: str) -> None:
    assert saved_usd(HAIKU, use, ttl) == Decimal(usd)


@pytest.mark.parametrize(
    ("caching", "use", "ttl", "is_trial"),
    [
        ("off", measured(0.9), None, False),
        ("1h", measured(0), "1h", False),
        ("auto", CacheUse(), "5m", True),
        ("auto", measured(0.9, 199), "5m", True),
        ("auto", measured(0.22), "5m", False),
        ("auto", measured(0.21), None, False),
    ],
    ids=["off", "an hour", "first night", "too few", "above break-even", "below it"],
)
def test_spec_decides_or_what_was_measured(
    caching: Any, use: CacheUse, ttl: str | None, *, is_trial: bool
) -> None:
    choice = choose_caching(LONG.model_copy(update={"caching": caching}), use)
    assert (choice.ttl, choice.is_trial) == (ttl, is_trial)


def test_choice_tells_forecasts_what_was_measured() -> None:
    choice = choose_caching(LONG, measured(0.9))
    assert (choice.prefix_tokens, choice.hit_rate) == (1_000_000 // ENOUGH, Decimal("0.9"))
    trial = choose_caching(LONG, CacheUse())
    assert (trial.prefix_tokens, trial.hit_rate) == (prefix_tokens(LONG), None)


def test_prefix_that_is_too_short_is_left_alone() -> None:
    short = {"system": "Sort it.", "output_config": {}}
    spec = LONG.model_copy(update={"request_params": short})
    choice = choose_caching(spec, measured(0.9))
    assert choice.ttl is None
    assert "512 can be cached" in choice.reason
    other = LONG.model_copy(update={"model": SONNET})
    assert 512 < prefix_tokens(LONG) < 4_096
    assert choose_caching(other, measured(0.9)).ttl is None


def test_trial_is_the_first_slice_alone() -> None:
    trial = CacheChoice(ttl="5m", is_trial=True, reason="trial")
    whole = CacheChoice(ttl="5m", reason="it pays")
    assert [trial.ttl_of_slice(number) for number in range(3)] == ["5m", None, None]
    assert [whole.ttl_of_slice(number) for number in range(3)] == ["5m"] * 3
