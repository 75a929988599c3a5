"""A sample of a night's requests, which the API counts for nothing: how long prompts will be."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import msgspec

from include.errors import PipelineError
from include.token_rates import UNSEEN_ERROR, InputRate, TokenRates, TokenSums, unseen_output

logger = logging.getLogger(__name__)

SAMPLE_COUNT = 300
"""Most requests that are counted for one plan."""
LEAST_OF_CLASS = 12
"""Counted of every class, however little of the night it is."""

_THREADS = 4
_COUNTED_PARAMS = ("model", "system", "messages", "thinking", "tools", "output_config")
_COUNT_ERROR = 0.01
"""What a count may be off: the API calls it an estimate."""


class TokenCounter(Protocol):
    """Something that knows how many tokens a request is."""

    def count(self, params: dict[str, Any]) -> int | None:
        """Return the tokens of a request; None when the API refuses this very request.

        Raises:
            PipelineError: The API does not answer, or refuses the account.
        """


OpenCounter = Callable[[], AbstractContextManager[TokenCounter]]


@dataclass(frozen=True, slots=True)
class SampledRequest:
    """One request of the sample."""

    token_class: str
    usual_tokens: float
    line: bytes
    """As it will be sent."""


def quotas(weights: Mapping[str, float], counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many requests of each class are counted: more where more tokens are.

    Args:
        weights: Tokens of each class, about.
        counts: Requests of each class.
    """
    total = sum(weights.values()) or 1
    shares = {
        name: max(LEAST_OF_CLASS, round(SAMPLE_COUNT * weight / total))
        for name, weight in weights.items()
    }
    surplus = sum(shares.values()) - SAMPLE_COUNT
    largest = max(shares, key=lambda name: shares[name], default="")
    if surplus > 0:
        shares[largest] = max(LEAST_OF_CLASS, shares[largest] - surplus)
    return {name: min(count, counts[name]) for name, count in shares.items()}


def count_sample(
    requests: Iterable[SampledRequest], counter: TokenCounter, *, spacing_seconds: float = 0
) -> dict[str, TokenSums]:
    """Count a sample, and return its sums by class; stops where the API stops answering.

    Args:
        requests: The sample.
        counter: What counts.
        spacing_seconds: Least time between two counts, on the average.
    """
    sums: defaultdict[str, TokenSums] = defaultdict(TokenSums)

    def count(request: SampledRequest) -> tuple[SampledRequest, int | None]:
        params = msgspec.json.decode(request.line)["params"]
        wanted = {name: params[name] for name in _COUNTED_PARAMS if name in params}
        return request, counter.count(wanted)

    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for group in _spaced(_grouped(requests), spacing_seconds):
                for request, tokens in pool.map(count, group):
                    if tokens is not None:
                        sums[request.token_class] += TokenSums.of(request.usual_tokens, tokens)
        except PipelineError as error:
            logger.warning("sample cut short counted=%d reason=%s", _count(sums), error)
    return sums


def rates_of_sample(
    sums: Mapping[str, TokenSums], counts: Mapping[str, int], *, expected_output: float
) -> TokenRates | None:
    """Return what a sample tells; None when nothing was counted.

    Args:
        sums: Of the sample, by class.
        counts: Requests of each class in the whole night.
        expected_output: Tokens of an answer by the schema.
    """
    counted = {name: one for name, one in sums.items() if one.count}
    if not counted:
        return None
    pooled = sum(counted.values(), TokenSums()).rate()
    return TokenRates(
        source="sample",
        counted_count=_count(counted),
        inputs={name: _rate(one, counts.get(name, 0)) for name, one in counted.items()},
        any_input=InputRate(pooled.factor, UNSEEN_ERROR, UNSEEN_ERROR),
        input_error=_COUNT_ERROR,
        any_output=unseen_output(expected_output),
    )


def _rate(sums: TokenSums, count: int) -> InputRate:
    """Return the rate of a class: what was counted all is known, what was counted once is not."""
    rate = sums.rate()
    left = max(1 - sums.count / count, 0) if count else 1
    error = rate.error if sums.count > 1 else UNSEEN_ERROR
    return InputRate(rate.factor, error * left**0.5, rate.spread)


def _count(sums: Mapping[str, TokenSums]) -> int:
    return int(sum(one.count for one in sums.values()))


def _grouped(requests: Iterable[SampledRequest]) -> Iterator[list[SampledRequest]]:
    """Yield a few requests at a time: no more of them are held, or counted in vain."""
    iterator = iter(requests)
    while group := list(islice(iterator, _THREADS * 2)):
        yield group


def _spaced(
    groups: Iterable[list[SampledRequest]], spacing_seconds: float
) -> Iterator[list[SampledRequest]]:
    """Yield groups no faster than the API likes to count."""
    next_at = 0.0
    for group in groups:
        time.sleep(max(next_at - time.monotonic(), 0))
        next_at = time.monotonic() + spacing_seconds * len(group)
        yield group
