"""Apply a function to many things at once, with the results in the order of the things."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_in_order(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, threads: int, ahead: int
) -> Generator[_Result]:
    """Yield `function(item)` per item, in order, with at most `ahead` items taken in advance."""
    source = iter(items)
    futures: deque[Future[_Result]] = deque()
    executor = ThreadPoolExecutor(threads)
    try:
        futures.extend(executor.submit(function, item) for item in islice(source, ahead))
        while futures:
            result = futures.popleft().result()
            futures.extend(executor.submit(function, item) for item in islice(source, 1))
            yield result
    finally:
        executor.shutdown(cancel_futures=True)
