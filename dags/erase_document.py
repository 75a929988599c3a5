"""Erases what one document said: its text, its answers and what errors quoted of it.

It covers all versions of the object, in the work bucket and in the warehouse; identities and costs
stay. Delete the object itself first: this DAG does not touch the documents bucket. While a batch
may still bring an answer about the document it refuses, and says which shard to wait for. Whatever
stops it half way, running it again finishes. docs/erasure.md tells what remains elsewhere.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task
from shard_tasks import DEFAULT_ARGS

from include.specs import load_catalog

PARAMS = {
    "uri": Param(
        None,
        type="string",
        pattern="^s3://[^/]+/.+$",
        maxLength=2_000,
        title="Document",
        description="Address of the object, as in `document_uri` of the warehouse.",
    ),
    "spec": Param(
        None,
        type=["null", "string"],
        enum=[None, *sorted(load_catalog().specs)],
        title="Spec",
        description="Empty: every spec that knows the document.",
    ),
    "reason": Param(
        None,
        type="string",
        minLength=10,
        maxLength=500,
        title="Reason",
        description="Kept with the erasure; name no person in it.",
    ),
}


@task(multiple_outputs=False)
def erase_document() -> list[dict[str, Any]]:
    """Erase the document, and return what went and what stayed."""
    from night_context import work_folder
    from night_steps import open_erasure

    with work_folder() as work_dir:
        return [asdict(one) for one in open_erasure(work_dir).erase()]


@dag(
    dag_id="erase_document",
    schedule=None,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    tags=["nightshift", "by hand"],
    description="Erase what a document said, wherever the pipeline keeps it",
    doc_md=__doc__,
)
def erase() -> None:
    """One task: one document."""
    erase_document()


erase()
