"""Which warehouse a connection means."""

from collections.abc import Callable
from pathlib import Path

from include.errors import ConfigurationError
from include.warehouse.duckdb_warehouse import open_duckdb
from include.warehouse.session import Warehouse


def connect_warehouse(kind: str, uri: str) -> Warehouse:
    """Return the warehouse of a connection.

    Args:
        uri: For `duckdb` the path of the file.

    Raises:
        ConfigurationError: There is no such kind of warehouse.
    """
    if kind == "duckdb" and not Path(uri).is_absolute():
        msg = f"the warehouse connection needs the absolute path of a file as host, not {uri!r}"
        raise ConfigurationError(msg)
    if kind not in _OPENERS:
        msg = f"warehouse kind {kind!r} is not known; use one of: {', '.join(_OPENERS)}"
        raise ConfigurationError(msg)
    return _OPENERS[kind](uri)


_OPENERS: dict[str, Callable[[str], Warehouse]] = {"duckdb": lambda uri: open_duckdb(Path(uri))}
