"""The tasks of a night, each to be run in a process of its own."""

import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import boto3
from botocore.config import Config

from include.config import Settings
from include.errors import PermanentError
from include.runs import RunParams
from include.steps.plan_retries import RetryRound, read_pointer
from include.steps.sweep_ledger import raise_if_stuck
from include.submission import Submitted
from include.warehouse.duckdb_warehouse import open_duckdb
from local_stack.nights import DAY, NightDriver
from local_stack.s3 import REGION

FAILED = 1
FAILED_FOR_GOOD = 2
"""Exit codes of a task: try again, or not."""


@dataclass(frozen=True)
class Deployment:
    """Where everything is; what a worker is told by connections and settings."""

    store_url: str
    access_key: str
    secret_key: str
    api_url: str
    database: Path
    settings: Settings
    work_dir: Path
    run_id: str = "scheduled__2026-11-11T02:00:00+00:00"
    params: RunParams = field(default_factory=RunParams)

    def driver(self) -> NightDriver:
        """Open the clients, as a task body does."""
        client = boto3.client(
            "s3",
            endpoint_url=self.store_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )
        return NightDriver(
            s3=client,
            anthropic=anthropic.Anthropic(api_key="test", base_url=self.api_url, max_retries=1),
            warehouse=open_duckdb(self.database),
            settings=self.settings,
            work_dir=self.work_dir / str(os.getpid()),
            run_id=self.run_id,
            night=DAY,
            params=self.params,
        )


Task = Callable[..., Any]


def run_task(task: Task, deployment: Deployment, arguments: tuple[Any, ...], result: Path) -> None:
    """Run one task, leave what it returns in a file, and tell by the exit code how it ended."""
    try:
        returned = task(deployment.driver(), *arguments)
    except PermanentError as error:
        _complain(result, error)
        sys.exit(FAILED_FOR_GOOD)
    except Exception as error:  # noqa: BLE001  # a task that fails, however, is tried again
        _complain(result, error)
        sys.exit(FAILED)
    result.write_bytes(pickle.dumps(returned))


def _complain(result: Path, error: Exception) -> None:
    result.with_suffix(".error").write_text(f"{type(error).__name__}: {error}")


def list_documents(night: NightDriver) -> list[str]:
    return night.list_documents()


def build_requests(night: NightDriver, slice_key: str) -> Any:
    return night.build_requests(slice_key)


def plan_shards(night: NightDriver, built: list[Any]) -> Any:
    return night.plan_shards(built)


def approve_spend(night: NightDriver, plan: Any) -> None:
    night.approval(plan).grant()


def reject_spend(night: NightDriver, plan: Any) -> None:
    night.approval(plan).refuse(by="somebody")


def submit_batch(night: NightDriver, shard_id: str) -> str | None:
    """Return the batch, or None while the shard has to wait."""
    submitted = night.submit_batch(shard_id)
    return submitted.batch_id if isinstance(submitted, Submitted) else None


def collect_results(night: NightDriver, shard_id: str) -> None:
    night.collect_results(shard_id)


def load_warehouse(night: NightDriver) -> None:
    night.loading.load_night()


def plan_retry(night: NightDriver) -> str | None:
    return night.retries.point()


def plan_round(night: NightDriver, pointer_key: str, number: int) -> list[str]:
    pointer = read_pointer(night.store, pointer_key)
    plan = RetryRound(number, pointer, night.retries, night.planning).plan()
    return plan.shard_ids if plan else []


def load_retries(night: NightDriver) -> None:
    night.loading.load_retries()


def reconcile_run(night: NightDriver, failed_tasks: tuple[str, ...]) -> str:
    return night.reconcile_run(failed_tasks).verdict


def sweep_ledger(night: NightDriver) -> None:
    raise_if_stuck(night.sweep().sweep())
