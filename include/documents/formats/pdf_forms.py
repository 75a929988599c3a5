"""What people typed into a PDF: notes on its pages, the fields of its forms, and XFA forms."""

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]  # ships no types
from lxml import etree

_NO_NOTES = {pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP}
_TYPED_FIELDS = {
    pdfium.FPDF_FORMFIELD_TEXTFIELD,
    pdfium.FPDF_FORMFIELD_COMBOBOX,
    pdfium.FPDF_FORMFIELD_LISTBOX,
}
_XFA_TEXTS = ("{*}text", "{*}exData", "{*}data")
"""What a form says, and what was filled in."""


def typed_texts(document: Any, page: Any) -> Iterator[str]:
    """Yield the notes on a page and the contents of its form fields."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if annotation:
            yield _typed_text(document, annotation).strip()
            pdfium.FPDFPage_CloseAnnot(annotation)


def xfa_text(document: Any) -> str:
    """Return the words of a form whose pages a program has to draw first, else nothing.

    Of such a form the pages themselves only ask to wait for that program.
    """
    if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_XFA_FULL:
        return ""
    packets = (_packet(document, index) for index in range(pdfium.FPDF_GetXFAPacketCount(document)))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root: Any = etree.fromstring(b"".join(packets), parser)
    except etree.XMLSyntaxError:  # nothing to recover
        return ""
    if root is None:
        return ""
    lines = (
        " ".join("".join(map(str, found.itertext())).split()) for found in root.iter(*_XFA_TEXTS)
    )
    return "\n".join(filter(None, lines))


def _typed_text(document: Any, annotation: Any) -> str:
    if pdfium.FPDFAnnot_GetSubtype(annotation) not in _NO_NOTES:
        return _wide_string(
            lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(
                annotation, b"Contents", buffer, size
            )
        )
    if document.formenv is None:
        return ""
    if pdfium.FPDFAnnot_GetFormFieldType(document.formenv, annotation) not in _TYPED_FIELDS:
        return ""
    return _wide_string(
        lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldValue(
            document.formenv, annotation, buffer, size
        )
    )


def _wide_string(read: Callable[[Any, int], int]) -> str:
    """Return a string that pdfium hands over in UTF-16, in a buffer whose size it tells first."""
    size_bytes = read(None, 0)
    buffer = (ctypes.c_ushort * (size_bytes // 2 + 1))()
    read(buffer, size_bytes)
    return bytes(buffer).decode("utf-16-le", errors="replace").rstrip("\0")


def _packet(document: Any, index: int) -> bytes:
    size_bytes = ctypes.c_ulong()
    pdfium.FPDF_GetXFAPacketContent(document, index, None, 0, size_bytes)
    content = ctypes.create_string_buffer(size_bytes.value)
    pdfium.FPDF_GetXFAPacketContent(document, index, content, size_bytes.value, size_bytes)
    return content.raw
