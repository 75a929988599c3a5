"""A person decides about an entry of the ledger that cannot move by itself.

`adopt` takes a batch that its results prove to be the shard; `submit_anew` lets the shard be posted
once more, whatever became of the last POST; `abandon` gives it up, and a later night may buy its
requests again. The ledger keeps who decided, and why. docs/runbook.md tells when to do what.
"""

from datetime import timedelta
from typing import get_args

from airflow.sdk import Param, dag, get_current_context, task
from shard_tasks import DEFAULT_ARGS

from include.entries import Action
from include.specs import load_catalog

PARAMS = {
    "spec": Param(
        None,
        type="string",
        enum=sorted(load_catalog().specs),
        title="Spec of the shard",
        description="As in the address of its entry, `ledger/<spec>/`.",
    ),
    "shard_id": Param(
        None,
        type="string",
        minLength=1,
        maxLength=64,
        title="Shard",
        description="As the red sweep, or the log of its task, names it.",
    ),
    "action": Param(
        None,
        type="string",
        enum=list(get_args(Action)),
        title="What is done",
        description="adopt: take a batch that has ended. submit_anew: post once more, after the "
        "Console has shown that there is no batch. abandon: give it up.",
    ),
    "batch_id": Param(
        None,
        type=["null", "string"],
        maxLength=100,
        title="Batch",
        description="For adopt: the batch, which must have ended.",
    ),
    "reason": Param(
        None,
        type="string",
        minLength=10,
        maxLength=500,
        title="Reason",
        description="Kept in the entry's history.",
    ),
}


@task(multiple_outputs=False)
def resolve_shard() -> dict[str, str]:
    """Carry out the decision, and return the state it led to."""
    from night_context import work_folder
    from night_steps import open_decision
    from nightshift_clients import open_anthropic

    from include.steps.resolve_shard import ResolveParams

    params = ResolveParams.parse(get_current_context()["params"])
    with open_anthropic() as client, work_folder() as work_dir:
        entry = open_decision(params, client, work_dir).carry_out()
    return {"shard_id": entry.shard_id, "state": entry.state}


@dag(
    dag_id="resolve_shard",
    schedule=None,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    tags=["nightshift", "by hand"],
    description="Decide about a stuck entry of the ledger",
    doc_md=__doc__,
)
def resolve() -> None:
    """One task: one decision."""
    resolve_shard()


resolve()
