import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from include.past_usage import HALF_LIFE_DAYS, BatchUsage, rates_of_past
from include.token_rates import TokenRates
from tests.fakes import START


def usage(number: int = 0, *, count: int = 100, **changes: Any) -> BatchUsage:
    """A batch of requests of 1,000 usual tokens that were 1,200, with answers of 80."""
    factor = changes.pop("factor", 1.2)
    output = changes.pop("output", 80)
    values: dict[str, Any] = {
        "batch_id": f"batch-{number}",
        "prompt_version": "v1",
        "round": 0,
        "created_at": START - dt.timedelta(days=number),
        "token_class": "plain-short",
        "request_count": count,
        "usual_tokens": 1_000 * count,
        "usual_squared": 1e6 * count,
        "token_product": 1e6 * factor * count,
        "prompt_tokens": round(1_000 * factor * count),
        "prompt_squared": 1e6 * factor**2 * count,
        "output_tokens": output * count,
        "output_squared": output**2 * count,
        "cost_usd": Decimal(1),
    }
    return BatchUsage(**(values | changes))


def rates(past: Iterable[BatchUsage], prompt_version: str = "v1") -> TokenRates:
    found = rates_of_past(list(past), prompt_version=prompt_version, now=START, expected_output=500)
    assert found is not None
    return found


def test_past_tells_tokens_of_prompts_and_answers() -> None:
    found = rates([usage(), usage(1)])
    assert found.input_of("plain-short").factor == pytest.approx(1.2)
    assert found.output_of("plain-short").mean == pytest.approx(80)
    assert (found.source, found.output_source, found.counted_count) == ("actuals", "actuals", 200)


def test_too_few_requests_tell_nothing() -> None:
    past = [usage(count=49), usage(1, round=1)]
    assert rates_of_past(past, prompt_version="v1", now=START, expected_output=500) is None


def test_recent_batches_weigh_more() -> None:
    found = rates([usage(0, factor=1.3), usage(HALF_LIFE_DAYS, factor=1.0)])
    assert found.input_of("plain-short").factor == pytest.approx(1.2)


def test_batch_far_from_the_others_is_left_out() -> None:
    found = rates([*(usage(n) for n in range(6)), usage(6, factor=9)])
    assert found.input_of("plain-short").factor == pytest.approx(1.2)


def test_class_that_was_seldom_is_no_outlier() -> None:
    past = [*(usage(n) for n in range(6)), usage(6, factor=3, token_class="wide-short")]
    assert rates(past).input_of("wide-short").factor == pytest.approx(3)


def test_class_that_was_never_seen_is_foretold_with_doubt() -> None:
    found = rates([usage()]).input_of("wide-huge")
    assert found.factor == pytest.approx(1.2)
    assert found.error >= 0.25


def test_answers_to_an_older_prompt_are_a_guess() -> None:
    past = [usage(output=80), usage(1, output=300, prompt_version="v0")]
    assert rates(past).output_of("plain-short").mean == pytest.approx(80)
    older = rates(past, prompt_version="v2")
    assert older.output_source == "other_prompt"
    assert older.output_error >= 0.25


def test_nights_that_differ_widen_the_interval() -> None:
    alike = rates(usage(n) for n in range(4))
    differing = rates(usage(n, factor=1.2 + 0.1 * (-1) ** n) for n in range(4))
    assert alike.input_error < 0.02
    assert differing.input_error > 0.08


def test_retries_are_learnt() -> None:
    found = rates(
        [
            usage(cost_usd=Decimal(2)),
            usage(1, round=1, count=3, cost_usd=Decimal("0.1")),
        ]
    )
    assert found.retry_share == pytest.approx(0.05, rel=0.1)
