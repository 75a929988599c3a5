import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from include.recent import Recent
from tests.fakes import FakeClock


def test_value_is_read_again_when_it_is_old_or_forgotten(clock: FakeClock) -> None:
    recent: Recent[int] = Recent(5, clock.monotonic)
    values = iter(range(9))

    def look() -> int:
        return recent.get_or_read("key", lambda: next(values))

    assert (look(), look()) == (0, 0)
    clock.advance(5)
    assert look() == 1
    recent.forget("key")
    assert look() == 2


def test_failure_is_not_kept(clock: FakeClock) -> None:
    recent: Recent[int] = Recent(5, clock.monotonic)
    with pytest.raises(ZeroDivisionError):
        recent.get_or_read("key", lambda: 1 // 0)
    assert recent.get_or_read("key", lambda: 1) == 1


def test_many_at_once_cost_one_look(clock: FakeClock) -> None:
    recent: Recent[int] = Recent(5, clock.monotonic)
    looks: list[int] = []
    barrier = threading.Barrier(8)

    def look(_: int) -> int:
        barrier.wait()
        return recent.get_or_read("key", lambda: looks.append(1) or len(looks))  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, range(8))) == {1}
