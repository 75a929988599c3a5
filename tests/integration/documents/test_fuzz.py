"""Random and mutated documents: whatever comes in, an outcome comes out, twice the same."""

import gzip
import io
import unicodedata
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.pool import ExtractionPool
from tests.unit.documents.nasty import data, mails, office, packed, pages, pdfs, texts
from tests.unit.documents.samples import SAMPLES, make_zip

pytestmark = pytest.mark.integration

LIMITS = ExtractionLimits(
    max_unpacked_bytes=20_000_000, timeout_seconds=30.0, memory_bytes=1_000_000_000
)
MAX_SEED_BYTES = 20_000

SEEDS = [
    *((key, content) for key, content in SAMPLES.items()),
    *(
        (case.key, case.content)
        for kind in (data, mails, office, packed, pages, pdfs, texts)
        for case in kind.NASTY
        if len(case.content) < MAX_SEED_BYTES
    ),
]
MAGICS = [
    b"%PDF-1.7\n1 0 obj\n",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"PK\x03\x04\x14\0\0\0\x08\0",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"<!doctype html>",
    b"<?xml version='1.0'?><",
    b"<svg ",
    b"From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=",
    b"From a@b Mon Jan  1 00:00:00 2024\n",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\0\0\xfe\xff",
    b"\xef\xbb\xbf",
    b"\x1b$B",
    b"{",
    b"",
]
KEYS = ["a", "a.txt", "a.pdf", "a.docx", "a.eml", "a.mbox", "a.html", "a.xml", "a.json", "a.svg"]

FUZZED = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def check() -> Iterator[Callable[[bytes, str], Extraction]]:
    with ExtractionPool(LIMITS, workers=1) as pool:

        def extract(content: bytes, key: str) -> Extraction:
            extraction = pool.extract(io.BytesIO(content), key)
            text = extraction.text or ""
            assert (extraction.text is not None) == (extraction.outcome == "text")
            assert extraction.outcome != "unreadable" or "deeply" in extraction.reason
            assert extraction.outcome == "text" or extraction.reason.endswith(".")
            assert {c for c in text if unicodedata.category(c) in {"Cc", "Cs"}} <= {"\t", "\n"}
            return extraction

        yield extract


@FUZZED
@given(st.sampled_from(MAGICS), st.binary(max_size=2_000), st.sampled_from(KEYS))
def test_anything_behind_a_signature_has_an_outcome(
    check: Callable[[bytes, str], Extraction], magic: bytes, rest: bytes, key: str
) -> None:
    check(magic + rest, key)


@FUZZED
@given(st.sampled_from(SEEDS), st.data())
def test_mutated_documents_have_an_outcome(
    check: Callable[[bytes, str], Extraction], seed: tuple[str, bytes], data: st.DataObject
) -> None:
    key, content = seed
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 50))
        repeats = data.draw(st.sampled_from([0, 1, 2, 50]))
        replacement = data.draw(st.binary(max_size=8)) + content[start:end] * repeats
        content = content[:start] + replacement + content[end:]
    assert check(content, key) == check(content, key)


@FUZZED
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.data())
def test_two_documents_in_one_have_an_outcome(
    check: Callable[[bytes, str], Extraction],
    one: tuple[str, bytes],
    other: tuple[str, bytes],
    data: st.DataObject,
) -> None:
    place = data.draw(st.integers(0, len(one[1])))
    content = one[1][:place] + other[1]
    check(content, one[0])
    check(gzip.compress(content), f"{one[0]}.gz")


@FUZZED
@given(
    st.sampled_from(["document", "header1", "footnotes", "diagrams/data1", "charts/chart1"]),
    st.text(alphabet="<>/&;:abcpwt \"='{}[]!-?x", max_size=300),
)
def test_any_markup_in_a_word_document_has_an_outcome(
    check: Callable[[bytes, str], Extraction], part: str, markup: str
) -> None:
    body = "<w:document xmlns:w='w'><w:p><w:r><w:t>words</w:t></w:r></w:p></w:document>"
    parts: dict[str, str | bytes] = {"word/document.xml": body, f"word/{part}.xml": markup}
    check(make_zip(parts), "a.docx")
