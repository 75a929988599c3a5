import gzip
import io
import sys
import zlib
from collections.abc import Iterator

import pytest

from include.documents.extraction import ExtractionLimits
from include.documents.pool import ExtractionPool
from tests.unit.documents.nasty.pdfs import make_book, make_page_tree, make_stream
from tests.unit.documents.samples import make_docx, make_zip, paragraph

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only"),
]

LIMITS = ExtractionLimits(
    max_object_bytes=5_000_000,
    max_unpacked_bytes=20_000_000,
    max_characters=1_000_000,
    timeout_seconds=20.0,
    memory_bytes=300_000_000,
)


def _packed(content: bytes) -> str:
    return make_stream(zlib.compress(content).decode("latin-1"), "/Filter /FlateDecode ")


def _pdf_of(stream: str, *further: str) -> bytes:
    page = (
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 5 0 R "
        "/Resources << /Font << /F1 3 0 R >> /XObject << /X 6 0 R >> >> >>"
    )
    return make_page_tree("4 0 R", 1, page, stream, *further)


_FORM_IN_ITSELF = make_stream(
    "/X Do " * 10,
    "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> ",
)
_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))

BOMBS: dict[str, tuple[str, bytes, set[str]]] = {
    "blanks in gzip": ("a.txt.gz", gzip.compress(b" " * 300_000_000, 1), {"too_large"}),
    "empty members of gzip": ("a.gz", gzip.compress(b"") * 200_000, {"empty"}),
    "blanks in Word": ("a.docx", make_docx(paragraph(" " * 30_000_000)), {"too_large"}),
    "paragraphs in paragraphs": ("a.docx", make_docx("<w:p>" * 500_000), {"corrupt"}),
    "parts without number": (
        "a.docx",
        make_zip(
            {f"word/header{n}.xml": "<a/>" for n in range(20_000)} | {"word/document.xml": ""}
        ),
        {"corrupt"},
    ),
    "blanks in a page": ("a.pdf", _pdf_of(_packed(b" " * 200_000_000)), {"empty", "unreadable"}),
    "lines in a page": (
        "a.pdf",
        _pdf_of(_packed(b"0 0 m 9 9 l S " * 5_000_000)),
        {"image_only", "unreadable"},
    ),
    "words in a page": (
        "a.pdf",
        _pdf_of(_packed(b"BT /F1 9 Tf " + b"(ab cd) Tj " * 5_000_000)),
        {"unreadable", "too_large"},
    ),
    "form in itself": (
        "a.pdf",
        _pdf_of(make_stream("/X Do " * 10), _FORM_IN_ITSELF),
        {"unreadable"},
    ),
    "arrays in arrays": ("a.pdf", b"%PDF-1.7\n1 0 obj\n" + b"[" * 1_000_000, {"corrupt"}),
    "entities in entities": (
        "a.xml",
        f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "x">{_ENTITIES}]><a>&e29;</a>'.encode(),
        {"text"},
    ),
    "elements in elements": ("a.xml", b"<?xml version='1.0'?>" + b"<a>" * 300_000, {"text"}),
    "objects in objects": ("a.json", b'{"a":' * 150_000, {"text"}),
    "one line": ("a.txt", b"a" * 4_000_000, {"too_large"}),
    "a million parts": (
        "a.eml",
        b"From: a\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n\n" * 600_000,
        {"too_large"},
    ),
    "parts in parts": (
        "a.eml",
        b"From: a\n"
        + b"".join(
            b"Content-Type: multipart/x; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(9_999)
        ),
        {"unreadable"},
    ),
    "mails in mails": (
        "a.eml",
        b"From: a\nContent-Type: message/rfc822\n\n" * 9_999,
        {"unreadable"},
    ),
    "encoded words": ("a.eml", b"Subject: " + b"=?utf-8?q?a?= " * 60_000 + b"\n\nx", {"text"}),
    "comments before a page": ("a", b"<!---->" * 580 + b"<p>words", {"text"}),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    with ExtractionPool(LIMITS, workers=1) as pool:
        yield pool


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_costs_itself_only(pool: ExtractionPool, name: str) -> None:
    key, content, outcomes = BOMBS[name]
    extraction = pool.extract(io.BytesIO(content), key)
    assert extraction.outcome in outcomes, extraction.reason
    assert "seconds" not in extraction.reason
    assert pool.extract(io.BytesIO(b"words"), "a.txt").text == "words"


def test_book_of_900_pages_is_read_whole(pool: ExtractionPool) -> None:
    extraction = pool.extract(io.BytesIO(make_book(900)), "a.pdf")
    assert (extraction.outcome, extraction.pages) == ("text", 900)
    assert (extraction.text or "").endswith("Line 9 of page 900")
