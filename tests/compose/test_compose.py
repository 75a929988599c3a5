"""The compose stack as a user would run it: a night on two workers, of which one dies."""

import datetime as dt
import logging
from collections.abc import Iterator

import pytest

from tests.compose.deployment import Deployment, wait_until
from tests.compose.engine import open_engine
from tests.compose.images import provide_images

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.compose

DAG_ID = "enrich_document_metadata"
DAY = dt.date(2026, 9, 1)
TEXTS = {f"{number}.txt": f"Document {number} is about compost." for number in range(9)}
NIGHT_SECONDS = 300
SLOW_ANSWER_SECONDS = 25


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    engine_folder = tmp_path_factory.mktemp("engine")
    with open_engine(engine_folder) as engine:
        if engine is None:
            pytest.skip("no Docker engine answers, and none can be installed here without root")
        if standins := provide_images(engine, engine_folder):
            logger.warning("stood in for images=%s", ", ".join(standins))
        deployment = Deployment.prepare(engine, tmp_path_factory.mktemp("project"))
        try:
            deployment.up(workers=2)
            yield deployment
        except RuntimeError as error:
            pytest.fail(f"{error}\n{deployment.logs()}")
        finally:
            deployment.down()


def test_night_survives_the_death_of_a_worker_in_the_middle_of_a_submission(
    deployment: Deployment,
) -> None:
    """The API has accepted a batch; the worker that should have heard of it is gone."""
    deployment.upload(DAY, TEXTS)
    deployment.control(
        "faults",
        [{"op": "create", "kind": "slow_after", "seconds": SLOW_ANSWER_SECONDS, "times": 1}],
    )
    api = deployment.api
    api.wait_for_dags([DAG_ID, "retry_failures"], timeout_seconds=180)
    for dag_id in ("retry_failures", DAG_ID):
        api.unpause(dag_id)
    window = {
        "window_start": f"{DAY}T00:00:00Z",
        "window_end": f"{DAY + dt.timedelta(1)}T00:00:00Z",
    }
    run = api.trigger(DAG_ID, conf=window)

    wait_until(lambda: deployment.control("state")["batches"], seconds=NIGHT_SECONDS)
    submitting = [
        task
        for task in api.call("GET", f"/dags/{DAG_ID}/dagRuns/{run.run_id}/taskInstances")[
            "task_instances"
        ]
        if task["task_id"] == "shard.submit_batch" and task["state"] == "running"
    ]
    hosts = {task["hostname"] for task in submitting}
    workers = {worker["ID"][:12]: worker for worker in deployment.containers("worker")}
    assert len(workers) == 2
    victim = next(iter(hosts & set(workers)))
    deployment.engine.docker("kill", victim)

    ended = api.wait_for_run(DAG_ID, run.run_id, timeout_seconds=NIGHT_SECONDS)

    assert ended.state == "success"
    assert deployment.control("bill")["bought_twice"] == 0
    assert len(deployment.control("state")["batches"]) == 3
    assert deployment.query("select count(*) from nightshift.document_metadata") == [["9"]]


def test_workers_are_confined(deployment: Deployment) -> None:
    docker = deployment.engine.docker
    for container in deployment.containers("worker"):
        assert docker("exec", container["Name"], "id", "-u").strip() == "50000"
        limit = docker("inspect", "--format", "{{.HostConfig.Memory}}", container["Name"])
        assert int(limit) > 0
