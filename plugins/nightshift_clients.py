"""Open clients from Airflow connections, and the run from a task's context."""

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include import identities
from include.config import Settings
from include.errors import ConfigurationError, PermanentError
from include.library_logs import quiet_libraries
from include.runs import RunContext, RunParams

if TYPE_CHECKING:
    from airflow.sdk import Context
    from anthropic import Anthropic
    from mypy_boto3_s3 import S3Client

    from include.ledger import BatchClaim, Ledger
    from include.runs import RunManifest
    from include.steps.erase_document import DocumentErasure
    from include.steps.expire_files import FileExpiry
    from include.steps.export_nights import NightExport
    from include.steps.list_documents import NightListing
    from include.steps.load_warehouse import RunLoading
    from include.steps.plan_retries import RetryPointer, RetryRequests, RetryRound
    from include.steps.plan_shards import RoundPlanning
    from include.steps.rebuild_warehouse import WarehouseRebuild
    from include.steps.reconcile_run import Reconciliation
    from include.steps.resolve_shard import Decision, ResolveParams
    from include.steps.sweep_ledger import LedgerSweep
    from include.storage import ObjectStore
    from include.token_sampling import TokenCounter
    from include.warehouse.session import Warehouse

AWS_CONN_ID = "aws_default"
ANTHROPIC_CONN_ID = "anthropic_default"
WAREHOUSE_CONN_ID = "warehouse"


def open_s3(settings: Settings, *, is_hurried: bool = False) -> "S3Client":
    """Open the S3 client of connection `aws_default`.

    Args:
        settings: The settings.
        is_hurried: A person waits: give up after seconds instead of minutes.
    """
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",  # as encryption by KMS demands
        retries={"mode": "standard", "max_attempts": 2 if is_hurried else 6},
        connect_timeout=3 if is_hurried else 60,
        read_timeout=5 if is_hurried else 60,
        max_pool_connections=settings.fetch_threads + 4,
    )
    try:
        client: S3Client = S3Hook(aws_conn_id=AWS_CONN_ID, config=config).get_conn()
    except ValueError as error:
        msg = f"the Airflow connection {AWS_CONN_ID!r} cannot be used: {error}"
        raise ConfigurationError(msg) from error
    quiet_libraries()
    return client


def open_store(settings: Settings) -> "ObjectStore":
    """Open the work bucket."""
    from include.storage import ObjectStore

    return ObjectStore(open_s3(settings), settings.work_bucket, settings.work_prefix)


def open_quick_store(settings: Settings) -> "ObjectStore":
    """Open the work bucket for a person who waits for a page."""
    from include.storage import ObjectStore

    client = open_s3(settings, is_hurried=True)
    return ObjectStore(client, settings.work_bucket, settings.work_prefix)


@dataclass(frozen=True)
class OpenRun:
    """One run of one spec, with its settings and open clients."""

    spec: str
    run_key: str
    settings: Settings
    store: "ObjectStore"
    ledger: "Ledger"

    @property
    def manifest(self) -> "RunManifest":
        """The spec and window as the run's first task found them."""
        from include.runs import read_manifest

        return read_manifest(self.store, self.spec, self.run_key)


def open_run(spec: str, run_key: str | None = None) -> OpenRun:
    """Open the work bucket and the ledger for a run: the one of the running task when None."""
    from airflow.sdk import get_current_context

    from include.ledger import Ledger

    settings = Settings.from_env()
    store = open_store(settings)
    if run_key is None:
        run_key = identities.run_key(get_current_context()["dag_run"].run_id)
    return OpenRun(spec, run_key, settings, store, Ledger(store, spec))


def open_claimed_run(batch_id: str) -> tuple[OpenRun, "BatchClaim"]:
    """Open the running task's run for the shard that a batch is proven to be.

    Raises:
        LedgerStateError: Nobody has claimed the batch.
    """
    from include.ledger import read_claim

    claim = read_claim(open_store(Settings.from_env()), batch_id)
    return open_run(claim.spec), claim


def open_pointed_run() -> tuple[OpenRun, "RetryPointer"]:
    """Open the night that a retry run was started for.

    Raises:
        ConfigurationError: The run was started without a valid pointer.
    """
    from airflow.sdk import get_current_context

    from include.steps.plan_retries import read_pointer

    conf = get_current_context()["dag_run"].conf or {}
    pointer = read_pointer(open_store(Settings.from_env()), conf.get("pointer"))
    return open_run(pointer.spec, pointer.run_key), pointer


@contextmanager
def open_anthropic(conn_id: str = ANTHROPIC_CONN_ID) -> Iterator["Anthropic"]:
    """Open the SDK client of an Anthropic connection, which speaks to the host of that alone.

    Raises:
        ConfigurationError: There is no such connection, it has no key, or its platform has no
            Message Batches.
    """
    from airflow.providers.anthropic.hooks.anthropic import AnthropicHook
    from airflow.sdk.exceptions import AirflowNotFoundException
    from anthropic import Anthropic, DefaultHttpxClient

    try:
        client = AnthropicHook(conn_id).get_conn()
    except AirflowNotFoundException as error:
        msg = f"there is no Airflow connection {conn_id!r}; add one of type Anthropic with a key"
        raise ConfigurationError(msg) from error
    if not isinstance(client, Anthropic):
        msg = f"connection {conn_id!r} leads to {type(client).__name__}, without Message Batches"
        raise ConfigurationError(msg)
    if not (client.api_key or "").strip() and not client.auth_token and client.credentials is None:
        msg = f"connection {conn_id!r} has no API key; put it into the password field"
        raise ConfigurationError(msg)
    quiet_libraries()
    # Whoever the API redirects to would be sent documents.
    with client.with_options(http_client=DefaultHttpxClient(follow_redirects=False)) as pinned:
        yield pinned


@contextmanager
def open_token_counter() -> Iterator["TokenCounter"]:
    """Open what counts the tokens of a sample for a forecast."""
    from include.token_counting import ApiTokenCounter

    with open_anthropic() as client:
        yield ApiTokenCounter(client)


def open_warehouse() -> "Warehouse":
    """Open the warehouse of connection `warehouse`: its type chooses the backend.

    Raises:
        ConfigurationError: There is no such connection, or no backend for its type.
    """
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from include.warehouse.connections import WarehouseConnection, connect_warehouse

    try:
        connection = Connection.get(WAREHOUSE_CONN_ID)
    except AirflowNotFoundException as error:
        msg = f"there is no Airflow connection {WAREHOUSE_CONN_ID!r}; docs/runbook.md tells how"
        raise ConfigurationError(msg) from error
    return connect_warehouse(
        WarehouseConnection(
            conn_type=connection.conn_type,
            host=connection.host or "",
            port=connection.port,
            login=connection.login or "",
            password=connection.password or "",
            schema=connection.schema or "",
            extra=connection.extra_dejson,
        )
    )


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


def open_listing(spec_name: str, work_dir: Path) -> "NightListing":
    """Return the listing of the running task's run."""
    from airflow.sdk import get_current_context

    from include.specs import load_catalog
    from include.steps.list_documents import NightListing

    run = open_run(spec_name)
    return NightListing(
        context=run_context(get_current_context()),
        spec=load_catalog().specs[spec_name],
        store=run.store,
        ledger=run.ledger,
        documents_client=open_s3(run.settings),
        warehouse=open_warehouse(),
        settings=run.settings,
        work_dir=work_dir,
        now=utc_now,
    )


def open_planning(run: OpenRun, work_dir: Path) -> "RoundPlanning":
    """Return the planning of a run."""
    from include.steps.plan_shards import RoundPlanning

    return RoundPlanning(
        manifest=run.manifest,
        store=run.store,
        ledger=run.ledger,
        warehouse=open_warehouse(),
        settings=run.settings,
        work_dir=work_dir,
        now=utc_now,
        open_counter=open_token_counter,
    )


def open_loading(run: OpenRun, work_dir: Path) -> "RunLoading":
    """Return the loading of a run."""
    from include.steps.load_warehouse import RunLoading

    return RunLoading(
        manifest=run.manifest,
        store=run.store,
        ledger=run.ledger,
        warehouse=open_warehouse(),
        work_dir=work_dir,
        now=utc_now,
    )


def open_retries(run: OpenRun, work_dir: Path) -> "RetryRequests":
    """Return the retryable requests of a run."""
    from include.steps.plan_retries import RetryRequests

    return RetryRequests(
        manifest=run.manifest,
        ledger=run.ledger,
        store=run.store,
        settings=run.settings,
        work_dir=work_dir,
    )


def open_round(round_number: int, work_dir: Path) -> "RetryRound":
    """Return a retry round of the night that this run was started for."""
    from include.steps.plan_retries import RetryRound

    run, pointer = open_pointed_run()
    return RetryRound(
        round_number=round_number,
        pointer=pointer,
        requests=open_retries(run, work_dir),
        planning=open_planning(run, work_dir),
    )


def open_reconciliation(spec: str, failed: Sequence[str]) -> "Reconciliation":
    """Return the reconciliation of the running task's run."""
    from include.steps.reconcile_run import Reconciliation, raise_if_failed

    run = open_run(spec)
    try:
        manifest = run.manifest
    except PermanentError:
        raise_if_failed(failed)
        raise
    return Reconciliation(
        manifest=manifest,
        failed_tasks=failed,
        store=run.store,
        ledger=run.ledger,
        warehouse=open_warehouse(),
        now=utc_now,
    )


def open_export(spec: str, work_dir: Path) -> "NightExport":
    """Return the export of a spec's nights."""
    from include.steps.export_nights import NightExport

    store = open_store(Settings.from_env())
    return NightExport(spec=spec, store=store, warehouse=open_warehouse(), work_dir=work_dir)


def open_sweep(spec: str, client: "Anthropic", work_dir: Path) -> "LedgerSweep":
    """Return the sweep of a spec's ledger."""
    from include.batches import BatchesApi
    from include.steps.sweep_ledger import LedgerSweep

    run = open_run(spec)
    return LedgerSweep(
        spec=spec,
        run_key=run.run_key,
        ledger=run.ledger,
        store=run.store,
        warehouse=open_warehouse(),
        api=BatchesApi(client, run.settings),
        settings=run.settings,
        work_dir=work_dir,
        now=utc_now,
    )


def open_expiry(spec: str) -> "FileExpiry":
    """Return the expiry of a spec's files."""
    from include.steps.expire_files import FileExpiry

    run = open_run(spec)
    return FileExpiry(
        spec=spec, ledger=run.ledger, store=run.store, settings=run.settings, now=utc_now
    )


def open_erasure(work_dir: Path) -> "DocumentErasure":
    """Return the erasure that the running task's run was started with."""
    from airflow.sdk import get_current_context

    from include.steps.erase_document import DocumentErasure, ErasureParams

    context = get_current_context()
    params = ErasureParams.parse(context["params"])
    dag_run: Any = context["dag_run"]
    return DocumentErasure(
        params=params,
        by=getattr(dag_run, "triggering_user_name", None) or dag_run.run_id,
        store=open_store(Settings.from_env()),
        warehouse=open_warehouse(),
        work_dir=work_dir,
        now=utc_now,
    )


def open_rebuild(spec: str, work_dir: Path) -> "WarehouseRebuild":
    """Return the rebuild of a spec's tables."""
    from include.steps.rebuild_warehouse import WarehouseRebuild

    run = open_run(spec)
    return WarehouseRebuild(
        spec=spec,
        ledger=run.ledger,
        store=run.store,
        warehouse=open_warehouse(),
        work_dir=work_dir,
        now=utc_now,
    )


def open_decision(params: "ResolveParams", client: "Anthropic", work_dir: Path) -> "Decision":
    """Return the decision that the running task's run was started with."""
    from airflow.sdk import get_current_context

    from include.batches import BatchesApi
    from include.steps.resolve_shard import Decision

    run = open_run(params.spec)
    dag_run: Any = get_current_context()["dag_run"]
    return Decision(
        params=params,
        by=getattr(dag_run, "triggering_user_name", None) or dag_run.run_id,
        ledger=run.ledger,
        store=run.store,
        api=BatchesApi(client, run.settings),
        work_dir=work_dir,
        now=utc_now,
    )
