"""DOCX to text: body, text boxes, headers, footers, notes and comments, transitional or strict."""

import io
import re
import zipfile
import zlib

from lxml import etree

from include.documents.extraction import NoTextError, Reading
from include.documents.flow import Flow

EXTRACTOR = "lxml"

BODY_PART = re.compile(r"word/document\d*\.xml")
_TEXT_PARTS = (
    re.compile(r"word/header\d*\.xml"),
    BODY_PART,
    re.compile(r"word/diagrams/data\d*\.xml"),
    re.compile(r"word/(footnotes|endnotes|comments)\d*\.xml"),
    re.compile(r"word/footer\d*\.xml"),
)

_UNSEEN = {"Fallback", "moveFrom", "rt"}
"""Second copies: of a text box for old programs, of moved text, of a word as its reading."""
_RUN_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
    etree.XMLSyntaxError,
)


def read(content: bytes, *, max_unpacked_bytes: int) -> Reading:
    """Read a Word document.

    Raises:
        NoTextError: It is encrypted, damaged, or unpacks to more than `max_unpacked_bytes`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = _text_parts(archive)
            _check_size(parts, max_unpacked_bytes)
            texts = [_part_text(archive.read(part)) for part in parts]
    except _DAMAGES as error:
        reason = "The Word document is damaged."
        raise NoTextError(outcome="corrupt", reason=reason) from error
    except RuntimeError as error:  # how zipfile says that it wants a password
        reason = "The Word document asks for a password."
        raise NoTextError(outcome="encrypted", reason=reason) from error
    return Reading("\n\n".join(dict.fromkeys(filter(None, texts))), EXTRACTOR)


def _text_parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the parts that hold text, in the order in which they are read."""
    parts = sorted(archive.infolist(), key=lambda part: part.filename)
    return [part for name in _TEXT_PARTS for part in parts if name.fullmatch(part.filename)]


def _check_size(parts: list[zipfile.ZipInfo], max_unpacked_bytes: int) -> None:
    unpacked_bytes = sum(part.file_size for part in parts)
    if unpacked_bytes > max_unpacked_bytes:
        reason = f"The text unpacks to {unpacked_bytes:,} bytes, {max_unpacked_bytes:,} are read."
        raise NoTextError(outcome="too_large", reason=reason)


def _part_text(content: bytes) -> str:
    """Return the text of one part; paragraphs are forgotten as they end, so memory stays small."""
    flow = Flow()
    unseen_depth = 0
    events = etree.iterparse(
        io.BytesIO(content), events=("start", "end"), resolve_entities=False, no_network=True
    )
    for event, element in events:
        name = _local_name(element)
        if name in _UNSEEN:
            unseen_depth += 1 if event == "start" else -1
        elif unseen_depth == 0 and event == "start":
            _begin(name, flow)
        elif unseen_depth == 0:
            _end(name, element, flow)
        if event == "end" and name == "p":
            element.clear()
    return flow.text().strip()


def _begin(name: str, flow: Flow) -> None:
    if name == "tr":
        flow.break_row()
    elif name == "tc":
        flow.break_cell()
    elif name == "p":
        flow.break_line()


def _end(name: str, element: etree._Element, flow: Flow) -> None:
    if name == "t" and element.text:
        flow.add(element.text)
    elif name in {"p", "tbl"}:
        _begin("tr" if name == "tbl" else name, flow)
    elif name in _RUN_CHARACTERS:
        parent = element.getparent()
        # Elsewhere a `tab` is a tab stop of the paragraph, not a character.
        if parent is not None and _local_name(parent) == "r":
            flow.add(_RUN_CHARACTERS[name])


def _local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
