"""The task group of a shard, which nights and retry rounds share: submit, wait, collect."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.sdk import (
    ExceptionRetryPolicy,
    PokeReturnValue,
    RetryAction,
    RetryRule,
    get_current_context,
    task,
    task_group,
)
from batch_links import BATCH_LINKS
from batch_sensor import BatchEndedSensor
from night_metrics import count_submission

from include.errors import PermanentError

if TYPE_CHECKING:
    from include.plans import Plan

DEFAULT_ARGS = {
    "owner": "nightshift",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": ExceptionRetryPolicy(
        [RetryRule("include.errors.PermanentError", RetryAction.FAIL)]
    ),
}
"""Of every task: what the library calls permanent fails at once, everything else is tried again."""

COLLECT_RETRIES = 8
COLLECT_RETRY_DELAY = timedelta(minutes=3)
"""Growing to the largest delay: enough for three downloads ten minutes apart."""
SHARD_NAME = "{{ shard_id | default('') }}"
"""What a mapped task is called in the UI; the task puts `shard_id` into its context."""
SUBMITS_AT_ONCE = 4
"""Shards of one run that are being submitted at the same time."""
SUBMIT_TIMEOUT = timedelta(days=3)
"""How long a shard may stand back for room in flight: longer than any run lives."""
MAX_STAND_BACK_SECONDS = 600
"""Longest time that the API's `retry-after` can send a shard away at once."""


class ShardRef(TypedDict):
    """Which shard of which run; what travels between tasks."""

    spec: str
    run_key: str
    shard_id: str


def require(value: object, task_id: str) -> None:
    """Stop a task that runs whatever its upstreams did, when it has nothing to run on.

    Raises:
        PermanentError: `task_id` returned nothing: it failed, or never ran.
    """
    if value is None:
        msg = f"{task_id} has not succeeded; nothing is done without it. Clear it with what follows"
        raise PermanentError(msg)


def shard_refs(plan: "Plan", *, spec: str, run_key: str) -> list[ShardRef]:
    """Return what the shard group is expanded over."""
    return [ShardRef(spec=spec, run_key=run_key, shard_id=one) for one in plan.shard_ids]


@task.sensor(
    mode="reschedule",
    timeout=SUBMIT_TIMEOUT.total_seconds(),
    max_active_tis_per_dagrun=SUBMITS_AT_ONCE,
    map_index_template=SHARD_NAME,
)
def submit_batch(shard: ShardRef) -> PokeReturnValue:
    """Submit one shard as one batch, and return the batch's id; stand back while it cannot be."""
    from night_context import utc_now, work_folder
    from night_steps import open_run
    from nightshift_clients import open_anthropic

    from include.batches import BatchesApi
    from include.submission import Submission, Submitted

    context = get_current_context()
    context["shard_id"] = shard["shard_id"]  # type: ignore[typeddict-unknown-key]  # for SHARD_NAME
    run = open_run(shard["spec"], shard["run_key"])
    with open_anthropic() as client, work_folder() as work_dir:
        submission = Submission(
            shard_id=shard["shard_id"],
            run_key=run.run_key,
            ledger=run.ledger,
            store=run.store,
            api=BatchesApi(client, run.settings),
            settings=run.settings,
            work_dir=work_dir,
            now=utc_now,
        )
        outcome = submission.advance()
    if isinstance(outcome, Submitted):
        count_submission(run.spec, outcome)
        return PokeReturnValue(is_done=True, xcom_value=outcome.batch_id)
    wait_seconds = max(outcome.wait_seconds, run.settings.submit_poke_seconds)
    sensor: Any = context["task"]
    sensor.poke_interval = min(wait_seconds, MAX_STAND_BACK_SECONDS)
    sensor.log.info("stood back shard=%s reason=%s", shard["shard_id"], outcome.reason)
    return PokeReturnValue(is_done=False)


@task(
    multiple_outputs=False,
    retries=COLLECT_RETRIES,
    retry_delay=COLLECT_RETRY_DELAY,
    map_index_template=SHARD_NAME,
)
def collect_results(batch_id: str) -> dict[str, int | str]:
    """Keep and judge the results of one batch, and return how many there are."""
    from night_context import utc_now, work_folder
    from night_steps import open_claimed_run
    from nightshift_clients import open_anthropic

    from include.batches import BatchesApi
    from include.steps.collect_results import Collection

    run, claim = open_claimed_run(batch_id)
    get_current_context()["shard_id"] = claim.shard_id  # type: ignore[typeddict-unknown-key]
    with open_anthropic() as client, work_folder() as work_dir:
        entry = Collection(
            shard_id=claim.shard_id,
            run_key=run.run_key,
            ledger=run.ledger,
            store=run.store,
            api=BatchesApi(client, run.settings),
            settings=run.settings,
            work_dir=work_dir,
            now=utc_now,
        ).collect()
    output = entry.output
    return {
        "shard_id": claim.shard_id,
        "enrichments": output.enrichment_count if output else 0,
        "failures": output.failure_count if output else 0,
    }


def shard_group(group_id: str) -> Any:
    """Return the task group of a shard, to be expanded over shard refs."""

    @task_group(group_id=group_id)
    def shard_tasks(shard: ShardRef) -> None:
        batch_id: Any = submit_batch(shard)
        batch_id.operator.operator_extra_links = BATCH_LINKS
        wait_for_batch = BatchEndedSensor(
            task_id="wait_for_batch",
            batch_id=batch_id,
            map_index_template="{{ task.batch_id }}",
        )
        wait_for_batch >> collect_results(batch_id)

    return shard_tasks
