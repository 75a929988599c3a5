"""Airflow's `LLMBatchOperator`, waiting in its task."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

from airflow.providers.common.ai.operators.llm_batch import (  # type: ignore[import-not-found]  # of its own environment
    LLMBatchOperator,
)

from tests.benchmarks.peers import asking
from tests.benchmarks.peers.jobs import PeerJob


def ask(job: PeerJob, texts: list[str]) -> int:
    """Execute the operator once; return how many of its rows are successes."""
    connection = {"conn_type": "pydanticai", "host": job.simulator_url, "password": "not-a-key"}
    os.environ["AIRFLOW_CONN_LLM"] = json.dumps(connection)
    enrich = LLMBatchOperator(
        task_id="enrich",
        requests=texts,
        system_prompt=asking.QUESTION,
        output_type=asking.Answer,
        result_path=f"file://{job.folder}/state",
        llm_conn_id="llm",
        model_id=f"anthropic:{asking.MODEL}",
        poll_interval=30,  # less is refused
        deferrable=False,
    )
    task = SimpleNamespace(
        dag_id="bench", task_id="enrich", run_id="one", map_index=-1, xcom_push=lambda **_: None
    )
    manifest = enrich.execute({"task_instance": task, "ti": task})
    with Path(manifest["result_uri"].removeprefix("file://")).open() as lines:
        return sum(json.loads(line)["status"] == "success" for line in lines)


if __name__ == "__main__":
    asking.run(ask)
