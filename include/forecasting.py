"""Forecasting: what is known of a night's tokens before any spend, by the best source there is."""

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.answer_sizes import expected_output_tokens
from include.cache_forecast import CacheForecast
from include.caching import NO_CACHE, CacheChoice
from include.errors import PipelineError
from include.forecast import RequestPricing
from include.past_usage import BatchUsage, rates_of_past
from include.prices import PriceList
from include.segments import Place, RangeReader, read_lines
from include.token_rates import TokenRates, unseen_output
from include.token_sampling import (
    OpenCounter,
    SampledRequest,
    count_sample,
    quotas,
    rates_of_sample,
)
from include.tokens import usual_tokens

if TYPE_CHECKING:
    from include.forecast import ClassLoad
    from include.joins import RequestJoins
    from include.packing import IndexRow
    from include.spec import FrozenSpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Forecasting:
    """Where forecasts get their numbers from."""

    prices: PriceList = field(default_factory=PriceList)
    past: Sequence[BatchUsage] = ()
    """Batches of the same spec and model."""
    open_counter: OpenCounter | None = None
    """Opens what counts tokens, should the past tell too little."""
    spacing_seconds: float = 0
    """Between two counts."""
    caching: CacheChoice = NO_CACHE
    """What the run's requests ask for."""

    def price(
        self, spec: "FrozenSpec", joins: "RequestJoins", store: RangeReader, now: dt.datetime
    ) -> RequestPricing:
        """Return what requests of a spec will cost: by the past, else by a sample of them.

        Raises:
            ConfigurationError: Nobody knows the model's price.
        """
        expected = expected_output_tokens(spec.answer_schema)
        loads = [one for one in joins.loads([]) if one.bought_count]
        rates = rates_of_past(
            self.past, prompt_version=spec.prompt_version, now=now, expected_output=expected
        )
        if rates is None:
            rates = self._sampled(joins, loads, store, expected)
        if rates is None:
            rates = TokenRates(any_output=unseen_output(expected))
        cache = CacheForecast.of(
            self.caching,
            first_slice_count=joins.first_index_count,
            request_count=sum(one.bought_count for one in loads),
        )
        return RequestPricing(spec.model, rates, self.prices, cache)

    def _sampled(
        self,
        joins: "RequestJoins",
        loads: Sequence["ClassLoad"],
        store: RangeReader,
        expected_output: float,
    ) -> TokenRates | None:
        if self.open_counter is None or not loads:
            return None
        requests = _sampled_requests(joins.sample(_quotas(loads)), store)
        with suppress(PipelineError), self.open_counter() as counter:
            return rates_of_sample(
                count_sample(requests, counter, spacing_seconds=self.spacing_seconds),
                {one.token_class: one.bought_count for one in loads},
                expected_output=expected_output,
            )
        logger.warning("no sample: the API cannot be asked")
        return None


def _quotas(loads: Sequence["ClassLoad"]) -> dict[str, int]:
    return quotas(
        {one.token_class: one.bought_usual for one in loads},
        {one.token_class: one.bought_count for one in loads},
    )


def _sampled_requests(rows: Sequence["IndexRow"], store: RangeReader) -> Iterator[SampledRequest]:
    lines = read_lines(store, map(Place.of, rows))
    for row, line in zip(rows, lines, strict=True):
        usual = usual_tokens(row["prompt_characters"], row["picture_tokens"])
        yield SampledRequest(row["token_class"] or "", usual, line)
