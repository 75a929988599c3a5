"""The demo: a whole night on real documents, and the same night again, which changes nothing."""

import datetime as dt
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.config import Settings
from include.identities import run_key
from include.reports import NightReport
from local_stack.airflow_api import AirflowApi, Run
from local_stack.corpus import SourceFile, list_folder, list_installed_documents, upload
from local_stack.errors import StackError
from local_stack.progress import Progress, open_console
from local_stack.screen import Summary, print_summary
from local_stack.stack import DOCUMENTS_BUCKET, WORK_BUCKET, Stack
from local_stack.state import WarehouseKind
from local_stack.warehouse import Row

SPEC = "document_metadata"
NIGHTLY_DAG = f"enrich_{SPEC}"
RETRY_DAG = "retry_failures"
COLUMNS = ("object_key", "document_type", "main_topic", "sentiment", "language", "summary")

_NIGHT_ENDS_AT = dt.time(2)
_PARSE_SECONDS = 120
_NIGHT_SECONDS = 1_800
_SCHEDULE_SECONDS = 60
_SAMPLE_ROWS = 10
_LOG_CHARACTERS = 3_000


@dataclass(frozen=True)
class Snapshot:
    """What must not change when a night runs again."""

    bill: Any
    tables: dict[str, Row]

    @classmethod
    def take(cls, stack: Stack) -> "Snapshot":
        """Read the bill and every row of the warehouse."""
        return cls(stack.simulator.control("bill"), stack.warehouse.digest_tables())


def run_demo(folder: Path | None, warehouse: WarehouseKind) -> None:
    """Run the demo on a fresh stack and leave that running.

    Args:
        folder: Documents to enrich, instead of those that the installed packages bring along.

    Raises:
        StackError: A server or a night failed, or the second night bought or changed something.
    """
    files = list_installed_documents() if folder is None else list_folder(folder)
    console = open_console()
    progress = Progress(console)
    stack = _fresh_stack(progress, warehouse)
    night_date = last_complete_night(dt.datetime.now(dt.UTC))
    _upload(stack, files, night_date, progress)
    first = _run_first_night(stack, progress)
    before = Snapshot.take(stack)
    report = _read_report(stack, first)
    sample = stack.warehouse.read_sample(COLUMNS, limit=_SAMPLE_ROWS)
    _run_again(stack, first, progress)
    _require_unchanged(before, Snapshot.take(stack))
    print_summary(console, _summarise(stack, files, night_date, report, sample))


def last_complete_night(now: dt.datetime) -> dt.date:
    """Return the day of the last night that the scheduler would run at `now`."""
    days = 1 if now.time() >= _NIGHT_ENDS_AT else 2
    return now.date() - dt.timedelta(days=days)


def _fresh_stack(progress: Progress, warehouse: WarehouseKind) -> Stack:
    old = Stack.named("demo")
    with progress.during("ending the last demo"):
        old.stop()
        shutil.rmtree(old.root, ignore_errors=True)
    stack = Stack.named("demo", warehouse)
    with progress.during("starting S3, simulator and Airflow (half a minute)"):
        stack.start(report=progress.done)
        stack.api.wait_for_dags([NIGHTLY_DAG, RETRY_DAG], timeout_seconds=_PARSE_SECONDS)
    return stack


def _upload(stack: Stack, files: list[SourceFile], night_date: dt.date, progress: Progress) -> None:
    prefix = f"documents/dt={night_date}/"
    with progress.during(f"uploading {len(files):,} documents"):
        upload(stack.s3_client(), files, bucket=DOCUMENTS_BUCKET, prefix=prefix)
    progress.done(f"uploaded {len(files):,} documents to s3://{DOCUMENTS_BUCKET}/{prefix}")


def _run_first_night(stack: Stack, progress: Progress) -> Run:
    api = stack.api
    api.unpause(RETRY_DAG)
    api.unpause(NIGHTLY_DAG)
    with progress.during("waiting for the scheduler"):
        run_id = _wait_for_scheduled_run(api)
        run = _wait_for_night(api, run_id, progress)
    progress.done(f"the scheduler ran the night: {run.run_id}")
    return run


def _read_report(stack: Stack, run: Run) -> NightReport:
    prefix = Settings.from_env(stack.env).work_prefix
    key = f"{prefix}/{SPEC}/runs/{run_key(run.run_id)}/report.json"
    content = stack.s3_client().get_object(Bucket=WORK_BUCKET, Key=key)["Body"].read()
    return NightReport.model_validate_json(content)


def _run_again(stack: Stack, first: Run, progress: Progress) -> None:
    if first.data_interval_start is None:
        msg = f"{first.run_id} has no data interval"
        raise StackError(msg)
    day = first.data_interval_start.date()
    with progress.during("running the night again"):
        stack.api.backfill(NIGHTLY_DAG, day, day, reprocess="completed")
        again = _wait_for_night(stack.api, first.run_id, progress)
    if again.run_type != "backfill":
        msg = f"{first.run_id} was not run again: its type is still {again.run_type}"
        raise StackError(msg)
    progress.done("ran it again by backfill")


def _wait_for_scheduled_run(api: AirflowApi) -> str:
    deadline = time.monotonic() + _SCHEDULE_SECONDS
    while time.monotonic() < deadline:
        if runs := api.runs(NIGHTLY_DAG):
            return runs[0].run_id
        time.sleep(0.5)
    msg = f"the scheduler made no run of {NIGHTLY_DAG} in {_SCHEDULE_SECONDS} s"
    raise StackError(msg)


def _wait_for_night(api: AirflowApi, run_id: str, progress: Progress) -> Run:
    run = api.wait_for_run(
        NIGHTLY_DAG, run_id, timeout_seconds=_NIGHT_SECONDS, on_progress=progress.follow
    )
    if run.state != "success":
        raise StackError(_describe_failure(api, run))
    return run


def _describe_failure(api: AirflowApi, run: Run) -> str:
    failed = [task for task in api.tasks(run.dag_id, run.run_id) if task.state == "failed"]
    parts = [f"{run.dag_id} {run.run_id} ended {run.state}"]
    parts += [f"{task.task_id}:\n{api.log(run, task)[-_LOG_CHARACTERS:]}" for task in failed]
    parts.append("The stack still runs: `make status` tells where; `make down` ends it.")
    return "\n\n".join(parts)


def _require_unchanged(before: Snapshot, after: Snapshot) -> None:
    if after.bill != before.bill:
        msg = f"the second night bought something: {before.bill} became {after.bill}"
        raise StackError(msg)
    changed = [
        name
        for name in before.tables | after.tables
        if before.tables.get(name) != after.tables.get(name)
    ]
    if changed:
        msg = f"the second night changed rows of {', '.join(changed)}"
        raise StackError(msg)


def _summarise(
    stack: Stack,
    files: list[SourceFile],
    night: dt.date,
    report: NightReport,
    sample: list[Row],
) -> Summary:
    return Summary(
        airflow_url=stack.airflow.base_url,
        password=stack.secrets.admin_password,
        simulator_url=stack.simulator.base_url,
        night=night,
        files_by_kind=Counter(file.kind for file in files),
        report=report,
        sample=sample,
    )
