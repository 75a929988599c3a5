"""Reports where a load read from and wrote to, to whoever listens for lineage."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.config import Settings
    from include.runs import RunManifest

POSTGRES_PORT = 5432


def trace_load(manifest: "RunManifest", settings: "Settings") -> None:
    """Name the prefix of the documents as input, and the tables of the spec as outputs.

    Nothing happens unless a provider has registered a reader of lineage, as OpenLineage's does
    where it has a transport.
    """
    from airflow.sdk import plugins_manager
    from airflow.sdk.lineage import get_hook_lineage_collector

    if not plugins_manager.get_hook_lineage_readers_plugins():
        return
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from nightshift_clients import AWS_CONN_ID

    hook = S3Hook(aws_conn_id=AWS_CONN_ID)
    collector = get_hook_lineage_collector()
    spec = manifest.spec
    collector.add_input_asset(
        hook,
        scheme="s3",
        asset_kwargs={
            "bucket": spec.source_bucket or settings.documents_bucket,
            "key": lasting_prefix(spec.source_prefix),
        },
    )
    for output in _outputs(spec.name):
        collector.add_output_asset(hook, **output)


def lasting_prefix(prefix: str) -> str:
    """Return the part of a prefix that is the same every night, without its last slash."""
    before_date, date, _ = prefix.partition("{ds}")
    return before_date.rpartition("/")[0] if date else prefix.rstrip("/")


def _outputs(spec_name: str) -> list[dict[str, Any]]:
    """Return the tables of a spec; of DuckDB the file, as lineage has no name for its tables."""
    from airflow.sdk import Connection
    from nightshift_clients import WAREHOUSE_CONN_ID

    connection = Connection.get(WAREHOUSE_CONN_ID)
    host = connection.host or ""
    if connection.conn_type == "duckdb":
        return [{"scheme": "file", "asset_kwargs": {"path": host}}]
    address = {
        "host": host.partition(",")[0],  # libpq takes several, of which one is in use
        "port": connection.port or POSTGRES_PORT,
        "database": connection.schema or "",
        "schema": "nightshift",
    }
    return [
        {"scheme": "postgres", "asset_kwargs": address | {"table": table}}
        for table in (spec_name, f"{spec_name}_enrichments")
    ]
