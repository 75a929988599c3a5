"""A DuckDB in memory for joins over files: bounded, and gone when the task ends."""

from pathlib import Path

import duckdb

MEMORY_LIMIT = "1GB"
"""What joins may hold in memory; the rest spills to the task's work folder."""


def open_scratch(work_dir: Path) -> duckdb.DuckDBPyConnection:
    """Open an empty database that spills to `work_dir`."""
    return duckdb.connect(
        ":memory:", config={"temp_directory": str(work_dir), "memory_limit": MEMORY_LIMIT}
    )
