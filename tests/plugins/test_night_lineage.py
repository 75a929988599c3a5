"""What a load tells of where its rows come from, as OpenLineage's provider understands it."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import lineage, plugins_manager
from night_lineage import lasting_prefix, trace_load

from tests.dags.conftest import dag_bag  # noqa: F401  # the DAGs as the processor sees them
from tests.factories import make_frozen_spec, make_settings

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

WAREHOUSE = {"conn_type": "postgres", "host": "db,standby", "login": "loader", "schema": "facts"}


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lineage is collected, as it is where OpenLineage has a transport."""
    readers = [lineage.HookLineageReader]
    monkeypatch.setattr(plugins_manager, "get_hook_lineage_readers_plugins", lambda: readers)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    lineage.get_hook_lineage_collector.cache_clear()
    yield
    lineage.get_hook_lineage_collector.cache_clear()


def trace(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    spec = make_frozen_spec(name="notes").model_copy(
        update={"source_by": "date_prefix", "source_prefix": "inbox/dt={ds}/"}
    )
    trace_load(SimpleNamespace(spec=spec), make_settings(documents_bucket="documents"))


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("dag_id", "task_id"),
    [("enrich_document_metadata", "load_warehouse"), ("retry_failures", "load_retries")],
)
def test_lineage_leads_from_the_prefix_to_the_tables(
    dag_bag: "DagBag",  # noqa: F811  # the fixture that was imported
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    dag_id: str,
    task_id: str,
) -> None:
    from airflow.providers.openlineage.extractors.manager import ExtractorManager
    from airflow.utils.state import TaskInstanceState
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.transport.file import FileConfig, FileTransport
    from openlineage.client.uuid import generate_new_uuid

    trace(monkeypatch, WAREHOUSE)
    found = ExtractorManager().extract_metadata(
        SimpleNamespace(run_id="run"),
        dag_bag.dags[dag_id].get_task(task_id),
        TaskInstanceState.SUCCESS,
        None,
    )
    path = tmp_path / "events.jsonl"
    FileTransport(FileConfig(log_file_path=str(path), append=True)).emit(
        RunEvent(
            eventTime="2026-11-11T02:00:00Z",
            eventType=RunState.COMPLETE,
            run=Run(str(generate_new_uuid())),
            job=Job("default", f"{dag_id}.{task_id}"),
            inputs=found.inputs,
            outputs=found.outputs,
        )
    )
    event = json.loads(path.read_text())
    assert [(one["namespace"], one["name"]) for one in event["inputs"]] == [
        ("s3://documents", "inbox")
    ]
    assert [(one["namespace"], one["name"]) for one in event["outputs"]] == [
        ("postgres://db:5432", "facts.nightshift.notes"),
        ("postgres://db:5432", "facts.nightshift.notes_enrichments"),
    ]


@pytest.mark.usefixtures("listening")
def test_a_duckdb_warehouse_is_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    trace(monkeypatch, {"conn_type": "duckdb", "host": "/data/facts.duckdb"})
    (output,) = lineage.get_hook_lineage_collector().collected_assets.outputs
    assert output.asset.uri == "file:///data/facts.duckdb"


def test_where_nobody_listens_nothing_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins_manager, "get_hook_lineage_readers_plugins", list)
    lineage.get_hook_lineage_collector.cache_clear()
    trace(monkeypatch, WAREHOUSE)
    assert lineage.get_hook_lineage_collector.cache_info().currsize == 0


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("documents/dt={ds}/", "documents"), ("inbox/", "inbox"), ("{ds}/", ""), ("", "")],
)
def test_a_dataset_is_the_same_every_night(prefix: str, expected: str) -> None:
    assert lasting_prefix(prefix) == expected
