"""What failed in a night is asked again, in three rounds, by the same shard tasks.

Started by a night's `plan_retry` with a pointer to what may be retried. It loads what it won, and
what no round could answer becomes a dead letter with its reason. To ask again by hand, run the
night's DAG with the `requeue` param.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import dag, task
from shard_tasks import DEFAULT_ARGS, require, shard_group, shard_refs

if TYPE_CHECKING:
    from shard_tasks import ShardRef

LONGEST_RUN = timedelta(days=4)


@task(multiple_outputs=False, trigger_rule="all_done")
def plan_round(round_number: int, before: "list[ShardRef] | None") -> "list[ShardRef]":
    """Plan what the round before left to retry, and return its shards."""
    from night_context import work_folder
    from night_steps import open_round

    if round_number > 1 and not before:
        return []
    with work_folder() as work_dir:
        retry_round = open_round(round_number, work_dir)
        plan = retry_round.plan()
    return shard_refs(plan, spec=retry_round.spec, run_key=retry_round.run_key) if plan else []


@task(multiple_outputs=False, trigger_rule="all_done")
def load_retries(first: "list[ShardRef] | None") -> dict[str, int]:
    """Load what the rounds won, and the dead letters that no round could answer."""
    from night_context import work_folder
    from night_lineage import trace_load
    from night_metrics import count_load
    from night_steps import open_loading, open_pointed_run

    require(first, "plan_round_1")
    run, _ = open_pointed_run()
    with work_folder() as work_dir:
        summary = open_loading(run, work_dir).load_retries()
    trace_load(run.manifest, run.settings)
    return count_load(run.spec, summary)


@task(multiple_outputs=False, trigger_rule="all_done")
def close_round() -> None:
    """Fail the run when one of its tasks did."""
    from night_context import failed_tasks

    from include.steps.reconcile_run import raise_if_failed

    raise_if_failed(failed_tasks())


@dag(
    schedule=None,
    max_active_runs=16,
    dagrun_timeout=LONGEST_RUN,
    default_args=DEFAULT_ARGS,
    tags=["nightshift", "started by nights"],
    description="Ask again what failed in a night",
    doc_md=__doc__,
)
def retry_failures() -> None:
    """Wire three rounds, one after the other."""
    plan_1 = plan_round.override(task_id="plan_round_1")(1, None)
    round_1 = shard_group("round_1").expand(shard=plan_1)
    plan_2 = plan_round.override(task_id="plan_round_2")(2, plan_1)
    round_2 = shard_group("round_2").expand(shard=plan_2)
    plan_3 = plan_round.override(task_id="plan_round_3")(3, plan_2)
    round_3 = shard_group("round_3").expand(shard=plan_3)
    loaded = load_retries(plan_1)

    round_1 >> plan_2
    round_2 >> plan_3
    round_3 >> loaded >> close_round()


retry_failures()
