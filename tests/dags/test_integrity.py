"""What every DAG of the project keeps to."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DAG_IDS = {
    "enrich_contract_terms",
    "enrich_document_metadata",
    "enrich_support_ticket_triage",
    "erase_document",
    "export_night",
    "rebuild_warehouse",
    "resolve_shard",
    "retry_failures",
    "summarize_nights",
    "sweep_ledger",
}


def test_every_file_imports(dag_bag: "DagBag") -> None:
    assert dag_bag.import_errors == {}


def test_there_are_exactly_these_dags(dag_bag: "DagBag") -> None:
    assert set(dag_bag.dags) == DAG_IDS


@pytest.fixture(params=sorted(DAG_IDS))
def dag(request: pytest.FixtureRequest, dag_bag: "DagBag") -> Any:
    return dag_bag.dags[request.param]


def test_a_dag_says_what_it_is_for(dag: Any) -> None:
    assert dag.description
    assert dag.doc_md
    assert "nightshift" in dag.tags


def test_a_dag_does_not_buy_the_past(dag: Any) -> None:
    assert dag.catchup is False
    assert dag.dagrun_timeout


def test_permanent_errors_fail_at_once_and_others_are_tried_again(dag: Any) -> None:
    from airflow.sdk import RetryAction

    from include.errors import AccountError, TransientError

    for task in dag.tasks:
        assert task.retries >= 3, task.task_id
        decide = task.retry_policy.evaluate
        assert decide(AccountError("x"), 1, 3).action == RetryAction.FAIL
        assert decide(TransientError("x"), 1, 3).action == RetryAction.DEFAULT


def test_the_night_pins_its_timetable(dag_bag: "DagBag") -> None:
    from airflow.sdk import CronDataIntervalTimetable

    dag = dag_bag.dags["enrich_document_metadata"]
    assert isinstance(dag.timetable, CronDataIntervalTimetable)
    assert dag.max_active_runs == 4


def test_examples_wait_for_the_assets_of_a_night_and_begin_paused(dag_bag: "DagBag") -> None:
    (outlets,) = (
        task.outlets
        for task in dag_bag.dags["enrich_document_metadata"].tasks
        if task.task_id == "reconcile_run"
    )
    waits = {}
    for dag_id in ("summarize_nights", "export_night"):
        dag = dag_bag.dags[dag_id]
        assert dag.is_paused_upon_creation
        condition = dag.timetable.asset_condition
        assets = getattr(condition, "objects", [condition])
        waits[type(dag.timetable).__name__] = list(assets)
    assert waits == {
        "AssetTriggeredTimetable": outlets[:1],
        "PartitionedAssetTimetable": outlets[1:],
    }


def test_people_are_told_of_red_and_late_nights_and_of_red_sweeps(dag_bag: "DagBag") -> None:
    from night_alerts import RedRunNotifier

    told = {dag_id for dag_id, dag in dag_bag.dags.items() if dag.on_failure_callback}
    late = {dag_id: dag.deadline for dag_id, dag in dag_bag.dags.items() if dag.deadline}
    nights = {dag_id for dag_id in DAG_IDS if dag_id.startswith("enrich_")}
    assert told == nights | {"sweep_ledger"}
    assert late == {}, "Airflow 3.3.2 cannot clear a run that has a deadline"
    assert isinstance(dag_bag.dags["sweep_ledger"].on_failure_callback, RedRunNotifier)


def test_only_the_dag_that_is_asked_for_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    from tests.dags.conftest import PROJECT

    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "enrich_something_else")
    bag = DagBag(PROJECT / "dags" / "enrich_documents.py")
    assert bag.import_errors == {}
    assert bag.dags == {}
