"""Things that come one by one, written to Parquet column by column."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_GROUP = 5_000

Columns = Mapping[str, Sequence[Any] | pa.ChunkedArray]
ThingT = TypeVar("ThingT")


class ColumnFile(Generic[ThingT]):
    """Buffers the rows of one Parquet file; what all rows share is kept once."""

    def __init__(
        self,
        writer: pq.ParquetWriter,
        columns_of: Callable[[Sequence[ThingT]], Columns],
        shared: Mapping[str, Any],
    ) -> None:
        """Write what `columns_of` makes of a group; what neither it nor `shared` has is empty."""
        self._writer = writer
        self._columns_of = columns_of
        self._shared = shared
        self._things: list[ThingT] = []
        self.count = 0

    def add(self, thing: ThingT) -> None:
        """Add what becomes a row; every so often a group of them is written."""
        self._things.append(thing)
        self.count += 1
        if len(self._things) >= ROWS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        if not self._things:
            return
        columns = self._columns_of(self._things)
        schema: pa.Schema = self._writer.schema
        arrays = [self._array(field, columns) for field in schema]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._things = []

    def _array(self, field: pa.Field, columns: Columns) -> pa.Array | pa.ChunkedArray:
        if field.name not in columns:
            return pa.repeat(pa.scalar(self._shared.get(field.name), field.type), len(self._things))
        column = columns[field.name]
        is_array = isinstance(column, pa.ChunkedArray)
        return column if is_array else pa.array(column, field.type)
