"""Open clients from Airflow connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.config import Settings
from include.errors import ConfigurationError
from include.library_logs import quiet_libraries

if TYPE_CHECKING:
    from anthropic import Anthropic
    from mypy_boto3_s3 import S3Client

    from include.storage import ObjectStore
    from include.token_sampling import TokenCounter
    from include.warehouse.session import Warehouse

AWS_CONN_ID = "aws_default"
ANTHROPIC_CONN_ID = "anthropic_default"
WAREHOUSE_CONN_ID = "warehouse"


def open_s3(settings: Settings, *, is_hurried: bool = False) -> "S3Client":
    """Open the S3 client of connection `aws_default`.

    Args:
        settings: The settings.
        is_hurried: A person waits: give up after seconds instead of minutes.
    """
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",  # as encryption by KMS demands
        retries={"mode": "standard", "max_attempts": 2 if is_hurried else 6},
        connect_timeout=3 if is_hurried else 60,
        read_timeout=5 if is_hurried else 60,
        max_pool_connections=settings.fetch_threads + 4,
    )
    try:
        client: S3Client = S3Hook(aws_conn_id=AWS_CONN_ID, config=config).get_conn()
    except ValueError as error:
        msg = f"the Airflow connection {AWS_CONN_ID!r} cannot be used: {error}"
        raise ConfigurationError(msg) from error
    quiet_libraries()
    return client


def open_store(settings: Settings) -> "ObjectStore":
    """Open the work bucket."""
    from include.storage import ObjectStore

    return ObjectStore(open_s3(settings), settings.work_bucket, settings.work_prefix)


def open_quick_store(settings: Settings) -> "ObjectStore":
    """Open the work bucket for a person who waits for a page."""
    from include.storage import ObjectStore

    client = open_s3(settings, is_hurried=True)
    return ObjectStore(client, settings.work_bucket, settings.work_prefix)


@contextmanager
def open_anthropic(conn_id: str = ANTHROPIC_CONN_ID) -> Iterator["Anthropic"]:
    """Open the SDK client of an Anthropic connection, which speaks to the host of that alone.

    Raises:
        ConfigurationError: There is no such connection, it has no key, or its platform has no
            Message Batches.
    """
    from airflow.providers.anthropic.hooks.anthropic import AnthropicHook
    from airflow.sdk.exceptions import AirflowNotFoundException
    from anthropic import Anthropic, DefaultHttpxClient

    try:
        client = AnthropicHook(conn_id).get_conn()
    except AirflowNotFoundException as error:
        msg = f"there is no Airflow connection {conn_id!r}; add one of type Anthropic with a key"
        raise ConfigurationError(msg) from error
    if not isinstance(client, Anthropic):
        msg = f"connection {conn_id!r} leads to {type(client).__name__}, without Message Batches"
        raise ConfigurationError(msg)
    if not (client.api_key or "").strip() and not client.auth_token and client.credentials is None:
        msg = f"connection {conn_id!r} has no API key; put it into the password field"
        raise ConfigurationError(msg)
    quiet_libraries()
    # Whoever the API redirects to would be sent documents.
    with client.with_options(http_client=DefaultHttpxClient(follow_redirects=False)) as pinned:
        yield pinned


@contextmanager
def open_token_counter() -> Iterator["TokenCounter"]:
    """Open what counts the tokens of a sample for a forecast."""
    from include.token_counting import ApiTokenCounter

    with open_anthropic() as client:
        yield ApiTokenCounter(client)


def open_warehouse() -> "Warehouse":
    """Open the warehouse of connection `warehouse`: its type chooses the backend.

    Raises:
        ConfigurationError: There is no such connection, or no backend for its type.
    """
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from include.warehouse.connections import WarehouseConnection, connect_warehouse

    try:
        connection = Connection.get(WAREHOUSE_CONN_ID)
    except AirflowNotFoundException as error:
        msg = f"there is no Airflow connection {WAREHOUSE_CONN_ID!r}; docs/runbook.md tells how"
        raise ConfigurationError(msg) from error
    return connect_warehouse(
        WarehouseConnection(
            conn_type=connection.conn_type,
            host=connection.host or "",
            port=connection.port,
            login=connection.login or "",
            password=connection.password or "",
            schema=connection.schema or "",
            extra=connection.extra_dejson,
        )
    )
