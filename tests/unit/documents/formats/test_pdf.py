import pytest

from include.documents.extraction import NoTextError, Picture
from include.documents.formats.pdf import _mend_words, read
from tests.unit.documents.samples import IMAGE, make_locked_scan, make_pdf, make_scan

LINE = "0 0 m 9 9 l S"


def test_pages_are_read_in_order() -> None:
    reading = read(make_pdf("Hello page one", "", "Hello page three"))
    assert (reading.text, reading.pages) == ("Hello page one\n\nHello page three", 3)


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (make_pdf(""), "empty"),
        (make_pdf("", drawing=IMAGE), "image_only"),
        (make_pdf("", drawing=LINE), "image_only"),
        (make_pdf("- 7 -", drawing=IMAGE), "image_only"),
        (make_pdf(*["vxwxls mxttxr tx wxrds"] * 12), "garbled"),
        (b"%PDF-1.7\nnothing that follows makes sense", "corrupt"),
    ],
    ids=["empty", "scan", "outlines", "stamped scan", "garbled", "corrupt"],
)
def test_pdf_without_legible_text_says_why(content: bytes, outcome: str) -> None:
    with pytest.raises(NoTextError) as caught:
        read(content)
    assert caught.value.outcome == outcome


@pytest.mark.parametrize(
    "content", [make_scan(12), make_pdf(*["vxwxls mxttxr tx wxrds"] * 12)], ids=["scan", "garbled"]
)
def test_pdf_that_can_be_looked_at_says_how_large_it_is(content: bytes) -> None:
    with pytest.raises(NoTextError) as caught:
        read(content)
    assert (caught.value.picture, caught.value.pages) == (Picture(len(content)), 12)


def test_scan_that_opens_with_an_empty_password_is_encrypted() -> None:
    with pytest.raises(NoTextError) as caught:
        read(make_locked_scan())
    assert (caught.value.outcome, caught.value.picture) == ("encrypted", None)
    assert caught.value.reason.startswith("The pages are pictures without a text layer. It is enc")


def test_short_text_beside_lines_is_text() -> None:
    assert read(make_pdf("42", drawing=LINE)).text == "42"


def test_damaged_page_is_reported_and_the_rest_read() -> None:
    content = make_pdf("Hello page one", "Hello page two").replace(b"6 0 obj", b"9 9 obj")
    reading = read(content)
    assert reading.text == "Hello page one"
    assert reading.note == "1 of 2 pages are damaged and missing."


def test_lost_hyphens_return_except_in_words_written_without() -> None:
    text = "human\x02centered acquain\x02tance of an acquaintance"
    assert _mend_words(text) == "human-centered acquaintance of an acquaintance"
