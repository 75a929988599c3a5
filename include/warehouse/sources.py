"""Rows on their way into a database, and what goes wrong while they are read."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


class RowSource:
    """Rows for a driver: of an error it keeps only the text, and a task needs to know its kind."""

    def __init__(self, rows: pa.RecordBatchReader) -> None:
        self._rows = rows
        self._error: Exception | None = None

    @property
    def reader(self) -> pa.RecordBatchReader:
        """The rows, to be read once."""
        return pa.RecordBatchReader.from_batches(self._rows.schema, self._batches())

    @contextmanager
    def errors_as_raised(self) -> Iterator[None]:
        """Raise what went wrong with the rows as it was, not as a driver tells it."""
        try:
            yield
        except Exception:
            if self._error is None:
                raise
            raise self._error from None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._rows
        except Exception as error:
            self._error = error
            raise
