"""The compose stack as a user would run it: a night on two workers, of which one dies."""

import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from local_stack.airflow_api import Run
from tests.compose.deployment import Deployment, wait_until
from tests.compose.engine import open_engine
from tests.compose.images import provide_images

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.compose

DAG_ID = "enrich_document_metadata"
TEXTS = {f"{number}.txt": f"Document {number} is about compost." for number in range(6)}
SHARDS = 3
"""Of 3, 2 and 1 documents: no two have the same count."""
PARSED_SECONDS = 300
NIGHT_SECONDS = 900
SLOW_ANSWER_SECONDS = 600


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
            pytest.fail(f"{error}\n{deployment.complaint()}")
        finally:
            deployment.down()


@pytest.fixture(autouse=True)
def _complaint(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[None]:
    """Log what the containers say when a test has failed."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        logger.error(deployment.complaint())


def test_night_survives_the_death_of_a_worker_in_the_middle_of_a_submission(
    deployment: Deployment,
) -> None:
    """The API has accepted a batch; the worker that should have heard of it is gone."""
    deployment.upload(last_night(), TEXTS)
    slow = {"op": "create", "kind": "slow_after", "seconds": SLOW_ANSWER_SECONDS, "times": 1}
    deployment.simulator.control("faults", [slow])
    api = deployment.api
    api.wait_for_dags([DAG_ID, "retry_failures"], timeout_seconds=PARSED_SECONDS)
    for dag_id in ("retry_failures", DAG_ID):
        api.unpause(dag_id)
    wait_until(lambda: api.runs(DAG_ID), seconds=NIGHT_SECONDS)  # the last night runs at once
    (run,) = api.runs(DAG_ID)

    # The one that still runs when all batches exist is the one that waits for its answer.
    wait_until(
        lambda: len(batches(deployment)) == SHARDS and len(submitting(deployment, run)) == 1,
        seconds=NIGHT_SECONDS,
    )
    (task,) = submitting(deployment, run)
    workers = [worker["ID"] for worker in deployment.containers("worker")]
    assert len(workers) == 2
    (victim,) = (worker for worker in workers if worker.startswith(task["hostname"]))
    deployment.engine.docker("kill", victim)

    ended = api.wait_for_run(DAG_ID, run.run_id, timeout_seconds=NIGHT_SECONDS)

    assert ended.state == "success"
    assert len(batches(deployment)) == SHARDS
    assert deployment.simulator.control("bill")["bought_twice"] == 0
    states = "select state, count(*) from nightshift.document_states group by state"
    assert deployment.query(states) == [["enriched", str(len(TEXTS))]]
    assert deployment.query("select count(*) from nightshift.document_metadata") == [
        [str(len(TEXTS))]
    ]
    adopted = "select count(*) from nightshift.batches where is_adopted"
    assert deployment.query(adopted) == [["1"]]


def test_nothing_runs_as_root(deployment: Deployment) -> None:
    containers = deployment.containers()
    assert {"postgres", "redis", "s3", "worker"} <= {one["Service"] for one in containers}
    for container in containers:
        _, *lines = deployment.engine.docker("top", container["ID"], "-eo", "pid,uid").splitlines()
        assert lines
        assert "0" not in {line.split()[1] for line in lines}, container["Service"]


def last_night() -> dt.date:
    """Return the date of the last night that is due: they begin at 02:00 for the day before."""
    return (dt.datetime.now(dt.UTC) - dt.timedelta(days=1, hours=2)).date()


def batches(deployment: Deployment) -> list[Any]:
    """Return the batches that the API has accepted."""
    accepted: list[Any] = deployment.simulator.control("state")["batches"]
    return accepted


def submitting(deployment: Deployment, run: Run) -> list[dict[str, Any]]:
    """Return the tasks that submit a shard at this moment."""
    path = f"/dags/{DAG_ID}/dagRuns/{quote(run.run_id, safe='')}/taskInstances"
    tasks = deployment.api.call("GET", path)["task_instances"]
    return [
        task
        for task in tasks
        if task["task_id"] == "shard.submit_batch" and task["state"] == "running"
    ]
