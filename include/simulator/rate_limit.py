"""Calls per minute and workspace."""

import math
import threading
from collections import defaultdict, deque

from include.simulator.errors import refuse

_WINDOW_SECONDS = 60


class RateLimit:
    """A sliding minute; it forgets with the process, as a minute is soon over."""

    def __init__(self, calls_per_minute: int) -> None:
        self._limit = calls_per_minute
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def check(self, workspace: str, now: float) -> None:
        """Count one call.

        Raises:
            ApiError: The minute already has as many as the limit allows.
        """
        with self._lock:
            calls = self._calls[workspace]
            while calls and calls[0] <= now - _WINDOW_SECONDS:
                calls.popleft()
            if len(calls) >= self._limit:
                wait_seconds = math.ceil(calls[0] + _WINDOW_SECONDS - now)
                refuse(
                    429,
                    f"This request would exceed the rate limit of {self._limit} requests a minute",
                    headers={"retry-after": str(wait_seconds)},
                )
            calls.append(now)

    def reset(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
