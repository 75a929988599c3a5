import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from include.documents.__main__ import SCHEMA
from include.documents.extraction import ExtractionLimits
from include.documents.reading import extract
from tests.unit.documents.samples import SAMPLES, make_scan

ROOT = Path(__file__).parents[3]


def test_folder_becomes_a_row_per_file(tmp_path: Path) -> None:
    folder, out = tmp_path / "docs", tmp_path / "out.parquet"
    for key, content in (SAMPLES | {"empty": b"", "scan.pdf": make_scan()}).items():
        path = folder / "below" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    command = [sys.executable, "-m", "include.documents", str(folder), str(out), "--workers", "1"]
    finished = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    table = pq.read_table(out)
    rows = {row["key"]: row for row in table.to_pylist()}
    assert table.schema == SCHEMA
    assert list(rows) == sorted(f"below/{key}" for key in [*SAMPLES, "empty", "scan.pdf"])
    for key, content in SAMPLES.items():
        expected = extract(content, key, ExtractionLimits())
        assert (rows[f"below/{key}"]["outcome"], rows[f"below/{key}"]["text"]) == (
            "text",
            expected.text,
        )
    assert rows["below/empty"]["outcome"] == "empty"
    assert rows["below/scan.pdf"]["outcome"] == "image_only"
    assert "1 without usable text can be sent by vision=True\n14 documents" in finished.stdout
    assert finished.stderr == "14 documents\n"
