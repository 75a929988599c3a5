import threading
from collections.abc import Iterator

import pytest

from include.documents.parallel import map_in_order


def test_results_come_in_the_order_of_the_items() -> None:
    last_began = threading.Event()

    def first_waits_for_last(number: int) -> int:
        if number == 3:
            last_began.set()
        assert number or last_began.wait(timeout=10)
        return number

    results = map_in_order(first_waits_for_last, range(4), threads=4, ahead=4)
    assert list(results) == [0, 1, 2, 3]


def test_items_are_taken_a_few_ahead_only() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    results = map_in_order(str, endless(), threads=2, ahead=3)
    assert [next(results) for _ in range(5)] == ["0", "1", "2", "3", "4"]
    assert len(taken) == 8


def test_exception_of_one_item_is_raised_where_it_is_due() -> None:
    results = map_in_order(lambda number: 1 // number, [1, 0, 1], threads=2, ahead=3)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
