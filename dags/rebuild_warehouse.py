"""Loads every night of a spec again from the work bucket. It asks the API nothing and buys nothing.

For a warehouse that was lost, or that is older than the ledger: point the connection `warehouse` at
an empty one, and run this. Run on a warehouse that has everything, it changes no answer.
"""

from dataclasses import asdict
from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task
from shard_tasks import DEFAULT_ARGS

from include.specs import load_catalog

SPECS = sorted(load_catalog().specs)
PARAMS = {
    "spec": Param(
        SPECS[0] if SPECS else None,
        type="string",
        enum=SPECS,
        title="Spec",
        description="Whose tables are loaded again; one run for each.",
    )
}


@task(multiple_outputs=False)
def rebuild_warehouse() -> dict[str, int]:
    """Replay the nights in the order in which they began."""
    from night_context import work_folder
    from night_steps import open_rebuild

    with work_folder() as work_dir:
        return asdict(open_rebuild(get_current_context()["params"]["spec"], work_dir).rebuild())


@dag(
    dag_id="rebuild_warehouse",
    schedule=None,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=1),
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    tags=["nightshift", "by hand"],
    description="Load every night again from the work bucket, and buy nothing",
    doc_md=__doc__,
)
def rebuild() -> None:
    """One task: all nights of one spec."""
    rebuild_warehouse()


rebuild()
