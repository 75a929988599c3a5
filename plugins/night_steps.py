"""Open the run of a task, and the step that it does, with clients and settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from night_context import run_context, utc_now
from nightshift_clients import open_s3, open_store, open_token_counter, open_warehouse

from include import identities
from include.config import Settings
from include.errors import PermanentError

if TYPE_CHECKING:
    from anthropic import Anthropic

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
