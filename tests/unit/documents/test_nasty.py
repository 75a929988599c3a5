import unicodedata

import pytest

from include.documents.extraction import ExtractionLimits
from include.documents.reading import extract
from tests.unit.documents.nasty import data, mails, office, packed, pages, pdfs, texts
from tests.unit.documents.nasty.case import Nasty

LIMITS = ExtractionLimits()
KINDS = (texts, mails, pages, data, packed, office, pdfs)
CASES = [
    pytest.param(case, id=f"{kind.__name__.rpartition('.')[2]}: {case.name}")
    for kind in KINDS
    for case in kind.NASTY
]


@pytest.mark.parametrize("case", CASES)
def test_nasty_document_becomes_text_or_says_why_not(case: Nasty) -> None:
    extraction = extract(case.content, case.key, LIMITS)
    text = extraction.text or ""
    assert (extraction.outcome, extraction.reason) == (case.outcome, extraction.reason)
    assert [phrase for phrase in case.has if phrase not in text] == []
    assert [phrase for phrase in case.lacks if phrase in text] == []
    assert case.reason in extraction.reason
    assert case.media_type in {None, extraction.media_type}
    assert case.encoding in {None, extraction.encoding}
    assert {c for c in text if unicodedata.category(c) in {"Cc", "Cs"}} <= {"\t", "\n"}


@pytest.mark.parametrize("case", CASES[::5])
def test_what_was_read_before_changes_nothing(case: Nasty) -> None:
    before = extract(case.content, case.key, LIMITS)
    for other in (pdfs.NASTY[0], texts.NASTY[0]):
        extract(other.content, other.key, LIMITS)
    assert extract(case.content, case.key, LIMITS) == before
