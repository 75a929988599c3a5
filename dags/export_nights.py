"""Two examples of what may follow a night, one for each way to wait for it. Both begin paused.

`export_night` waits for the partitioned asset: it runs once for each green night, whichever it is,
and knows which from its partition key. `summarize_nights` waits for the plain asset: it runs when
any night has ended green. Both write Parquet below `exports/` in the work bucket, the same file
again when a night is run again. They ask the API nothing.
"""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from airflow.sdk import Asset, PartitionedAssetTimetable, dag, get_current_context, task
from shard_tasks import DEFAULT_ARGS

from include.errors import ConfigurationError

SPEC = "document_metadata"
LIKE_BOTH: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "is_paused_upon_creation": True,
    "dagrun_timeout": timedelta(hours=2),
    "default_args": DEFAULT_ARGS,
    "tags": ["nightshift", "example"],
    "doc_md": __doc__,
}


@task(multiple_outputs=False)
def export_night() -> dict[str, Any]:
    """Write the answers of the night that the run was started for."""
    from night_context import work_folder
    from night_steps import open_export

    night = get_current_context()["dag_run"].partition_key
    if night is None:
        msg = "the run has no partition key; trigger it with the night, such as 2026-11-10, as key"
        raise ConfigurationError(msg)
    with work_folder() as work_dir:
        return asdict(open_export(SPEC, work_dir).export_night(date.fromisoformat(night)))


@task(multiple_outputs=False)
def summarize_nights() -> dict[str, Any]:
    """Write one row for each night."""
    from night_context import work_folder
    from night_steps import open_export

    with work_folder() as work_dir:
        return asdict(open_export(SPEC, work_dir).export_summary())


@dag(
    dag_id="export_night",
    schedule=PartitionedAssetTimetable(assets=Asset(f"nightshift/{SPEC}/nights")),
    description="Example: the answers of each green night as a Parquet file",
    **LIKE_BOTH,
)
def export() -> None:
    """One task: one night."""
    export_night()


@dag(
    dag_id="summarize_nights",
    schedule=[Asset(f"nightshift/{SPEC}")],
    description="Example: a table of all nights as a Parquet file, after each green night",
    **LIKE_BOTH,
)
def summarize() -> None:
    """One task: all nights."""
    summarize_nights()


export()
summarize()
