"""docs/deployment.md: the values of the chart fit the image, the settings and the DAGs."""

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.configuration import conf

from include.config import PREFIX, Settings
from tests.dags.conftest import PROJECT

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DOCKERFILE = (PROJECT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    page = (PROJECT / "docs" / "deployment.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    loaded: dict[str, Any] = yaml.safe_load(block)
    return loaded


def compose_environment() -> dict[str, str]:
    compose = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text())
    environment: dict[str, str] = compose["x-airflow"]["environment"]
    return environment


def test_chart_runs_the_image_that_is_built(values: dict[str, Any]) -> None:
    assert f"apache/airflow:{values['airflowVersion']}-" in DOCKERFILE
    assert values["images"]["airflow"]["repository"].endswith("/nightshift")
    for folder in ("dags", "plugins"):
        assert values["config"]["core"][f"{folder}_folder"] == f"/opt/airflow/{folder}"
        assert f"COPY {folder} /opt/airflow/{folder}\n" in DOCKERFILE
    assert not values["dags"]["gitSync"]["enabled"]


def test_chart_configures_what_airflow_knows(values: dict[str, Any]) -> None:
    known = conf.configuration_description
    for section, options in values["config"].items():
        assert options.keys() <= known[section]["options"].keys()


def test_metrics_of_the_chart_go_to_opentelemetry(values: dict[str, Any]) -> None:
    """Airflow takes StatsD when both are on, and the chart turns it on with its server."""
    assert values["config"]["metrics"]["otel_on"] == "True"
    assert values["statsd"]["enabled"] is False


def test_chart_makes_no_user_with_a_known_password(values: dict[str, Any]) -> None:
    assert values["createUserJob"]["enabled"] is False


def test_every_component_has_the_settings_and_connections_of_the_compose_stack(
    values: dict[str, Any],
) -> None:
    plain = {one["name"]: one["value"] for one in values["env"]}
    secret = {one["envName"] for one in values["secret"]}
    needed = {name for name in compose_environment() if name.startswith(("AIRFLOW_CONN_", PREFIX))}
    assert needed <= plain.keys() | secret
    assert all(name.startswith("AIRFLOW_CONN_") for name in secret)
    assert plain["PYTHONPATH"] == compose_environment()["PYTHONPATH"]
    assert f"ENV PYTHONPATH={plain['PYTHONPATH']}\n" in DOCKERFILE
    settings = {name: value for name, value in plain.items() if name.startswith(PREFIX)}
    assert Settings.from_env(settings).alert_recipients == []
    assert values["triggerer"]["enabled"]
    assert values["dagProcessor"]["enabled"]


def test_pods_ask_for_what_their_tasks_need(values: dict[str, Any], dag_bag: "DagBag") -> None:
    from kubernetes.client import V1Container, V1ObjectMeta, V1Pod, V1PodSpec

    local_settings: dict[str, Any] = {}
    exec(values["airflowLocalSettings"], local_settings)  # noqa: S102  # as the chart mounts it

    def requests(**annotations: str) -> Any:
        pod = V1Pod(
            metadata=V1ObjectMeta(annotations=annotations),
            spec=V1PodSpec(containers=[V1Container(name="base")]),
        )
        local_settings["pod_mutation_hook"](pod)
        return pod.spec.containers[0].resources

    task_ids = {
        task.task_id.rpartition(".")[2] for dag in dag_bag.dags.values() for task in dag.tasks
    }
    assert local_settings["NEEDS"].keys() <= task_ids
    collecting = requests(task_id="shard.collect_results")
    assert collecting.requests["memory"] == collecting.limits["memory"] == "2Gi"
    assert requests(task_id="plan_retry").requests["memory"] == "768Mi"
    assert requests() is None


def test_settings_of_the_table_of_sizes_are_within_their_bounds() -> None:
    page = (PROJECT / "docs" / "deployment.md").read_text()
    largest = re.findall(rf"^\| `{PREFIX}(\w+)` \|.*\| ([\d,]+)[^|]*\|$", page, re.MULTILINE)
    assert len(largest) >= 4
    given = {f"{PREFIX}{name}": value.replace(",", "") for name, value in largest}
    buckets = {f"{PREFIX}DOCUMENTS_BUCKET": "documents", f"{PREFIX}WORK_BUCKET": "work"}
    assert Settings.from_env(buckets | given)
