"""The page that tells how to add a spec leads to a DAG; a mistake in it to an error that helps."""

from pathlib import Path

from include.specs import load_catalog
from tests.dags.conftest import PROJECT
from tests.walkthrough import walk_through


def test_spec_of_the_page_has_its_dag(tmp_path: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    with walk_through(tmp_path) as page:
        page.load()
        names = load_catalog().specs
        bag = DagBag(PROJECT / "dags" / "enrich_documents.py")
    assert bag.import_errors == {}
    assert bag.dags.keys() == {f"enrich_{name}" for name in names}
    assert {"list_documents", "reconcile_run"} <= set(bag.dags["enrich_invoices"].task_ids)


def test_spec_with_a_mistake_is_reported_and_holds_up_no_other_night(tmp_path: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    with walk_through(tmp_path) as page:
        path = page.root / "specs" / "invoices.py"
        many = "".join(f"    x{number}: str | None\n" for number in range(17))
        path.write_text(path.read_text().replace("    number: ", f"{many}    number: "))
        load_catalog.cache_clear()
        nights = DagBag(PROJECT / "dags" / "enrich_documents.py")
        check = DagBag(PROJECT / "dags" / "check_specs.py")
    assert nights.import_errors == {}
    assert "enrich_document_metadata" in nights.dags
    assert "enrich_invoices" not in nights.dags
    (problem,) = check.import_errors.values()
    assert "spec invoices: 19 nullable fields, 16 fit: x0, x1" in problem
