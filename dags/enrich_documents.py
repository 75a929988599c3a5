"""The night: every document that came in since the last one becomes a typed row in the warehouse.

One DAG per spec in `include/specs`. It lists the documents of its interval, turns them into
requests, packs these into shards, and submits each shard as one Claude Message Batch. Waiting holds
no worker. Results are kept, judged and loaded; what failed is asked again by `retry_failures`.

Clearing, retrying or backfilling a night buys nothing twice: a request is known by its content.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    dag,
    get_current_context,
    get_parsing_context,
    task,
)
from night_alerts import RedRunNotifier, ready_alert
from night_params import NIGHT_PARAMS
from shard_tasks import DEFAULT_ARGS, require, shard_group, shard_refs
from spend_approval import SpendApprovalOperator

from include.specs import load_catalog

if TYPE_CHECKING:
    from shard_tasks import ShardRef

    from include.spec import Spec

FIRST_NIGHT = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_NIGHT = timedelta(days=4)


@task(multiple_outputs=False)
def list_documents(spec_name: str) -> list[str]:
    """List what is there, and return the slices of what is to be done."""
    from night_context import work_folder
    from night_steps import open_listing

    with work_folder() as work_dir:
        listing = open_listing(spec_name, work_dir).list()
    return [part.key for part in listing.slices]


@task(multiple_outputs=False, max_active_tis_per_dagrun=16)
def build_requests(spec_name: str, slice_key: str) -> dict[str, str]:
    """Turn the documents of one slice into requests."""
    from night_context import work_folder
    from night_steps import open_run
    from nightshift_clients import open_s3

    from include.steps.build_requests import build_requests as build

    run = open_run(spec_name)
    with work_folder() as work_dir:
        built = build(
            manifest=run.manifest,
            slice_key=slice_key,
            store=run.store,
            documents_client=open_s3(run.settings),
            settings=run.settings,
            work_dir=work_dir,
        )
    return asdict(built)


@task(multiple_outputs=False, trigger_rule="all_done", max_active_tis_per_dag=1)
def plan_shards(
    spec_name: str, slice_keys: list[str] | None, built: list[dict[str, str]] | None
) -> "list[ShardRef]":
    """Decide what is bought, and return its shards."""
    from night_context import work_folder
    from night_steps import open_planning, open_run

    from include.steps.build_requests import BuiltSlice

    require(slice_keys, "list_documents")
    run = open_run(spec_name)
    with work_folder() as work_dir:
        plan = open_planning(run, work_dir).plan_night([BuiltSlice(**one) for one in built or []])
    return shard_refs(plan, spec=spec_name, run_key=run.run_key)


@task(multiple_outputs=False, trigger_rule="all_done")
def load_warehouse(spec_name: str, shards: "list[ShardRef] | None") -> dict[str, int]:
    """Load what the night brought so far: analysts do not wait for retries."""
    from night_context import work_folder
    from night_lineage import trace_load
    from night_metrics import count_load
    from night_steps import open_loading, open_run

    require(shards, "plan_shards")
    run = open_run(spec_name)
    with work_folder() as work_dir:
        summary = open_loading(run, work_dir).load_night()
    trace_load(run.manifest, run.settings)
    return count_load(spec_name, summary)


@task(multiple_outputs=False)
def plan_retry(spec_name: str) -> list[dict[str, str]]:
    """Return one pointer to what may be asked again, or none."""
    from night_context import work_folder
    from night_steps import open_retries, open_run

    with work_folder() as work_dir:
        pointer_key = open_retries(open_run(spec_name), work_dir).point()
    return [{"pointer": pointer_key}] if pointer_key else []


@task(multiple_outputs=False, trigger_rule="all_done")
def reconcile_run(spec_name: str, answers: Asset, nights: Asset) -> dict[str, Any]:
    """Prove that every document is accounted for; fail the run when it did not go well."""
    from night_context import failed_tasks
    from night_metrics import show_night
    from night_steps import open_reconciliation

    from include.steps.reconcile_run import raise_if_red

    report = open_reconciliation(spec_name, failed_tasks()).reconcile()
    show_night(report)
    raise_if_red(report)
    events = get_current_context()["outlet_events"]
    events[answers].extra = report.event
    events[nights].extra = report.event
    events[nights].add_partitions(report.night.isoformat())
    return {"verdict": report.verdict, **report.documents}


def build_dag(spec: "Spec") -> DAG:
    """Build the nightly DAG of one spec."""

    @dag(
        dag_id=f"enrich_{spec.name}",
        schedule=CronDataIntervalTimetable(spec.schedule, timezone="UTC"),
        start_date=FIRST_NIGHT,
        catchup=False,
        max_active_runs=4,
        dagrun_timeout=LONGEST_NIGHT,
        deadline=ready_alert(spec),
        on_failure_callback=RedRunNotifier(),
        default_args=DEFAULT_ARGS,
        params=NIGHT_PARAMS,
        tags=["nightshift", *spec.tags],
        description=f"Enrich the documents of {spec.name} at batch price",
        doc_md=__doc__,
    )
    def enrich() -> None:
        answers, nights = Asset(f"nightshift/{spec.name}"), Asset(f"nightshift/{spec.name}/nights")

        slice_keys = list_documents(spec.name)
        built = build_requests.partial(spec_name=spec.name).expand(slice_key=slice_keys)
        shards = plan_shards(spec.name, slice_keys, built)
        approve_spend = SpendApprovalOperator(task_id="approve_spend", spec=spec.name)
        shard = shard_group("shard").expand(shard=shards)
        loaded = load_warehouse(spec.name, shards)
        pointers = plan_retry(spec.name)
        retry_failures = TriggerDagRunOperator.partial(
            task_id="retry_failures",
            trigger_dag_id="retry_failures",
            trigger_run_id="retry__{{ dag.dag_id }}__{{ run_id }}",
            logical_date=None,
            reset_dag_run=True,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=15,
        ).expand(conf=pointers)
        reconciled = reconcile_run.override(outlets=[answers, nights])(spec.name, answers, nights)

        shards >> approve_spend >> shard >> loaded >> pointers >> retry_failures
        [slice_keys, shards, loaded, pointers, retry_failures] >> reconciled

    return enrich()


wanted = get_parsing_context().dag_id
for spec in load_catalog().specs.values():
    if wanted in {None, f"enrich_{spec.name}"}:
        build_dag(spec)
