"""PDF to text by pdfium, page after page."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # ships no types
import pypdfium2.raw  # type: ignore[import-untyped]  # ships no types

from include.documents.extraction import NoTextError, Picture, Reading
from include.documents.formats.pdf_forms import typed_texts, xfa_text
from include.documents.legibility import is_garbled

EXTRACTOR = "pypdfium2"

_ENCRYPTED = {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}
_NOT_ENCRYPTED = -1
_PICTURES = {pypdfium2.raw.FPDF_PAGEOBJ_IMAGE}
_DRAWINGS = {pypdfium2.raw.FPDF_PAGEOBJ_PATH}
_MIN_ALPHANUMERICS_PER_PAGE = 5
_MAX_STAMP_PER_PAGE = 100
_MIN_STAMPED_PAGES = 3
_HEADER = b"%PDF-"
_MAX_JUNK_BYTES = 2**16
"""Of what stands in front of a PDF; its parser looks at no more than 1,024 bytes."""
_NO_PDF = b"no PDF"

_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"\w+")
_LOST_HYPHEN = re.compile(r"(\w{0,40})[\x02\ufffe](?=(\w{0,40}))")
"""What pdfium makes of a hyphen and the line break after it."""


def read(content: bytes) -> Reading:
    """Read a PDF; one that opens with the empty password counts as open.

    Raises:
        NoTextError: It is encrypted, damaged, or has no legible text layer.
    """
    document = _open(content[max(0, content.find(_HEADER, 0, _MAX_JUNK_BYTES)) :])
    try:
        return _read(document)
    except NoTextError as error:
        if error.outcome in {"image_only", "garbled"}:
            raise _to_be_looked_at(error, document, len(content)) from None
        raise
    finally:
        document.close()


def _read(document: Any) -> Reading:
    texts, page_count = _page_texts(document), len(document)
    if not texts:
        reason = "The PDF opens, but none of its pages does."
        raise NoTextError(outcome="corrupt", reason=reason)
    text = _mend_words("\n\n".join(filter(None, [xfa_text(document), *texts])))
    if is_garbled(text):
        reason = "The text layer of the PDF is nonsense."
        raise NoTextError(outcome="garbled", reason=reason, pages=page_count)
    _check_substance(document, texts, page_count)
    lost_count = page_count - len(texts)
    note = f"{lost_count} of {page_count} pages are damaged and missing." if lost_count else ""
    return Reading(text, EXTRACTOR, pages=page_count, note=note)


def _to_be_looked_at(error: NoTextError, document: Any, size_bytes: int) -> NoTextError:
    """Add what the API is to know; it takes no encrypted PDF, not even with an empty password."""
    if pypdfium2.raw.FPDF_GetSecurityHandlerRevision(document) == _NOT_ENCRYPTED:
        return NoTextError(
            outcome=error.outcome,
            reason=error.reason,
            pages=error.pages,
            picture=Picture(size_bytes),
        )
    reason = f"{error.reason} It is encrypted, though with an empty password."
    return NoTextError(outcome="encrypted", reason=reason, pages=error.pages)


def _open(content: bytes) -> Any:
    # pdfium does not always say why a file does not open; then its last error is that of an
    # earlier file, and would be different in every process.
    pypdfium2.raw.FPDF_LoadMemDocument(_NO_PDF, len(_NO_PDF), None)
    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        if error.err_code in _ENCRYPTED:
            raise NoTextError(outcome="encrypted", reason="The PDF asks for a password.") from error
        raise NoTextError(
            outcome="corrupt", reason="The PDF is damaged and does not open."
        ) from error
    return document


def _page_texts(document: Any) -> list[str]:
    """Return the text of every page that opens, with the notes and the form fields on it."""
    texts: list[str] = []
    for page in _open_pages(document):
        with suppress(pypdfium2.PdfiumError):
            text_page = page.get_textpage()
            printed = text_page.get_text_bounded().strip()
            text_page.close()
            typed = (text for text in typed_texts(document, page) if text not in printed)
            texts.append("\n".join(filter(None, (printed, *dict.fromkeys(typed)))))
        page.close()
    return texts


def _mend_words(text: str) -> str:
    """Put the hyphens at line ends back, except in words that the document writes without one."""
    if not _LOST_HYPHEN.search(text):
        return text
    words = set(_WORD.findall(text.lower()))

    def mend(broken: re.Match[str]) -> str:
        return broken[1] + ("" if (broken[1] + broken[2]).lower() in words else "-")

    return _LOST_HYPHEN.sub(mend, text)


def _check_substance(document: Any, texts: list[str], page_count: int) -> None:
    """Refuse scans, whatever was stamped on them, and empty pages."""
    alphanumeric_count = sum(map(str.isalnum, "".join(texts)))
    if not _is_stamp(texts, alphanumeric_count):
        return
    looked_for = _PICTURES if alphanumeric_count else _PICTURES | _DRAWINGS
    if any(kind in looked_for for page in _open_pages(document) for kind in _kinds(page)):
        reason = "The pages are pictures without a text layer."
        raise NoTextError(outcome="image_only", reason=reason, pages=page_count)
    if alphanumeric_count == 0:
        reason = "The pages of the PDF are empty."
        raise NoTextError(outcome="empty", reason=reason, pages=page_count)


def _kinds(page: Any) -> Iterator[int]:
    """Yield what every object on a page is, as it is found in the forms on it, too."""
    seen: set[int] = set()
    for index in range(pypdfium2.raw.FPDFPage_CountObjects(page)):
        kind = pypdfium2.raw.FPDFPageObj_GetType(pypdfium2.raw.FPDFPage_GetObject(page, index))
        if kind not in seen:
            seen.add(kind)
            yield kind
    if pypdfium2.raw.FPDF_PAGEOBJ_FORM in seen:
        yield from (item.type for item in page.get_objects())


def _is_stamp(texts: list[str], alphanumeric_count: int) -> bool:
    """Return whether the text is so short, or so much the same on every page, that it is none."""
    if alphanumeric_count < len(texts) * _MIN_ALPHANUMERICS_PER_PAGE:
        return True
    is_short = alphanumeric_count < len(texts) * _MAX_STAMP_PER_PAGE
    is_same = len({_DIGITS.sub("", text) for text in texts}) == 1
    return is_short and is_same and len(texts) >= _MIN_STAMPED_PAGES


def _open_pages(document: Any) -> Iterator[Any]:
    """Yield the pages that open."""
    for index in range(len(document)):
        with suppress(pypdfium2.PdfiumError):
            yield document[index]
