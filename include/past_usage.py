"""Past usage: what earlier batches of a spec and model tell of the next ones."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

from include.token_rates import (
    UNSEEN_ERROR,
    InputRate,
    OutputRate,
    OutputSource,
    TokenRates,
    TokenSums,
    unseen_output,
)

LEAST_COUNT = 50
"""Requests below which a forecast does not rest on the past."""
HALF_LIFE_DAYS = 14
"""After so many days a batch counts half."""

_LEAST_OF_CLASS = 10
_OTHER_PROMPT_ERROR = 0.25
"""Answers to another prompt or schema tell roughly how long the next ones are."""
_LEAST_ERROR = 0.01
_FIRST_NIGHT_ERROR = 0.05
"""How much two nights differ, before there were two."""
_OUTLIER_DEVIATIONS = 5
_LEAST_FOR_OUTLIERS = 5
_LEAST_DEVIATION = 0.03
"""Of batches around their median: what is nearer than that is no outlier."""
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUsage:
    """What the requests of one class in one batch were, in sums."""

    batch_id: str
    prompt_version: str
    round: int
    created_at: dt.datetime | None
    token_class: str
    request_count: int
    usual_tokens: float
    usual_squared: float
    token_product: float
    prompt_tokens: int
    prompt_squared: float
    output_tokens: int
    output_squared: float
    cost_usd: Decimal

    @property
    def sums(self) -> TokenSums:
        """The sums that say how many tokens prompts have."""
        return TokenSums(
            self.request_count,
            self.usual_tokens,
            self.prompt_tokens,
            self.usual_squared,
            self.token_product,
            self.prompt_squared,
        )


@dataclass(frozen=True, slots=True)
class _Weighted:
    """One class of one batch, and how much it counts."""

    usage: BatchUsage
    weight: float


def rates_of_past(
    past: Iterable[BatchUsage], *, prompt_version: str, now: dt.datetime, expected_output: float
) -> TokenRates | None:
    """Return what the past tells; None when too little was seen.

    Recent batches weigh more, and batches far from the others are left out.

    Args:
        past: Batches of one spec and model.
        prompt_version: What is asked now.
        now: The moment of planning.
        expected_output: Tokens of an answer by the schema, should no answer have been seen.
    """
    all_rounds = [_Weighted(one, _weight(one, now)) for one in past if one.request_count]
    first = _without_outliers([one for one in all_rounds if one.usage.round == 0])
    if sum(one.usage.request_count for one in first) < LEAST_COUNT:
        return None
    same = [one for one in first if one.usage.prompt_version == prompt_version]
    is_same = sum(one.usage.request_count for one in same) >= LEAST_COUNT
    answered = same if is_same else first
    output_source: OutputSource = "actuals" if is_same else "other_prompt"
    rates = TokenRates(
        source="actuals",
        counted_count=sum(one.usage.request_count for one in first),
        any_output=unseen_output(expected_output),
        retry_share=_retry_share(all_rounds),
    )
    return _with_outputs(_with_inputs(rates, first), answered, output_source)


def _with_inputs(rates: TokenRates, seen: Sequence[_Weighted]) -> TokenRates:
    sums: defaultdict[str, TokenSums] = defaultdict(TokenSums)
    for one in seen:
        sums[one.usage.token_class] += one.usage.sums * one.weight
    counts = _counts(seen)
    pooled = sum(sums.values(), TokenSums()).rate()
    inputs = {name: one.rate() for name, one in sums.items() if counts[name] >= _LEAST_OF_CLASS}
    rates = replace(
        rates, inputs=inputs, any_input=InputRate(pooled.factor, UNSEEN_ERROR, UNSEEN_ERROR)
    )
    error = _error_between(
        seen,
        lambda one: one.prompt_tokens,
        lambda one: one.usual_tokens * rates.input_of(one.token_class).factor,
    )
    return replace(rates, input_error=error)


def _with_outputs(rates: TokenRates, seen: Sequence[_Weighted], source: OutputSource) -> TokenRates:
    outputs = {
        name: _output_rate([one for one in seen if one.usage.token_class == name])
        for name, count in _counts(seen).items()
        if count >= _LEAST_OF_CLASS
    }
    pooled = _output_rate(seen)
    rates = replace(
        rates,
        output_source=source,
        outputs=outputs,
        any_output=replace(pooled, error=UNSEEN_ERROR),
    )
    error = _error_between(
        seen,
        lambda one: one.output_tokens,
        lambda one: one.request_count * rates.output_of(one.token_class).mean,
    )
    if source == "other_prompt":
        error = max(error, _OTHER_PROMPT_ERROR)
    return replace(rates, output_error=error)


def _counts(seen: Sequence[_Weighted]) -> dict[str, int]:
    counts: defaultdict[str, int] = defaultdict(int)
    for one in seen:
        counts[one.usage.token_class] += one.usage.request_count
    return counts


def _output_rate(seen: Sequence[_Weighted]) -> OutputRate:
    count = _total(seen, lambda one: one.request_count)
    mean = _total(seen, lambda one: one.output_tokens) / count
    variance = _total(seen, lambda one: one.output_squared) / count - mean**2
    spread = math.sqrt(max(variance, 0)) / max(mean, 1)
    return OutputRate(mean, spread / math.sqrt(count), spread)


def _total(seen: Iterable[_Weighted], value: Callable[[BatchUsage], float]) -> float:
    return sum(one.weight * value(one.usage) for one in seen)


def _weight(one: BatchUsage, now: dt.datetime) -> float:
    age = now - (one.created_at or now)
    return float(0.5 ** (max(age / dt.timedelta(days=1), 0) / HALF_LIFE_DAYS))


def _without_outliers(seen: Sequence[_Weighted]) -> list[_Weighted]:
    """Leave out what of a batch is far from the same class of requests in the other batches."""
    kept: list[_Weighted] = []
    for name in dict.fromkeys(one.usage.token_class for one in seen):
        alike = [one for one in seen if one.usage.token_class == name]
        odd = _odd_batches(alike, lambda one: one.prompt_tokens, lambda one: one.usual_tokens)
        odd |= _odd_batches(alike, lambda one: one.output_tokens, lambda one: one.request_count)
        kept += [one for one in alike if one.usage.batch_id not in odd]
    return kept


def _odd_batches(
    seen: Sequence[_Weighted],
    value: Callable[[BatchUsage], float],
    expected: Callable[[BatchUsage], float],
) -> set[str]:
    ratios = _ratios(seen, value, expected)
    if len(ratios) < _LEAST_FOR_OUTLIERS:
        return set()
    middle = median(ratios.values())
    deviation = _MAD_TO_DEVIATION * median(abs(one - middle) for one in ratios.values())
    limit = _OUTLIER_DEVIATIONS * max(deviation, _LEAST_DEVIATION * middle)
    return {batch_id for batch_id, one in ratios.items() if abs(one - middle) > limit}


def _ratios(
    seen: Sequence[_Weighted],
    value: Callable[[BatchUsage], float],
    expected: Callable[[BatchUsage], float],
) -> dict[str, float]:
    """Return, for each batch, how its sum stands to what was expected."""
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0])
    for one in seen:
        sums[one.usage.batch_id][0] += value(one.usage)
        sums[one.usage.batch_id][1] += expected(one.usage)
    return {batch_id: total / awaited for batch_id, (total, awaited) in sums.items() if awaited}


def _error_between(
    seen: Sequence[_Weighted],
    value: Callable[[BatchUsage], float],
    expected: Callable[[BatchUsage], float],
) -> float:
    """Return by how much a night differs from what all nights together would say."""
    ratios = list(_ratios(seen, value, expected).values())
    if len(ratios) == 1:
        return _FIRST_NIGHT_ERROR
    variance = sum((one - 1) ** 2 for one in ratios) / (len(ratios) - 1)
    return max(math.sqrt(variance), _LEAST_ERROR)


def _retry_share(seen: Sequence[_Weighted]) -> float:
    first = _total((one for one in seen if one.usage.round == 0), _cost)
    again = _total((one for one in seen if one.usage.round > 0), _cost)
    return again / first if first else 0


def _cost(one: BatchUsage) -> float:
    return float(one.cost_usd)
