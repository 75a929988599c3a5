"""Which warehouse a connection means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from include.errors import ConfigurationError
from include.warehouse.duckdb_warehouse import MEMORY_LIMIT_BYTES, open_duckdb
from include.warehouse.session import Warehouse


@dataclass(frozen=True, slots=True)
class WarehouseConnection:
    """The fields of an Airflow connection, by their names there."""

    conn_type: str
    host: str = ""
    """Of a server; for `duckdb` the path of the file."""
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    """The database."""
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What else the database's own client understands, such as `sslmode`; for `duckdb`
    `memory_limit_bytes`."""


def connect_warehouse(connection: WarehouseConnection) -> Warehouse:
    """Return the warehouse of a connection.

    Raises:
        ConfigurationError: There is no such kind of warehouse, or a field is missing.
    """
    if connection.conn_type not in _OPENERS:
        kinds = ", ".join(_OPENERS)
        msg = f"warehouse kind {connection.conn_type!r} is not known; use one of: {kinds}"
        raise ConfigurationError(msg)
    return _OPENERS[connection.conn_type](connection)


def _open_duckdb(connection: WarehouseConnection) -> Warehouse:
    path = Path(connection.host)
    if not path.is_absolute():
        msg = (
            "the warehouse connection needs the absolute path of a file as host, "
            f"not {connection.host!r}"
        )
        raise ConfigurationError(msg)
    written = str(connection.extra.get("memory_limit_bytes", MEMORY_LIMIT_BYTES))
    limit = int(written) if written.isdecimal() else 0  # one in a URI is a text
    if set(connection.extra) - {"memory_limit_bytes"} or not limit:
        msg = (
            "the extra of a warehouse connection of type duckdb has one field, memory_limit_bytes, "
            f"a whole number of bytes; found: {', '.join(sorted(connection.extra))}"
        )
        raise ConfigurationError(msg)
    return open_duckdb(path, memory_limit_bytes=limit)


def _open_postgres(connection: WarehouseConnection) -> Warehouse:
    from include.warehouse.postgres_warehouse import open_postgres  # noqa: PLC0415 - not for DuckDB

    needed = {"host": connection.host, "login": connection.login, "schema": connection.schema}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        msg = (
            f"the warehouse connection of type postgres lacks {', '.join(missing)}; "
            "its schema is the name of the database"
        )
        raise ConfigurationError(msg)
    return open_postgres(_postgres_uri(connection))


def _postgres_uri(connection: WarehouseConnection) -> str:
    credentials = quote(connection.login, safe="")
    if connection.password:
        credentials += ":" + quote(connection.password, safe="")
    host = quote(connection.host, safe=",")
    port = f":{connection.port}" if connection.port else ""
    extra = {name: str(value) for name, value in connection.extra.items()}
    options = f"?{urlencode(extra, quote_via=quote)}" if extra else ""
    return f"postgresql://{credentials}@{host}{port}/{quote(connection.schema, safe='')}{options}"


_OPENERS: dict[str, Callable[[WarehouseConnection], Warehouse]] = {
    "duckdb": _open_duckdb,
    "postgres": _open_postgres,
}
