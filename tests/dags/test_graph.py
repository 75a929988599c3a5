"""The graphs of the DAGs, written out: which task waits for which, and by what rule."""

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


class Expected(NamedTuple):
    operator: str
    upstream: set[str]
    trigger_rule: str
    is_mapped: bool = False


SHARD = {
    "submit_batch": Expected("DecoratedSensorOperator", set(), "all_success"),
    "wait_for_batch": Expected("BatchEndedSensor", {"submit_batch"}, "all_success"),
    "collect_results": Expected(
        "_PythonDecoratedOperator", {"submit_batch", "wait_for_batch"}, "all_success"
    ),
}


def shard(group: str, *roots: str) -> dict[str, Expected]:
    """Return the expected tasks of a shard group that hangs on `roots`."""
    return {
        f"{group}.{name}": task._replace(
            upstream={f"{group}.{one}" for one in task.upstream} or set(roots), is_mapped=True
        )
        for name, task in SHARD.items()
    }


PYTHON = "_PythonDecoratedOperator"
NIGHT = {
    "list_documents": Expected(PYTHON, set(), "all_success"),
    "build_requests": Expected(PYTHON, {"list_documents"}, "all_success", is_mapped=True),
    "plan_shards": Expected(PYTHON, {"list_documents", "build_requests"}, "all_done"),
    "approve_spend": Expected("SpendApprovalOperator", {"plan_shards"}, "all_success"),
    **shard("shard", "plan_shards", "approve_spend"),
    "load_warehouse": Expected(PYTHON, {"plan_shards", "shard.collect_results"}, "all_done"),
    "plan_retry": Expected(PYTHON, {"load_warehouse"}, "all_success"),
    "retry_failures": Expected(
        "TriggerDagRunOperator", {"plan_retry"}, "all_success", is_mapped=True
    ),
    "reconcile_run": Expected(
        PYTHON,
        {"list_documents", "plan_shards", "load_warehouse", "plan_retry", "retry_failures"},
        "all_done",
    ),
}
RETRIES = {
    "plan_round_1": Expected(PYTHON, set(), "all_done"),
    **shard("round_1", "plan_round_1"),
    "plan_round_2": Expected(PYTHON, {"plan_round_1", "round_1.collect_results"}, "all_done"),
    **shard("round_2", "plan_round_2"),
    "plan_round_3": Expected(PYTHON, {"plan_round_2", "round_2.collect_results"}, "all_done"),
    **shard("round_3", "plan_round_3"),
    "load_retries": Expected(PYTHON, {"plan_round_1", "round_3.collect_results"}, "all_done"),
    "close_round": Expected(PYTHON, {"load_retries"}, "all_done"),
}
GRAPHS = [("enrich_document_metadata", NIGHT), ("retry_failures", RETRIES)]


@pytest.mark.parametrize(("dag_id", "expected"), GRAPHS, ids=[name for name, _ in GRAPHS])
def test_tasks_edges_and_rules_are_as_designed(
    dag_bag: "DagBag", dag_id: str, expected: dict[str, Expected]
) -> None:
    actual = {
        task.task_id: Expected(
            operator=_operator_name(task),
            upstream=set(task.upstream_task_ids),
            trigger_rule=str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            is_mapped=_is_mapped(task),
        )
        for task in dag_bag.dags[dag_id].tasks
    }
    assert actual == expected


@pytest.mark.parametrize(
    ("dag_id", "leaf"), [(GRAPHS[0][0], "reconcile_run"), (GRAPHS[1][0], "close_round")]
)
def test_one_leaf_decides_the_state_of_the_run(dag_bag: "DagBag", dag_id: str, leaf: str) -> None:
    leaves = [task.task_id for task in dag_bag.dags[dag_id].tasks if not task.downstream_task_ids]
    assert leaves == [leaf]


def test_limits_on_tasks_at_once(dag_bag: "DagBag") -> None:
    tasks = {task.task_id: task for task in dag_bag.dags["enrich_document_metadata"].tasks}
    assert tasks["plan_shards"].max_active_tis_per_dag == 1
    submit = tasks["shard.submit_batch"]
    assert submit.max_active_tis_per_dagrun == 4
    assert submit.mode == "reschedule"
    assert tasks["shard.wait_for_batch"].deferrable


def test_only_the_last_task_speaks_for_the_night(dag_bag: "DagBag") -> None:
    outlets = {
        task.task_id: [asset.name for asset in task.outlets]
        for task in dag_bag.dags["enrich_document_metadata"].tasks
        if not task.is_mapped and task.outlets
    }
    names = ["nightshift/document_metadata", "nightshift/document_metadata/nights"]
    assert outlets == {"reconcile_run": names}


def _operator_name(task: Any) -> str:
    return str(task.operator_class.__name__ if task.is_mapped else type(task).__name__)


def _is_mapped(task: Any) -> bool:
    return bool(task.is_mapped or task.get_closest_mapped_task_group())
