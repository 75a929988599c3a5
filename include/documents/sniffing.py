"""Tell what a document is: by its content first, then by the extension of its key."""

import json
import re

from include.documents.extraction import UNKNOWN_MEDIA_TYPE
from include.documents.signatures import PGP, signed_media_type

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"

MEDIA_TYPES = {
    "csv": "text/csv",
    "docx": DOCX,
    "eml": "message/rfc822",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "markdown": "text/markdown",
    "mbox": "application/mbox",
    "md": "text/markdown",
    "ndjson": "application/jsonl",
    "pdf": PDF,
    "rst": "text/x-rst",
    "svg": "image/svg+xml",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "xhtml": "text/html",
    "xml": "application/xml",
}
"""Media types by the extension of a key."""

_ARMOR = re.compile(
    r"\s*-----BEGIN (PGP MESSAGE|AGE ENCRYPTED FILE)-----(?:.(?!-----END))*+"
    r"(?:.-----END \1-----)?\s*",
    re.DOTALL,
)
_HEAD_BYTES = 4096
_PDF_HEAD_BYTES = 2**16
_PDF_OBJECT = re.compile(rb"\s*\d+ \d+ obj\b")
"""What follows the first line, and begins a PDF that has lost it."""

_XML = re.compile(r"\s*<\?xml[\s?]")
# Atomic and possessive: what was once read as a comment is never tried as something else.
_PROLOGUE = r"(?>\s+|<\?xml.*?\?>|<!--.*?-->|<!doctype\s+svg[^>]*>)*+"
_HTML = re.compile(_PROLOGUE + r"<(?:!doctype\s+html|html)\b", re.I | re.S)
_FRAGMENT = re.compile(
    r"\s*<(?:!--|(?:a|b|body|br|center|div|font|h1|head|iframe|p|script|span|style|table|title)[\s>])",
    re.IGNORECASE,
)
"""What a piece of HTML begins with. Source: WHATWG MIME Sniffing Standard, and some more tags."""
_SVG = re.compile(_PROLOGUE + r"<svg\b", re.I | re.S)
_MBOX = re.compile(r"From \S.*\n(?:>?[A-Za-z][A-Za-z0-9-]*:|>From )")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):")
_MAIL_HEADERS = {"date", "from", "newsgroups", "sender", "subject", "to"}
_TRANSPORT_HEADERS = {
    "delivered-to",
    "message-id",
    "mime-version",
    "newsgroups",
    "path",
    "received",
    "return-path",
}
_MIN_MAIL_HEADERS = 2
_JSON_IN_DISGUISE = {UNKNOWN_MEDIA_TYPE, "application/xml", "text/html", "text/plain"}
_JSON_LINES = 3
"""So many lines that are JSON, each on its own, make a document JSON Lines."""


def media_type_of_key(key: str) -> str:
    """Return what the extension of `key` promises, below any `.gz`."""
    parts = key.lower().removesuffix(".gz").split("/")
    name = next((part for part in reversed(parts) if part not in {"", "."}), "")
    stem, _, extension = name.rpartition(".")
    return MEDIA_TYPES.get(extension if stem else "", UNKNOWN_MEDIA_TYPE)


def binary_media_type(content: bytes) -> str | None:
    """Return the media type of a format that is not text, None where no signature is known."""
    if _is_pdf(content):
        return PDF
    return signed_media_type(content)


def is_armored(text: str) -> bool:
    """Return whether all of `text` is an encrypted message in letters."""
    return _ARMOR.fullmatch(text) is not None


def text_media_type(content: bytes, key: str) -> str:
    """Return the media type of a document that has no binary signature."""
    head = _readable_head(content)
    promised = media_type_of_key(key)
    if promised != "application/mbox" and (markup := _markup_media_type(head)):
        return markup
    if enveloped := _enveloped_media_type(head, content):
        return enveloped
    if promised == "message/rfc822":
        return promised if _HEADER.match(head.lstrip()) else "text/plain"
    if promised in _JSON_IN_DISGUISE and (data := _data_media_type(head, content)):
        return data
    if promised in {UNKNOWN_MEDIA_TYPE, "text/plain"}:
        return _unpromised_media_type(head)
    return promised if promised not in {PDF, DOCX, "application/mbox"} else "text/plain"


def _is_pdf(content: bytes) -> bool:
    """Return whether this is a PDF; text that merely mentions the signature is none."""
    place = content.find(b"%PDF-", 0, _PDF_HEAD_BYTES)
    if place == 0:
        return True
    is_named = place > 0 or _PDF_OBJECT.match(content) is not None
    return is_named and (b"startxref" in content or b"endobj" in content)


def _readable_head(content: bytes) -> str:
    head = content[:_HEAD_BYTES]
    if b"\0" in head:  # UTF-16 and UTF-32: what matters here is ASCII
        head = head.replace(b"\0", b"")
    return head.decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe").replace("\r\n", "\n")


def _markup_media_type(head: str) -> str | None:
    if _HTML.match(head):
        return "text/html"
    if _SVG.match(head):
        return "image/svg+xml"
    return "application/xml" if _XML.match(head) else None


def _enveloped_media_type(head: str, content: bytes) -> str | None:
    if _MBOX.match(head):
        return "application/mbox"
    return PGP if _ARMOR.match(head) and is_armored(content.decode("latin-1")) else None


def _data_media_type(head: str, content: bytes) -> str | None:
    if not head.lstrip().startswith(("{", "[")):
        return None
    if _is_json(content):
        return "application/json"
    lines = filter(bytes.strip, content.split(b"\n", _JSON_LINES)[:_JSON_LINES])
    return "application/jsonl" if b"\n" in content and all(map(_is_json, lines)) else None


def _unpromised_media_type(head: str) -> str:
    if _is_mail(head):
        return "message/rfc822"
    return "text/html" if _FRAGMENT.match(head) else "text/plain"


def _is_mail(head: str) -> bool:
    """Return whether the first lines are headers that only a mail or a news posting has."""
    names = set()
    for line in head.split("\n\n", 1)[0].splitlines():
        if header := _HEADER.match(line):
            names.add(header[1].lower())
        elif not line.startswith((" ", "\t")):
            return False
    has_enough = len(names & _MAIL_HEADERS) >= _MIN_MAIL_HEADERS
    return has_enough and bool(names & _TRANSPORT_HEADERS)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
