"""The request index: which document became which request, and where its line lies."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from include.segments import Place, SegmentWriter

INDEX_SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("content_sha256", pa.string()),
        ("media_type", pa.string()),
        ("extraction_outcome", pa.string()),
        ("characters", pa.int64()),
        ("pages", pa.int32()),
        ("fixed_state", pa.string()),
        ("fixed_reason", pa.string()),
        ("request_id", pa.string()),
        ("enrichment_id", pa.string()),
        ("part_number", pa.int32()),
        ("part_count", pa.int32()),
        ("left_out_characters", pa.int64()),
        ("model", pa.string()),
        ("prompt_characters", pa.int64()),
        ("picture_tokens", pa.int64()),
        ("token_class", pa.string()),
        ("segment_key", pa.string()),
        ("frame_start", pa.int64()),
        ("frame_length", pa.int64()),
        ("line_start", pa.int64()),
        ("line_length", pa.int64()),
    ]
)
"""One row per document, or for each part of a document that is asked about in parts.

`fixed_state` is set for documents that are not asked about. What the answer becomes is
`enrichment_id`: the request's id, or one for all parts together. `model` is set where another than
the spec's is asked. What is no text in a request is
not counted in `prompt_characters`, but estimated in `picture_tokens`, which text leaves empty.
Requests of one `token_class` have about the same number of characters to a token.
"""

ROWS_PER_GROUP = 2_000


class RequestIndexWriter:
    """Writes a segment and its index side by side; a request that repeats is written once."""

    def __init__(self, segment_path: Path, index_path: Path, *, segment_key: str) -> None:
        """Write to two local files; `segment_key` is where the first will lie."""
        self._file = segment_path.open("wb")
        self._segment = SegmentWriter(self._file, segment_key)
        self._index = pq.ParquetWriter(index_path, INDEX_SCHEMA)
        self._places: dict[str, Place] = {}
        self._unplaced: dict[str, None] = {}
        self._rows: list[dict[str, Any]] = []
        self.row_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._index.close()
        self._file.close()

    @property
    def request_count(self) -> int:
        """Distinct requests so far."""
        return len(self._places) + len(self._unplaced)

    def add(self, row: dict[str, Any], line: bytes | None = None) -> None:
        """Add a document's row and, where it has a `request_id`, the line of its request."""
        if line is not None:
            request_id = row["request_id"]
            if request_id not in self._places and request_id not in self._unplaced:
                self._unplaced[request_id] = None
                self._place(self._segment.append(line))
        self._rows.append(row)
        self.row_count += 1
        if len(self._rows) >= ROWS_PER_GROUP:
            self._flush()

    def _place(self, places: list[Place]) -> None:
        if places:
            self._places.update(zip(self._unplaced, places, strict=True))
            self._unplaced = {}

    def _flush(self) -> None:
        """Close the frame, so that all places are known, and write the rows."""
        self._place(self._segment.close_frame())
        for row in self._rows:
            place = self._places.get(row.get("request_id") or "")
            row.update(place._asdict() if place else {})
        self._index.write_table(pa.Table.from_pylist(self._rows, schema=INDEX_SCHEMA))
        self._rows = []
