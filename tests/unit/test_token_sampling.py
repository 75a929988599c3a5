from typing import Any

import pytest

from include.errors import TransientError
from include.token_sampling import (
    LEAST_OF_CLASS,
    SAMPLE_COUNT,
    SampledRequest,
    count_sample,
    quotas,
    rates_of_sample,
)

LINE = b'{"custom_id":"a","params":{"max_tokens":9,"model":"m","messages":[%d]}}'


class Counter:
    """Counts a thousand tokens for each number in a message; refuses 0, and fails after some."""

    def __init__(self, answers: int = 1_000) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = answers

    def count(self, params: dict[str, Any]) -> int | None:
        self.asked.append(params)
        if len(self.asked) > self._answers:
            message = "the API does not answer"
            raise TransientError(message)
        return params["messages"][0] * 1_000 or None


def requests(*numbers: int) -> list[SampledRequest]:
    return [SampledRequest("x", 500.0 * number, LINE % number) for number in numbers]


def test_sample_tells_the_factor_and_how_sure_it_is() -> None:
    sums = count_sample(requests(1, 2, 3), Counter())
    found = rates_of_sample(sums, {"x": 3_000}, expected_output=100)
    assert found is not None
    assert (found.source, found.counted_count) == ("sample", 3)
    assert found.input_of("x").factor == pytest.approx(2)
    assert found.input_of("x").error == pytest.approx(0)
    assert found.input_of("y").error == 0.25


def test_only_what_the_api_counts_is_sent() -> None:
    counter = Counter()
    count_sample(requests(1), counter)
    assert counter.asked == [{"model": "m", "messages": [1]}]


def test_request_that_the_api_refuses_is_passed_over() -> None:
    assert count_sample(requests(0, 1), Counter())["x"].count == 1


def test_what_was_counted_before_the_api_fell_silent_counts() -> None:
    sums = count_sample(requests(*[1] * 12), Counter(answers=8))
    assert sums["x"].count == 8


def test_silent_api_tells_nothing() -> None:
    sums = count_sample(requests(1), Counter(answers=0))
    assert rates_of_sample(sums, {"x": 1}, expected_output=100) is None


def test_larger_share_of_the_tokens_is_counted_more_often() -> None:
    shares = quotas({"a": 9e6, "b": 1e5, "c": 1e3}, {"a": 90_000, "b": 900, "c": 5})
    assert shares["a"] > 200 > shares["b"] >= LEAST_OF_CLASS
    assert shares["c"] == 5
    assert sum(shares.values()) <= SAMPLE_COUNT
