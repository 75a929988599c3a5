"""Rows that come one by one, written to Parquet column by column."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_GROUP = 5_000


class ColumnFile:
    """Buffers the rows of one Parquet file; what all rows share is kept once."""

    def __init__(
        self, writer: pq.ParquetWriter, names: Sequence[str], shared: Mapping[str, Any]
    ) -> None:
        """Write tuples whose values are called `names`; a column of neither kind stays empty."""
        self._writer = writer
        self._names = tuple(names)
        self._shared = shared
        self._rows: list[tuple[Any, ...]] = []
        self.count = 0

    def add(self, row: tuple[Any, ...]) -> None:
        """Add a row; every so often a group of them is written."""
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= ROWS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        if not self._rows:
            return
        columns = dict(zip(self._names, zip(*self._rows, strict=True), strict=True))
        schema: pa.Schema = self._writer.schema
        arrays = [self._array(field, columns) for field in schema]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
        self._rows = []

    def _array(self, field: pa.Field, columns: Mapping[str, Sequence[Any]]) -> pa.Array:
        if field.name in columns:
            return pa.array(columns[field.name], field.type)
        return pa.repeat(pa.scalar(self._shared.get(field.name), field.type), len(self._rows))
