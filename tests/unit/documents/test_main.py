import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.documents.__main__ import SCHEMA, extract_folder, main
from include.documents.extraction import ExtractionLimits
from include.documents.reading import extract
from tests.unit.documents.samples import SAMPLES, make_scan

ROOT = Path(__file__).parents[3]


def test_folder_becomes_a_row_per_file(tmp_path: Path) -> None:
    folder, out = tmp_path / "docs", tmp_path / "new" / "out.parquet"
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
    assert "1 without usable text can be sent by vision=True" in finished.stdout
    assert "14 documents" in finished.stdout
    assert finished.stderr == "14 of 14 files\n"


def test_result_within_the_folder_is_no_document_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    out = tmp_path / "out.parquet"
    for _ in range(2):
        extract_folder(tmp_path, out, workers=1)
        assert pq.read_table(out)["key"].to_pylist() == ["a.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out.parquet"]


def test_empty_folder_becomes_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    extract_folder(tmp_path / "docs", tmp_path / "out.parquet", workers=1)
    table = pq.read_table(tmp_path / "out.parquet")
    assert (table.num_rows, table.schema) == (0, SCHEMA)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", "out"], "name a folder"),
        (["nowhere", "out"], "'nowhere' is no folder"),
        ([".", "out", "--workers", "0"], "0 workers cannot work"),
        ([".", "out", "--manifest", "nowhere.csv"], "manifest nowhere.csv cannot be read"),
    ],
    ids=["no folder", "missing folder", "no workers", "missing manifest"],
)
def test_wrong_command_says_what_to_do(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code != 0
    assert message in f"{capsys.readouterr().err}{caught.value.code}"
    assert list(tmp_path.iterdir()) == []
