"""Loads that die: before each step in turn, the process is killed as if its machine were lost."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.integration.databases import Database
from tests.integration.warehouse.nights import Nights, Version

if TYPE_CHECKING:
    from include.warehouse.session import Session, Warehouse

OUTCOMES = {
    Version("a"): "answered",
    Version("b"): "failed refused",
    Version("c"): "failing truncated",
    Version("d"): "skipped empty",
}


class MortalSession:
    """A session that takes its process with it before one of its steps."""

    def __init__(self, session: "Session", steps: int) -> None:
        self._session = session
        self._steps = steps

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if self._steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._steps -= 1
        step: Callable[..., Any] = getattr(self._session, name)
        return step


class MortalWarehouse:
    """A warehouse whose sessions take some steps and no more."""

    def __init__(self, warehouse: "Warehouse", steps: int) -> None:
        self._warehouse = warehouse
        self._steps = steps

    @contextmanager
    def session(self, **how: Any) -> Iterator[Any]:
        with self._warehouse.session(**how) as session:
            yield MortalSession(session, self._steps)


def main(place: str, stride: int) -> int:
    """Load a night, killed some steps later each time, until a load survives; count the deaths."""
    database = Database.at(place)
    before, deaths = database.everything(), 0
    while _dies_after(place, deaths * stride):
        assert database.everything() == before, f"death {deaths} left rows"
        deaths += 1
    return deaths


def _dies_after(place: str, steps: int) -> bool:
    # A fork costs no start of Python; nothing is open here that two processes must not share.
    child = os.fork()
    if child == 0:
        nights = Nights(Database.at(place))
        nights.warehouse = MortalWarehouse(nights.warehouse, steps)
        nights.load("run-1", OUTCOMES)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
