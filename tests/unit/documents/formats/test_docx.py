import pytest

from include.documents.extraction import NoTextError
from include.documents.formats.docx import read
from tests.unit.documents.samples import STRICT_W, encrypt_zip_flags, make_docx, make_zip, paragraph

MIB = 2**20


def _text(body: str, **parts: str) -> str:
    return read(make_docx(body, **parts), max_unpacked_bytes=MIB).text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (paragraph("One") + paragraph("Two"), "One\nTwo"),
        (
            "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr>"
            "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t>"
            "<w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>",
            "a\tb\nc-d",
        ),
        (
            f"<w:tbl><w:tr><w:tc>{paragraph('1')}</w:tc><w:tc>{paragraph('2')}</w:tc></w:tr>"
            f"<w:tr><w:tc>{paragraph('')}</w:tc><w:tc>{paragraph('4')}</w:tc></w:tr></w:tbl>",
            "1\t2\n\t4",
        ),
        (f"<w:sdt><w:sdtContent>{paragraph('control')}</w:sdtContent></w:sdt>", "control"),
        (
            "<w:p><w:r><w:t>outside</w:t></w:r><w:r><w:AlternateContent><w:Choice>"
            f"<w:txbxContent>{paragraph('box')}</w:txbxContent></w:Choice><w:Fallback>"
            f"<w:txbxContent>{paragraph('box')}</w:txbxContent></w:Fallback>"
            "</w:AlternateContent></w:r></w:p>",
            "outside\nbox",
        ),
        (
            "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:moveFrom><w:r>"
            "<w:t>moved</w:t></w:r></w:moveFrom><w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
            "<w:r><w:instrText>PAGE</w:instrText></w:r></w:p>",
            "new",
        ),
    ],
    ids=["paragraphs", "characters", "table", "content control", "text box", "changes"],
)
def test_body_reads_as_it_is_printed(body: str, text: str) -> None:
    assert _text(body) == text


def test_side_texts_surround_the_body() -> None:
    parts = {
        "header1": paragraph("head"),
        "header2": paragraph("head"),
        "footnotes": paragraph("note"),
        "comments": paragraph("remark"),
        "footer1": paragraph("foot"),
        "styles": paragraph("no text"),
    }
    assert _text(paragraph("body"), **parts) == "head\n\nbody\n\nremark\n\nnote\n\nfoot"


def test_strict_documents_are_read() -> None:
    content = make_docx(paragraph("strict"), namespace=STRICT_W)
    assert read(content, max_unpacked_bytes=MIB).text == "strict"


def test_bomb_is_refused_before_it_is_unpacked() -> None:
    content = make_docx(paragraph("0" * 2 * MIB))
    with pytest.raises(NoTextError, match="1,048,576 are read") as caught:
        read(content, max_unpacked_bytes=MIB)
    assert caught.value.outcome == "too_large"


@pytest.mark.parametrize(
    "content",
    [
        make_zip({"word/document.xml": "<w:p>"}),
        make_docx(paragraph("words"))[:-30],
        make_docx(paragraph("words " * 100)).replace(b"\x08\x00", b"\x63\x00"),
    ],
    ids=["not xml", "cut", "unknown compression"],
)
def test_damaged_document_is_corrupt(content: bytes) -> None:
    with pytest.raises(NoTextError) as caught:
        read(content, max_unpacked_bytes=MIB)
    assert caught.value.outcome == "corrupt"


def test_part_that_needs_a_password_is_encrypted() -> None:
    with pytest.raises(NoTextError) as caught:
        read(encrypt_zip_flags(make_docx(paragraph("words"))), max_unpacked_bytes=MIB)
    assert caught.value.outcome == "encrypted"
