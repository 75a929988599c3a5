"""Once a day: what no run waits for any more is collected and loaded, and what is odd is reported.

A batch whose run died, whose document was replaced or whose prompt has changed was paid all the
same. Its results can be had for 29 days; this DAG fetches them long before. It fails when entries
are stuck or could not be swept, so that somebody looks: docs/runbook.md tells at what.

Requests and raw results that have outlived their retention are deleted; docs/erasure.md has both
settings, and what can be done without them.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, task
from night_alerts import RedRunNotifier
from shard_tasks import DEFAULT_ARGS


@task(multiple_outputs=False)
def list_specs() -> list[str]:
    """Return the specs that have a ledger, those that were taken away included."""
    from nightshift_clients import open_store

    from include.config import Settings
    from include.ledger import list_ledgers

    return list_ledgers(open_store(Settings.from_env()))


@task(multiple_outputs=False, map_index_template="{{ task.op_kwargs['spec_name'] }}")
def sweep_ledger(spec_name: str) -> dict[str, Any]:
    """Sweep the ledger of one spec."""
    from night_context import work_folder
    from night_metrics import count_sweep
    from night_steps import open_sweep
    from nightshift_clients import open_anthropic

    from include.steps.sweep_ledger import raise_if_stuck

    with open_anthropic() as client, work_folder() as work_dir:
        report = open_sweep(spec_name, client, work_dir).sweep()
    findings = count_sweep(spec_name, report)
    raise_if_stuck(report)
    return findings


@task(multiple_outputs=False, map_index_template="{{ task.op_kwargs['spec_name'] }}")
def expire_files(spec_name: str) -> dict[str, Any]:
    """Delete the requests and raw results of one spec that have outlived their retention."""
    from night_steps import open_expiry

    return asdict(open_expiry(spec_name).expire())


@dag(
    dag_id="sweep_ledger",
    schedule=CronDataIntervalTimetable("0 14 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    on_failure_callback=RedRunNotifier(),
    default_args=DEFAULT_ARGS,
    tags=["nightshift"],
    description="Collect and load what no run waits for; report what is stuck",
    doc_md=__doc__,
)
def sweep() -> None:
    """Sweep every ledger, one task each; a ledger that is stuck does not keep files alive."""
    specs = list_specs()
    sweep_ledger.expand(spec_name=specs)
    expire_files.expand(spec_name=specs)


sweep()
