"""One try of a task with Airflow's `LLMBatchOperator`.

Runs in an environment of its own; the command line names the documents, the operator's result
path, where answers go, and the run. A second try of the same run is a retry of the task.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from airflow.providers.common.ai.operators.llm_batch import (  # type: ignore[import-not-found]  # of its own environment
    LLMBatchOperator,
)


def main(documents: Path, result_path: str, answers: Path, run_id: str) -> None:
    """Execute the operator once, with its defaults but for waiting in the task."""
    prompts = [f"What is this about? {text}" for text in json.loads(documents.read_text())]
    enrich = LLMBatchOperator(
        task_id="enrich",
        requests=prompts,
        result_path=result_path,
        llm_conn_id="llm",
        model_id="anthropic:claude-haiku-5-5",
        poll_interval=30,
        deferrable=False,
    )
    task_instance = SimpleNamespace(
        dag_id="compare", task_id="enrich", run_id=run_id, map_index=-1, xcom_push=lambda **_: None
    )
    manifest = enrich.execute({"task_instance": task_instance, "ti": task_instance})
    landed = [
        json.loads(line) for line in Path(manifest["result_uri"][7:]).read_text().splitlines()
    ]
    good = [
        {"id": row["custom_id"], "end": row["finish_reason"]}
        for row in landed
        if row["status"] == "success"
    ]
    answers.write_text("".join(json.dumps(one) + "\n" for one in good))


main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4])
