"""A search through what two workers, their deaths and a lossy network can do to a submission.

The workers run the real `Submission`. Each is a coroutine that stops before every call to the
ledger or the API, so a scenario is: one runs up to its n-th call, time passes, the other runs up to
its m-th call, both go on or die, and healthy workers finish.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Any

from greenlet import (  # type: ignore[import-untyped]  # it has no types
    GreenletExit,
    getcurrent,
    greenlet,
)

from include.config import Settings
from include.errors import PipelineError
from include.submission import Submission, Submitted
from tests.factories import make_settings
from tests.fakes import FakeBatchesApi, Fate, StorageFault
from tests.unit.bench import Bench

LANDING_SECONDS = 500
"""How late a lost POST lands, and how long a worker may be frozen before one. The settings allow
for both together."""
HOURS = 30_000
STEP_SECONDS = 400
"""Time between two tries of the workers that finish: less than a lost POST takes to land."""
BATCH_SECONDS = 2_000
CALLS = range(10)
"""Where a worker may be held up: a submission without surprises makes nine calls."""
TO_THE_END = 1_000


@dataclass(frozen=True)
class Scenario:
    """What goes wrong."""

    first_calls: int
    """Calls of the first worker before it is held up."""
    pause_seconds: float
    second_calls: int = TO_THE_END
    """Calls of the second before the first goes on."""
    dies: bool = False
    """The first worker never goes on."""
    fates: tuple[Fate, ...] = ()
    """Of the POSTs, in order."""
    put_fault: tuple[int, StorageFault] | None = None
    """Which conditional put goes wrong, and how."""
    shards: tuple[int, int] = (0, 0)
    """Whose shard each worker has."""


@dataclass(frozen=True)
class Model:
    """The world of one search; a rule is weakened by another setting, or another submission."""

    folder: Path
    settings: Settings = field(default_factory=make_settings)
    submission: type[Submission] = Submission
    changes: Mapping[str, Any] = field(default_factory=dict)
    freezes_before_post: bool = False
    """Allow a worker to freeze for hours between its look at the clock and its POST."""

    @cached_property
    def shard_ids(self) -> list[str]:
        """Two shards, of one request each."""
        return list(self._planned[1])

    @cached_property
    def _planned(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        return _planned(self.folder)

    def play(self, scenario: Scenario) -> "Night":
        """Return what comes of a scenario."""
        night = Night(self, scenario)
        night.play()
        return night


class Night:
    """One scenario, played."""

    def __init__(self, model: Model, scenario: Scenario) -> None:
        self.model, self.scenario = model, scenario
        self.bench = Bench(model.folder, model.settings)
        self.bench.s3.objects = dict(model._planned[0])
        self.bench.s3.hook = self._storage_fault
        self.bench.workspace.landing_seconds = LANDING_SECONDS
        self.bench.workspace.fates = deque(scenario.fates)
        self._puts = 0
        self.is_settled = False
        """Whether every shard ended with a batch."""

    @property
    def is_bought_once(self) -> bool:
        """Whether no request was accepted twice."""
        return set(self.bench.workspace.purchases().values()) <= {1}

    def play(self) -> None:
        """Let both workers run as the scenario says, and healthy ones finish."""
        first, second = (Worker(self, self.model.shard_ids[n]) for n in self.scenario.shards)
        first.run(self.scenario.first_calls)
        self.bench.clock.advance(self._pause_seconds(first))
        second.run(self.scenario.second_calls)
        if not self.scenario.dies:
            first.run(TO_THE_END)
        second.run(TO_THE_END)
        first.die()
        second.die()
        self.is_settled = all(
            self._finish(self.model.shard_ids[n]) for n in set(self.scenario.shards)
        )

    def _pause_seconds(self, held_up: "Worker") -> float:
        if held_up.next_call == "post" and not self.model.freezes_before_post:
            return min(self.scenario.pause_seconds, LANDING_SECONDS)
        return self.scenario.pause_seconds

    def _finish(self, shard_id: str) -> bool:
        for _ in range(30):
            worker = Worker(self, shard_id)
            worker.run(TO_THE_END)
            if isinstance(worker.found, Submitted):
                return True
            self.bench.clock.advance(STEP_SECONDS)
            self._end_batches()
        return False

    def _end_batches(self) -> None:
        for batch in self.bench.workspace.listed():
            age = (self.bench.clock.now - batch.created_at).total_seconds()
            if batch.ended_at is None and age > BATCH_SECONDS:
                self.bench.workspace.end(batch)

    def _storage_fault(self, verb: str, key: str) -> StorageFault | None:
        if "/ledger/" not in key:
            return None
        stop_before(f"{verb} {key}")
        self._puts += verb == "put"
        if verb == "put" and self.scenario.put_fault:
            number, fault = self.scenario.put_fault
            return fault if self._puts == number else None
        return None


class Worker:
    """One try of `submit_batch`, in steps."""

    def __init__(self, night: Night, shard_id: str) -> None:
        model, bench = night.model, night.bench
        values = vars(bench.submission(shard_id, api=FakeBatchesApi(bench.workspace, stop_before)))
        self._submission = model.submission(**(values | dict(model.changes)))
        self._coroutine = greenlet(self._advance)
        self.next_call: str | None = ""
        """What it is about to do; None when it is done."""
        self.found: Any = None

    def run(self, calls: int) -> None:
        """Let it make so many calls, and stop before the next."""
        for _ in range(calls + 1):
            if self.next_call is None:
                return
            self.next_call = self._coroutine.switch()

    def die(self) -> None:
        """End it before its next call, wherever it is."""
        if self.next_call:
            self._coroutine.throw(GreenletExit)

    def _advance(self) -> None:
        try:
            self.found = self._submission.advance()
        except PipelineError as error:
            self.found = error


def stop_before(call: str) -> None:
    """Hand control to the scenario, if a worker is running."""
    parent = getcurrent().parent
    if parent is not None:
        parent.switch(call)


def races() -> Iterator[Scenario]:
    """Two workers on one shard: one is held up at every call, the other at every call."""
    for first, second, pause, fate in product(CALLS, CALLS, (0, HOURS), ("answered", "late")):
        yield Scenario(first, pause, second, fates=(fate,))  # type: ignore[arg-type]  # literals


def freezes() -> Iterator[Scenario]:
    """One worker is frozen for hours at every call, and goes on when another has begun."""
    for first in CALLS:
        yield Scenario(first, HOURS, 0, fates=("late",))


def deaths() -> Iterator[Scenario]:
    """One worker dies at every call; what it posted may land late, and so may what comes next."""
    for first, pause, fates in product(
        CALLS, (0, LANDING_SECONDS, HOURS), product(("answered", "lost", "late"), repeat=2)
    ):
        yield Scenario(first, pause, dies=True, fates=fates)  # type: ignore[arg-type]  # literals


def lost_writes() -> Iterator[Scenario]:
    """Every put in turn lands unanswered, lands late, or is refused, around a held-up worker."""
    for first, number, fault, pause in product(
        CALLS, range(1, 7), ("lost", "late", "refused"), (0, HOURS)
    ):
        yield Scenario(first, pause, put_fault=(number, fault))  # type: ignore[arg-type]  # literals


def twins() -> Iterator[Scenario]:
    """Two shards of equal count, whose POSTs are lost, and whose workers die."""
    for first, second, fates in product(
        CALLS[5:], CALLS[5:], product(("lost", "late", "nothing"), repeat=2)
    ):
        yield Scenario(first, 0, second, fates=fates, shards=(0, 1))  # type: ignore[arg-type]  # literals


@cache
def _planned(folder: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return a bucket in which two shards are planned and approved."""
    bench = Bench(folder)
    shard_ids = tuple(bench.plan([text]) for text in ("mine", "other"))
    return bench.s3.objects, shard_ids
