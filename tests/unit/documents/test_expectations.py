import hashlib
from pathlib import Path

import pytest

from include.documents.expectations import Expectation, judge, read_expectations
from include.documents.extraction import Extraction
from include.documents.folders import LocalDocument
from include.documents.tally import Tally
from include.errors import ConfigurationError


def _extraction(text: str | None = "some words", outcome: str = "text") -> Extraction:
    return Extraction(outcome, "", "text/plain", text=text)  # type: ignore[arg-type]  # any outcome


def test_lines_of_one_document_add_up(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("path,format\na.txt,txt\nb.txt,txt\n")
    two.write_text("path,outcome,phrase\na.txt,text,first\na.txt,text,second\n")
    assert read_expectations([one, two]) == {
        "a.txt": Expectation("text", ["first", "second"]),
        "b.txt": Expectation(),
    }


def test_manifest_without_paths_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file,outcome\n")
    with pytest.raises(ConfigurationError, match="no column `path`"):
        read_expectations([tmp_path / "m.csv"])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_expectations([tmp_path / "none.csv"])


def test_white_space_and_ligatures_make_no_difference() -> None:
    verdict = judge(_extraction("the \ufb01rst\n\nof them"), Expectation("text", ["first of"]))
    assert (verdict.missed_phrases, verdict.wrong_outcome) == ((), None)


def test_miss_is_told_with_what_was_expected() -> None:
    tally = Tally({"a.txt": Expectation("empty", ["words", "others"])})
    tally.add(LocalDocument("a.txt", 10, _extraction()))
    assert tally.misses == ["a.txt: text instead of empty", "a.txt: does not have 'others'"]
    assert (tally.rate("phrases"), tally.rate("outcomes")) == (0.5, 0.0)


def test_report_is_a_table_of_formats_and_outcomes() -> None:
    tally = Tally()
    for _ in range(3):
        tally.add(LocalDocument("a.txt", 500_000, _extraction()))
    tally.add(LocalDocument("b.txt", 500_000, _extraction(None, "empty")))
    assert tally.report(2.0).splitlines() == [
        "format  documents   MB  text  empty",
        "txt             4  2.0     3      1",
        "all             4  2.0     3      1",
        "",
        "4 documents, 2.0 MB in 2.0 s: 2 documents/s, 1.0 MB/s",
    ]


def test_report_of_nothing_is_a_report() -> None:
    assert "0 documents" in Tally().report(1.0)


def test_phrase_may_be_known_by_its_digest_alone() -> None:
    digest = hashlib.sha256(b"first of").hexdigest()
    expected = Expectation("text", phrase_digests=[f"2:{digest}"])
    assert judge(_extraction("the first\nof them"), expected).missed_phrases == ()
    assert judge(_extraction("the first"), expected).missed_phrases == (f"2:{digest}",)
