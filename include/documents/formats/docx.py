"""DOCX to text: body, text boxes, headers, footers, notes and comments, transitional or strict."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from lxml import etree

from include.documents.decoding import decode
from include.documents.extraction import NoTextError, Reading
from include.documents.flow import Flow
from include.documents.formats import html, mail

EXTRACTOR = "lxml"

_BODY_PART = re.compile(r"word/document\d*\.xml")
_BODY = "body"
_TEXT_PARTS = (
    re.compile(r"header\d*\.xml"),
    _BODY,
    re.compile(r"[^/]+\.(?:x?html?|mht|mhtml|txt)"),
    re.compile(r"(?:diagrams/data|charts/chart)\d*\.xml"),
    re.compile(r"(?:footnotes|endnotes|comments)\d*\.xml"),
    re.compile(r"footer\d*\.xml"),
)
"""What holds text beside the body, in the order in which it is read; pages are embedded files."""

_TEXT_SUFFIXES = (".htm", ".html", ".mht", ".mhtml", ".txt", ".xht", ".xhtm", ".xhtml", ".xml")

_RELATIONSHIPS = "_rels/.rels"
_BODY_TARGET = re.compile(rb"""<[^<>]*/officeDocument["'][^<>]*>""")
_TARGET = re.compile(rb"""\bTarget\s*=\s*["']([^"']+)["']""")
_MAX_RELATIONSHIPS_BYTES = 2**20
_HEAD_BYTES = 8192

_UNSEEN = {"del", "moveFrom", "rt"}
"""Text that was deleted, second copies of moved text, and of a word as its reading."""
_PICTURES = {"blip", "imagedata"}
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


def body_part(archive: zipfile.ZipFile) -> zipfile.ZipInfo | None:
    """Return the part with the body, None where the archive is no Word document."""
    parts = {_name(part): part for part in archive.infolist()}
    for name, part in sorted(parts.items()):
        if _BODY_PART.fullmatch(name):
            return part
    relationships = parts.get(_RELATIONSHIPS)
    if relationships is None or relationships.file_size > _MAX_RELATIONSHIPS_BYTES:
        return None
    entry = _BODY_TARGET.search(archive.read(relationships))
    target = _TARGET.search(entry[0]) if entry else None
    named = parts.get(_normalised(target[1].decode(errors="replace"))) if target else None
    return named if named is not None and _is_word(archive, named) else None


def read(content: bytes, *, max_unpacked_bytes: int) -> Reading:
    """Read a Word document.

    Raises:
        NoTextError: It is encrypted, damaged, unpacks to more than `max_unpacked_bytes`, or holds
            pictures only.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = _text_parts(archive)
            _check_size(parts, max_unpacked_bytes)
            texts = [_part_text(archive.read(part), part) for part in parts]
    except _DAMAGES as error:
        reason = "The Word document is damaged."
        raise NoTextError(outcome="corrupt", reason=reason) from error
    except RuntimeError as error:  # how zipfile says that it wants a password
        reason = "The Word document asks for a password."
        raise NoTextError(outcome="encrypted", reason=reason) from error
    text = "\n\n".join(dict.fromkeys(text for text, _ in texts if text))
    if not text and any(has_pictures for _, has_pictures in texts):
        reason = "The Word document holds pictures and no text."
        raise NoTextError(outcome="image_only", reason=reason)
    return Reading(text, EXTRACTOR)


def _name(part: zipfile.ZipInfo) -> str:
    return _normalised(part.filename)


def _normalised(name: str) -> str:
    """Return the name of a part as the standard writes it, whatever its writer made of it."""
    return name.replace("\\", "/").lstrip("/").lower()


def _is_word(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    with archive.open(part) as file:
        return b"wordprocessingml" in file.read(_HEAD_BYTES)


def _text_parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the parts that hold text, in the order in which they are read."""
    body = body_part(archive)
    if body is None:
        raise zipfile.BadZipFile
    folder = _name(body).rpartition("/")[0]
    parts = sorted(
        (part for part in archive.infolist() if _name(part).endswith(_TEXT_SUFFIXES)), key=_name
    )
    found: list[zipfile.ZipInfo] = []
    for pattern in _TEXT_PARTS:
        if isinstance(pattern, str):
            found.append(body)
        else:
            found += (part for part in parts if _is_below(folder, part, pattern))
    return found


def _is_below(folder: str, part: zipfile.ZipInfo, pattern: re.Pattern[str]) -> bool:
    name = _name(part)
    prefix = f"{folder}/" if folder else ""
    return name.startswith(prefix) and bool(pattern.fullmatch(name, len(prefix)))


def _check_size(parts: list[zipfile.ZipInfo], max_unpacked_bytes: int) -> None:
    unpacked_bytes = sum(part.file_size for part in parts)
    if unpacked_bytes > max_unpacked_bytes:
        reason = f"The text unpacks to {unpacked_bytes:,} bytes, {max_unpacked_bytes:,} are read."
        raise NoTextError(outcome="too_large", reason=reason)


def _part_text(content: bytes, part: zipfile.ZipInfo) -> tuple[str, bool]:
    """Return the text of one part, and whether it has pictures."""
    suffix = PurePosixPath(_name(part)).suffix
    if suffix.startswith(".mht"):
        return mail.read(content).text.strip(), False
    if suffix == ".txt":
        return decode(content)[0].strip(), False
    if suffix != ".xml":
        return html.read(content).text.strip(), False
    return _Story().read(content)


class _Story:
    """Reads one part of WordprocessingML as its events come."""

    def __init__(self) -> None:
        self._flow = Flow()
        self._unseen_depth = 0
        self._alternatives: list[int] = []
        """How much had been read where each open choice between alternatives began."""
        self._has_pictures = False

    def read(self, content: bytes) -> tuple[str, bool]:
        for event, element in _events(content):
            name = _local_name(element)
            if event == "start":
                self._start(name)
            else:
                self._end(name, element)
                if name == "p":
                    element.clear()  # paragraphs are forgotten as they end: memory stays small
        return self._flow.text().strip(), self._has_pictures

    def _start(self, name: str) -> None:
        if self._unseen_depth or name in _UNSEEN or (name == "Fallback" and self._has_choice()):
            self._unseen_depth += 1
        elif name == "AlternateContent":
            self._alternatives.append(self._flow.piece_count)
        elif name in _PICTURES:
            self._has_pictures = True
        else:
            _break(name, self._flow)

    def _end(self, name: str, element: etree._Element) -> None:
        if self._unseen_depth:
            self._unseen_depth -= 1
        elif name == "AlternateContent":
            self._alternatives.pop()
        elif name == "t" and (text := _text(element)):
            self._flow.add(text)
        elif name in _RUN_CHARACTERS:
            parent = element.getparent()
            # Elsewhere a `tab` is a tab stop of the paragraph, not a character.
            if parent is not None and _local_name(parent) == "r":
                self._flow.add(_RUN_CHARACTERS[name])
        elif name in {"p", "tbl"}:
            _break("tr" if name == "tbl" else name, self._flow)

    def _has_choice(self) -> bool:
        """Return whether the alternative for newer programs had text, which this repeats."""
        return bool(self._alternatives) and self._flow.piece_count > self._alternatives[-1]


def _events(content: bytes) -> Iterator[tuple[str, etree._Element]]:
    yield from etree.iterparse(
        io.BytesIO(content),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        huge_tree=True,  # the size was checked; tables nest, and runs are long
        remove_comments=True,
        remove_pis=True,
    )


def _break(name: str, flow: Flow) -> None:
    if name == "tr":
        flow.break_row()
    elif name == "tc":
        flow.break_cell()
    elif name == "p":
        flow.break_line()


def _text(element: etree._Element) -> str:
    """Return the text of an element, without the entities that it refers to."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
