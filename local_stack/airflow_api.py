"""A small client for Airflow's REST API: what the demo and the tests ask of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

import httpx2

from local_stack.errors import StackError

Json = dict[str, Any]
Reprocess = Literal["none", "failed", "completed"]

_HEALTHY_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_ENDED = ("success", "failed")
_TIMEOUT_SECONDS = 60
_POLL_SECONDS = 1
_PAGE = 100


@dataclass(frozen=True)
class Run:
    """A DAG run."""

    dag_id: str
    run_id: str
    run_type: str
    state: str
    data_interval_start: datetime | None

    @classmethod
    def parse(cls, item: Json) -> "Run":
        """Read what the API says about a run."""
        start = item["data_interval_start"]
        return cls(
            dag_id=item["dag_id"],
            run_id=item["dag_run_id"],
            run_type=item["run_type"],
            state=item["state"],
            data_interval_start=datetime.fromisoformat(start) if start else None,
        )


@dataclass(frozen=True)
class Task:
    """A task instance."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    start_at: datetime | None
    end_at: datetime | None

    @classmethod
    def parse(cls, item: Json) -> "Task":
        """Read what the API says about a task instance."""
        start, end = item["start_date"], item["end_date"]
        return cls(
            task_id=item["task_id"],
            map_index=item["map_index"],
            state=item["state"],
            try_number=item["try_number"],
            start_at=datetime.fromisoformat(start) if start else None,
            end_at=datetime.fromisoformat(end) if end else None,
        )


Progress = Callable[[Run, list[Task]], None]


class AirflowApi:
    """One Airflow, one user."""

    def __init__(self, base_url: str, *, user: str, password: str) -> None:
        self._http = httpx2.Client(base_url=base_url, trust_env=False, timeout=_TIMEOUT_SECONDS)
        self._login = {"username": user, "password": password}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, body: Json | None = None, **params: Any) -> Any:
        """Call `/api/v2<path>` and return its JSON.

        Raises:
            StackError: The API does not answer, or refuses; with its reason.
        """
        try:
            response = self._http.request(
                method,
                f"/api/v2{path}",
                json=body,
                params=params,
                headers={"Authorization": f"Bearer {self._token}"},
            )
        except httpx2.TransportError as error:
            msg = f"{method} {path}: {error}"
            raise StackError(msg) from error
        if response.is_error:
            msg = f"{method} {path}: {response.status_code} {response.text}"
            raise StackError(msg)
        return response.json() if response.content else None

    def is_healthy(self) -> bool:
        """Return whether all four components run, by their own heartbeats."""
        try:
            response = self._http.get("/api/v2/monitor/health")
        except httpx2.TransportError:
            return False
        if response.is_error:
            return False
        health = response.json()
        return all((health.get(part) or {}).get("status") == "healthy" for part in _HEALTHY_PARTS)

    def dag_ids(self) -> list[str]:
        """Return the ids of all DAGs that were parsed."""
        return [item["dag_id"] for item in self._pages("/dags", "dags")]

    def import_errors(self) -> dict[str, str]:
        """Return the error of each DAG file that could not be parsed."""
        items = self._pages("/importErrors", "import_errors")
        return {item["filename"]: item["stack_trace"] for item in items}

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self.call("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, *, conf: Json | None = None, run_id: str | None = None) -> Run:
        """Start a run by hand, without a logical date."""
        body = {"logical_date": None, "conf": conf or {}, "dag_run_id": run_id}
        return Run.parse(self.call("POST", f"/dags/{dag_id}/dagRuns", body))

    def backfill(self, dag_id: str, first: date, last: date, *, reprocess: Reprocess) -> None:
        """Let the scheduler run the nights of some days, both included."""
        body = {
            "dag_id": dag_id,
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T23:59:59Z",
            "reprocess_behavior": reprocess,
            "max_active_runs": 2,
        }
        self.call("POST", "/backfills", body)

    def run(self, dag_id: str, run_id: str) -> Run:
        """Return one run."""
        return Run.parse(self.call("GET", _run_path(dag_id, run_id)))

    def runs(self, dag_id: str) -> list[Run]:
        """Return all runs of a DAG."""
        return [Run.parse(item) for item in self._pages(f"/dags/{dag_id}/dagRuns", "dag_runs")]

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        """Return all task instances of a run."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        return [Task.parse(item) for item in self._pages(path, "task_instances")]

    def task_states(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str | None]:
        """Return the state of each task instance by task id and map index."""
        return {(task.task_id, task.map_index): task.state for task in self.tasks(dag_id, run_id)}

    def log(self, run: Run, task: Task) -> str:
        """Return what a task logged at its last attempt, an event a line."""
        path = f"{_run_path(run.dag_id, run.run_id)}/taskInstances/{task.task_id}"
        content = self.call(
            "GET", f"{path}/logs/{task.try_number}", map_index=task.map_index, full_content=True
        )["content"]
        return "\n".join(_log_line(line) for line in content)

    def clear(
        self,
        run: Run,
        task_ids: Sequence[str | tuple[str, int]],
        *,
        downstream: bool = True,
    ) -> None:
        """Clear tasks of a run, so that the scheduler runs them again."""
        body = {
            "dry_run": False,
            "dag_run_id": run.run_id,
            "task_ids": list(task_ids),
            "include_downstream": downstream,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self.call("POST", f"/dags/{run.dag_id}/clearTaskInstances", body)

    def wait_for_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        timeout_seconds: float,
        on_progress: Progress | None = None,
    ) -> Run:
        """Wait until a run has ended, whichever way.

        Raises:
            StackError: It did not end in time; with the tasks that had not.
        """
        deadline = time.monotonic() + timeout_seconds
        while (run := self.run(dag_id, run_id)).state not in _ENDED:
            if on_progress is not None:
                on_progress(run, self.tasks(dag_id, run_id))
            if time.monotonic() > deadline:
                states = self.task_states(dag_id, run_id)
                msg = f"{dag_id} {run_id} still {run.state} after {timeout_seconds:.0f} s: {states}"
                raise StackError(msg)
            time.sleep(_POLL_SECONDS)
        return run

    def wait_for_dags(self, dag_ids: Sequence[str], *, timeout_seconds: float) -> None:
        """Wait until DAGs are parsed.

        Raises:
            StackError: A DAG file is broken, or a DAG is still missing.
        """
        deadline = time.monotonic() + timeout_seconds
        while missing := set(dag_ids) - set(self.dag_ids()):
            if errors := self.import_errors():
                details = "\n".join(f"{name}:\n{trace}" for name, trace in errors.items())
                msg = f"DAG files that cannot be imported:\n{details}"
                raise StackError(msg)
            if time.monotonic() > deadline:
                msg = f"DAGs not parsed after {timeout_seconds:.0f} s: {sorted(missing)}"
                raise StackError(msg)
            time.sleep(_POLL_SECONDS)

    @cached_property
    def _token(self) -> str:
        response = self._http.post("/auth/token", json=self._login)
        token: str = response.raise_for_status().json()["access_token"]
        return token

    def _pages(self, path: str, key: str) -> Iterator[Json]:
        offset = 0
        while True:
            page = self.call("GET", path, limit=_PAGE, offset=offset)
            yield from page[key]
            offset += _PAGE
            if offset >= page["total_entries"]:
                return


def _log_line(line: str | Json) -> str:
    if isinstance(line, str):
        return line
    errors = [f"{one['exc_type']}: {one['exc_value']}" for one in line.get("error_detail") or ()]
    return ": ".join([line["event"], *errors])


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"
