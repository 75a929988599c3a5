"""What the library needs to know of the running task."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.runs import RunContext, RunParams

if TYPE_CHECKING:
    from airflow.sdk import Context


@contextmanager
def work_folder() -> Iterator[Path]:
    """Yield a folder of the task's own, gone when it ends."""
    with tempfile.TemporaryDirectory(prefix="nightshift-") as name:
        yield Path(name)


def utc_now() -> dt.datetime:
    """Return the wall clock."""
    return dt.datetime.now(dt.UTC)


def run_context(context: "Context") -> RunContext:
    """Return what the library needs to know of the running DAG run."""
    dag_run: Any = context["dag_run"]
    return RunContext(
        dag_id=dag_run.dag_id,
        run_id=dag_run.run_id,
        run_type=str(getattr(dag_run.run_type, "value", dag_run.run_type)),
        run_after=dag_run.run_after,
        started_at=dag_run.start_date or utc_now(),
        interval_start=dag_run.data_interval_start,
        interval_end=dag_run.data_interval_end,
        params=RunParams.parse(context["params"]),
    )


def failed_tasks() -> list[str]:
    """Return the tasks of this run that failed, or could not run because others had."""
    from airflow.sdk import get_current_context

    context = get_current_context()
    dag_run, instance = context["dag_run"], context["ti"]
    states = instance.get_task_states(dag_id=dag_run.dag_id, run_ids=[dag_run.run_id])
    return sorted(
        task_id
        for task_id, state in states.get(dag_run.run_id, {}).items()
        if state in {"failed", "upstream_failed"}
    )
