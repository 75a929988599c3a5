"""Runs a night as Airflow does: a process for each task, retries, trigger rules."""

import itertools
import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from include.plans import ROUNDS
from tests.chaos import tasks
from tests.chaos.tasks import Deployment, Task, run_task

RETRIES = 3
MAX_POKES = 20
"""How often a shard may have to wait before a test gives up."""
TASK_SECONDS = 120

WORKERS = multiprocessing.get_context("forkserver")
"""Workers are forked from a clean process that has the heavy imports, not from the tests'."""
WORKERS.set_forkserver_preload(["tests.chaos.preload"])


class TaskFailedError(Exception):
    """A task is out of retries."""


@dataclass
class Scheduler:
    """Runs the tasks of one run; `wait` lets time pass between two pokes of a sensor."""

    deployment: Deployment
    wait: Callable[[], None]
    retried: list[str] = field(default_factory=list)
    """Tasks that did not succeed at once."""
    complaints: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def run_night(self) -> bool:
        """Run the night; return whether it ended green."""
        failed: list[str] = []
        try:
            slices = self.run(tasks.list_documents)
            built = [one for one in map(self._attempt_build, slices) if one is not None]
            plan = self.run(tasks.plan_shards, built)
            self.run(tasks.approve_spend, plan)
        except TaskFailedError:
            return False
        failed += self._run_shards(plan.shard_ids)
        try:
            self.run(tasks.load_warehouse)
            pointer_key = self.run(tasks.plan_retry)
            if pointer_key:
                failed += self._retry_failures(pointer_key)
            verdict: str = self.run(tasks.reconcile_run, tuple(failed))
        except TaskFailedError:
            return False
        return verdict == "green"

    def _retry_failures(self, pointer_key: str) -> list[str]:
        failed = []
        for number in ROUNDS:
            shard_ids = self.run(tasks.plan_round, pointer_key, number)
            if not shard_ids:
                break
            failed += self._run_shards(shard_ids)
        self.run(tasks.load_retries)
        return failed

    def _attempt_build(self, slice_key: str) -> Any:
        try:
            return self.run(tasks.build_requests, slice_key)
        except TaskFailedError:
            return None

    def _run_shards(self, shard_ids: list[str]) -> list[str]:
        """Run all shards; one that breaks holds up no other. Return those that broke."""
        broken = []
        for shard_id in shard_ids:
            try:
                self.submit(shard_id)
                self.run(tasks.collect_results, shard_id)
            except TaskFailedError:
                broken.append(f"shard {shard_id}")
        return broken

    def submit(self, shard_id: str) -> None:
        """Poke the sensor until the shard has a batch, and wait for that."""
        for _ in range(MAX_POKES):
            batch_id = self.run(tasks.submit_batch, shard_id)
            self.wait()
            if batch_id:
                return
        msg = f"submit_batch of {shard_id} waits for ever"
        raise TaskFailedError(msg)

    def run(self, task: Task, *arguments: Any) -> Any:
        """Run a task as often as Airflow would."""
        name = task.__name__
        for attempt in range(RETRIES + 1):
            if attempt:
                self.retried.append(name)
                self.wait()
            result = self.deployment.work_dir / f"{name}-{next(self._numbers)}.result"
            worker = WORKERS.Process(
                target=run_task, args=(task, self.deployment, arguments, result)
            )
            worker.start()
            worker.join(TASK_SECONDS)
            if worker.exitcode == 0:
                return pickle.loads(result.read_bytes())  # noqa: S301  # written by our own worker
            if worker.exitcode is None:
                worker.kill()
                worker.join()
            error = result.with_suffix(".error")
            reason = error.read_text() if error.exists() else f"exit code {worker.exitcode}"
            self.complaints.append(f"{name}: {reason}")
            if worker.exitcode == tasks.FAILED_FOR_GOOD:
                break
        raise TaskFailedError(name)
