"""Exports: what nights brought, as Parquet in the work bucket, for those who ask no database."""

import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from include.warehouse.spec_tables import define_spec_answers

if TYPE_CHECKING:
    from include.storage import ObjectStore
    from include.warehouse.session import Warehouse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exported:
    """One file that was written."""

    key: str
    row_count: int


@dataclass(frozen=True, kw_only=True)
class NightExport:
    """What exporting the nights of one spec needs."""

    spec: str
    store: "ObjectStore"
    warehouse: "Warehouse"
    work_dir: Path

    def export_night(self, night: dt.date) -> Exported:
        """Write the answers of all runs of a night; written again, the file is replaced."""
        with self.warehouse.session(read_only=True) as session:
            define_spec_answers(session, self.spec)
            night_text = night.isoformat()
            rows = session.read("read_night_answers", spec=self.spec, night=night_text)
            return self._write(rows, f"night={night_text}.parquet")

    def export_summary(self) -> Exported:
        """Write one row for each night: its counts, and what it cost."""
        with self.warehouse.session(read_only=True) as session:
            return self._write(session.read("read_nights", spec=self.spec), "nights.parquet")

    def _write(self, rows: pa.RecordBatchReader, name: str) -> Exported:
        path, row_count = self.work_dir / name, 0
        with pq.ParquetWriter(path, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
                row_count += batch.num_rows
        key = f"exports/{self.spec}/{name}"
        self.store.upload(path, key)
        logger.info("exported spec=%s key=%s rows=%d", self.spec, key, row_count)
        return Exported(key, row_count)
