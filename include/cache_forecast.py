"""What a cache will do to the cost of a night, and how far that may be off."""

from dataclasses import dataclass
from decimal import Decimal

from include.caching import CacheChoice, CacheTtl, saved_at
from include.prices import Rates

_DOCUMENTED_HITS = (0.30, 0.98)
"""What hit rates of batches lie between. Source: the API's page on batches, October 2026."""


@dataclass(frozen=True, slots=True)
class CacheForecast:
    """The cache that requests of a plan ask for."""

    ttl: CacheTtl
    prefix_tokens: int
    """Of each request that asks for it: what the API may keep."""
    hit_rate: float | None
    """Of past nights; None where it was never measured."""
    share: float = 1
    """Of the requests: those that ask for it."""

    @classmethod
    def of(
        cls, choice: CacheChoice, *, first_slice_count: int, request_count: int
    ) -> "CacheForecast | None":
        """Return what a run's choice will do; None without a cache.

        Args:
            choice: What the run chose.
            first_slice_count: Requests of its first slice, which alone makes a trial.
            request_count: Requests that are bought.
        """
        if choice.ttl is None:
            return None
        hit_rate = None if choice.hit_rate is None else float(choice.hit_rate)
        share = min(first_slice_count / max(request_count, 1), 1) if choice.is_trial else 1
        return cls(choice.ttl, choice.prefix_tokens, hit_rate, share)

    def saved_by_request(self, rates: Rates) -> float:
        """Return what a request will cost less, in USD; below 0 is what it will cost more."""
        middle = sum(_DOCUMENTED_HITS) / 2
        return self._saved(middle if self.hit_rate is None else self.hit_rate, rates)

    def reach(self, rates: Rates, request_count: int) -> tuple[float, float]:
        """Return how much less, and how much more, requests may cost than foretold, in USD."""
        expected = self.saved_by_request(rates)
        if self.hit_rate is None:
            fewest, most = 0.0, 1.0
        else:
            fewest = min(self.hit_rate, _DOCUMENTED_HITS[0])
            most = max(self.hit_rate, _DOCUMENTED_HITS[1])
        less = self._saved(most, rates) - expected
        more = expected - self._saved(fewest, rates)
        return request_count * less, request_count * more

    def _saved(self, hit_rate: float, rates: Rates) -> float:
        tokens = self.share * self.prefix_tokens
        read, written = Decimal(tokens * hit_rate), Decimal(tokens * (1 - hit_rate))
        return float(saved_at(rates, self.ttl, read, written))
