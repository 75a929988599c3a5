"""The page that tells how to add a spec leads to a DAG."""

from pathlib import Path

from tests.dags.conftest import PROJECT
from tests.walkthrough import walk_through


def test_spec_of_the_page_has_its_dag(tmp_path: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    with walk_through(tmp_path) as page:
        page.load()
        bag = DagBag(PROJECT / "dags" / "enrich_documents.py")
    assert bag.import_errors == {}
    assert {"list_documents", "reconcile_run"} <= set(bag.dags["enrich_invoices"].task_ids)
