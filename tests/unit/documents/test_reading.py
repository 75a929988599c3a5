import gzip
import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.reading import extract
from tests.unit.documents.samples import SAMPLES, make_image, make_pdf, make_zip

LIMITS = ExtractionLimits(max_unpacked_bytes=100_000, max_characters=10_000)
_gzip = partial(gzip.compress, mtime=0)  # the same bytes, and so the same names, in every process
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a.txt", "Zwölf Boxkämpfer jagen Viktor"),
        ("b.md", "# Title\n\n- one\n- two\n"),
        ("c.html", "T\n\nOne\n\n1\t2"),
        ("d.xml", 'order id="7"\n  item: Tea'),
        ("e.pdf", "Hello page one\n\nHello page two"),
        ("f.docx", "Hello Word\n\nA note"),
        (
            "g.eml",
            "From: Ada <ada@example.org>\nTo: Bob <bob@example.org>\nSubject: Grüße\n\nplain words",
        ),
        ("h.mbox", "Subject: one\n\nfirst\n\n\nsecond"),
        ("i.json", '{"name": "Zoë"}'),
        ("j.csv", "a,b\n1,2\n"),
        ("k.txt.gz", "packed words"),
        ("l.rst", "Title\n=====\n\n.. note:: words\n"),
    ],
)
def test_every_format_yields_its_text(key: str, text: str) -> None:
    extraction = extract(SAMPLES[key], key, LIMITS)
    assert (extraction.outcome, extraction.text) == ("text", text)
    assert extraction.characters == len(text)
    assert extraction.reason == ""


def test_extraction_says_how_the_text_was_won() -> None:
    extraction = extract(SAMPLES["e.pdf"], "wrong.txt", LIMITS)
    assert extraction == Extraction(
        outcome="text",
        reason="",
        media_type="application/pdf",
        extractor="pypdfium2",
        characters=30,
        pages=2,
        text="Hello page one\n\nHello page two",
    )


@pytest.mark.parametrize(
    ("content", "outcome", "media_type"),
    [
        (b"", "empty", "application/octet-stream"),
        (b" \n\t", "empty", "application/octet-stream"),
        (b"<html><script>x</script>", "empty", "text/html"),
        (b"\x89PNG\r\n\x1a\nrest", "corrupt", "image/png"),
        (make_image("PNG"), "image_only", "image/png"),
        (_gzip(make_image("JPEG")), "image_only", "image/jpeg"),
        (make_image("TIFF"), "image_only", "image/tiff"),
        (make_image("BMP"), "image_only", "image/bmp"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "application/x-ole-encrypted"),
        (OLE + "WordDocument".encode("utf-16-le"), "unsupported", "application/msword"),
        (make_zip({"xl/workbook.xml": ""}), "unsupported", None),
        (make_zip({"mimetype": "application/epub+zip"}), "unsupported", "application/epub+zip"),
        (make_zip({"notes.txt": "words"}), "unsupported", "application/zip"),
        (make_zip({"notes.txt": "words"})[:-9], "corrupt", None),
        (_gzip(b"words")[:-9], "corrupt", None),
        (_gzip(_gzip(b"words")), "unsupported", "application/gzip"),
        (_gzip(b"0" * 100_001), "too_large", None),
        (b"words " * 2_000, "too_large", "text/plain"),
        (bytes(range(256)) * 20, "unsupported", "text/plain"),
    ],
)
def test_what_has_no_text_says_why(content: bytes, outcome: str, media_type: str | None) -> None:
    extraction = extract(content, "object", LIMITS)
    assert (extraction.outcome, extraction.text) == (outcome, None)
    assert extraction.reason.endswith(".")
    assert media_type is None or extraction.media_type == media_type


@pytest.mark.parametrize("key", sorted(SAMPLES))
def test_gzip_around_a_format_changes_nothing_but_the_bytes(key: str) -> None:
    if key.endswith(".gz"):
        return
    packed = gzip.compress(SAMPLES[key])
    assert extract(packed, f"{key}.gz", LIMITS) == extract(SAMPLES[key], key, LIMITS)


def test_nesting_beyond_the_stack_costs_one_document() -> None:
    parts = b"".join(
        f"Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n".encode()
        for number in range(2_000)
    )
    extraction = extract(b"From: a\n" + parts, "deep.eml", LIMITS)
    assert extraction.outcome in {"text", "unreadable"}


@given(
    key=st.sampled_from(sorted(SAMPLES)),
    cut=st.integers(0, 400),
    place=st.integers(0, 1_500),
    insertion=st.binary(max_size=20),
)
def test_damaged_documents_have_an_outcome(
    key: str, cut: int, place: int, insertion: bytes
) -> None:
    content = SAMPLES[key]
    content = content[:place] + insertion + content[place + len(insertion) : len(content) - cut]
    extraction = extract(content, key, LIMITS)
    assert (extraction.text is not None) == (extraction.outcome == "text")
    text = (extraction.text or "") + extraction.reason + extraction.media_type
    text.encode()
    assert {c for c in text if unicodedata.category(c) == "Cc"} <= {"\t", "\n"}
    assert extract(content, key, LIMITS) == extraction


@given(st.sampled_from(sorted(SAMPLES)), st.binary(max_size=200))
def test_key_promises_bind_nobody(key: str, content: bytes) -> None:
    extract(content, key, LIMITS)


def test_pdf_in_front_of_rubbish_is_read() -> None:
    extraction = extract(make_pdf("Hello page one") + b"\n" * 50 + b"rubbish", "a.pdf", LIMITS)
    assert extraction.text == "Hello page one"
