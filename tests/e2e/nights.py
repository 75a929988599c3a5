"""Nights under a real scheduler: documents in, states and rows out."""

import datetime as dt
import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duckdb
import httpx2

from include import identities
from include.reports import NightReport
from local_stack.airflow_api import Run
from local_stack.stack import DOCUMENTS_BUCKET, WORK_BUCKET, Stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SPEC = "document_metadata"
DAG_ID = f"enrich_{SPEC}"
RETRY_DAG_ID = "retry_failures"
RUN_SECONDS = 600


@dataclass(frozen=True)
class Nights:
    """What the tests do to a stack, and look at."""

    stack: Stack

    @cached_property
    def s3(self) -> "S3Client":
        return self.stack.s3_client()

    def unpause(self) -> None:
        self.stack.api.wait_for_dags([DAG_ID, RETRY_DAG_ID], timeout_seconds=120)
        for dag_id in (RETRY_DAG_ID, DAG_ID):
            self.stack.api.unpause(dag_id)

    def upload(self, day: dt.date, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            self.s3.put_object(
                Bucket=DOCUMENTS_BUCKET, Key=f"documents/dt={day}/{name}", Body=text.encode()
            )

    def start(self, day: dt.date, **params: Any) -> Run:
        """Start a run by hand for the documents of one day."""
        window = {
            "window_start": f"{day}T00:00:00+00:00",
            "window_end": f"{day + dt.timedelta(days=1)}T00:00:00+00:00",
        }
        return self.stack.api.trigger(DAG_ID, conf=window | params)

    def finish(self, run: Run) -> Run:
        return self.stack.api.wait_for_run(run.dag_id, run.run_id, timeout_seconds=RUN_SECONDS)

    def clear(self, run: Run, *task_ids: str) -> Run:
        """Clear tasks with all that follows, as a person does in the UI, and wait."""
        self.stack.api.clear(run, task_ids)
        return self.finish(run)

    def answer(self, run: Run, option: str) -> None:
        """Answer the approval that a run waits for, as the UI does."""
        self.wait_for_question(run)
        path = f"/dags/{run.dag_id}/dagRuns/{quote(run.run_id, safe='')}"
        self.stack.api.call(
            "PATCH",
            f"{path}/taskInstances/approve_spend/-1/hitlDetails",
            {"chosen_options": [option], "params_input": {}},
        )

    def wait_for_question(self, run: Run) -> None:
        """Wait until a run asks for an approval, and can take the answer."""

        def is_waiting() -> bool:
            states = self.stack.api.task_states(run.dag_id, run.run_id)
            return states.get(("approve_spend", -1)) == "awaiting_input"

        self.wait_until(is_waiting)
        # An answer within the moment in which the asking process still ends is lost on the
        # scheduler, which then asks anew; no person is that quick.
        time.sleep(5)

    def backfill(self, first: dt.date, last: dt.date, *, reprocess: str = "none") -> list[Run]:
        """Backfill the nights of some days, and wait until all their runs have ended."""
        self.wait_until(lambda: self._create_backfill(first, last, reprocess))
        days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        self.wait_until(lambda: len(self._runs_of(days)) == len(days))
        return [self.finish(run) for run in self._runs_of(days)]

    def report(self, run: Run) -> NightReport:
        key = f"nightshift/{SPEC}/runs/{identities.run_key(run.run_id)}/report.json"
        return NightReport.model_validate_json(self.read(key))

    def has(self, key: str) -> bool:
        """Return whether something lies at a key of the work bucket."""
        listed = self.s3.list_objects_v2(Bucket=WORK_BUCKET, Prefix=key)
        return bool(listed["KeyCount"])

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=WORK_BUCKET, Key=key)["Body"].read()

    def write(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=WORK_BUCKET, Key=key, Body=data)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=WORK_BUCKET, Key=key)

    def states(self, run: Run) -> dict[str, str]:
        """Return how the run ended for each document, by file name."""
        rows = self.query(
            """
            select regexp_replace(d.object_key, '.*/', ''), s.state, s.state_reason
            from nightshift.document_states as s
            join nightshift.documents as d using (spec, document_id)
            where s.run_key = ? order by 1
            """,
            identities.run_key(run.run_id),
        )
        return {name: f"{state}: {reason}" if reason else state for name, state, reason in rows}

    def query(self, statement: str, *values: Any) -> list[Any]:
        path = str(self.stack.warehouse_path)
        with self._undisturbed(), duckdb.connect(path, read_only=True) as connection:
            return connection.execute(statement, values).fetchall()

    def tables(self) -> dict[str, Any]:
        with self._undisturbed():
            return self.stack.warehouse.digest_tables()

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Wait, as tasks do, until nobody has the warehouse open, and keep them out."""
        path = self.stack.warehouse_path
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def clear_faults(self) -> None:
        """Let nothing go wrong at the simulator any more."""
        faults = f"{self.stack.simulator.base_url}/_sim/faults"
        httpx2.delete(faults, trust_env=False).raise_for_status()

    def bought(self) -> int:
        """Return how many requests the simulator has accepted, none of them twice."""
        bought, twice = self.bill()
        assert twice == 0
        return bought

    def bill(self) -> tuple[int, int]:
        """Return how many requests the simulator has accepted, and how many questions twice."""
        bill = self.stack.simulator.control("bill")
        return bill["requests"], bill["bought_twice"]

    def failures_of(self, run: Run) -> dict[tuple[str, int], str | None]:
        states = self.stack.api.task_states(run.dag_id, run.run_id)
        return {key: state for key, state in states.items() if state not in {"success", "skipped"}}

    def log_of(self, run: Run, task_id: str) -> str:
        tasks = self.stack.api.tasks(run.dag_id, run.run_id)
        return self.stack.api.log(run, next(t for t in tasks if t.task_id == task_id))

    def wait_until(
        self, ready: Callable[[], bool], *, timeout_seconds: float = RUN_SECONDS
    ) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.5)

    def _create_backfill(self, first: dt.date, last: dt.date, reprocess: str) -> bool:
        """Create a backfill; an earlier one stays active for a while after its runs have ended."""
        from local_stack.errors import StackError

        try:
            self.stack.api.backfill(DAG_ID, first, last, reprocess=reprocess)  # type: ignore[arg-type]
        except StackError as error:
            if " 409 " in str(error):
                return False
            raise
        return True

    def _runs_of(self, days: list[dt.date]) -> list[Run]:
        return [
            run
            for run in self.stack.api.runs(DAG_ID)
            if run.run_type == "backfill"
            and run.data_interval_start
            and run.data_interval_start.date() in days
        ]
