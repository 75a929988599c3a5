"""Tell what a document is: by its content first, then by the extension of its key."""

import json
import re
from pathlib import PurePosixPath

from include.documents.extraction import UNKNOWN_MEDIA_TYPE

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
GZIP = "application/gzip"
OLE = "application/x-ole-storage"
PDF = "application/pdf"
ZIP = "application/zip"
PGP = "application/pgp-encrypted"
PKCS7 = "application/pkcs7-mime"

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

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x8b", GZIP),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (0, b"\x00\x00\x00\x0cjP  ", "image/jp2"),
    (6, b"\x00\x00\x00\x00\x36\x00\x00\x00", "image/bmp"),
    (6, b"\x00\x00\x00\x00\x36\x04\x00\x00", "image/bmp"),
    (0, b"8BPS\x00", "image/vnd.adobe.photoshop"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"\x85\x01\x0c\x03", PGP),
    (0, b"\x85\x02\x0c\x03", PGP),
    (0, b"\x84\x5e\x03", PGP),
    (0, b"\x8c\x0d\x04", PGP),
    (0, b"age-encryption.org/v1", "application/x-age-encrypted"),
    (0, b"Salted__", "application/x-openssl-encrypted"),
    (0, b"$ANSIBLE_VAULT;", "application/x-ansible-vault"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (4, b"1AY&SY", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"PAR1\x15", "application/vnd.apache.parquet"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"\x00asm\x01\x00\x00\x00", "application/wasm"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"ID3\x02", "audio/mpeg"),
    (0, b"ID3\x03", "audio/mpeg"),
    (0, b"ID3\x04", "audio/mpeg"),
    (0, b"OggS\x00", "audio/ogg"),
    (0, b"fLaC\x00", "audio/flac"),
    (8, b"WAVEfmt", "audio/wav"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
)
"""Offset, bytes and media type; of two that fit, the first one counts."""

_CMS = re.compile(rb"0[\x80-\x84].{0,4}\x06\x09\*\x86H\x86\xf7\x0d\x01\x07\x03", re.DOTALL)
"""How an enveloped message begins: a sequence, then its object identifier. Source: RFC 5652."""
_ARMOR = re.compile(
    r"\s*-----BEGIN (PGP MESSAGE|AGE ENCRYPTED FILE)-----(?:.(?!-----END))*+"
    r"(?:.-----END \1-----)?\s*",
    re.DOTALL,
)
_HEAD_BYTES = 4096
_PDF_HEAD_BYTES = 1024

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
    name = key.lower().removesuffix(".gz")
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.removeprefix("."), UNKNOWN_MEDIA_TYPE)


def binary_media_type(content: bytes) -> str | None:
    """Return the media type of a format that is not text, None where no signature is known."""
    if _is_pdf(content):
        return PDF
    for offset, signature, media_type in _SIGNATURES:
        if content.startswith(signature, offset):
            return media_type
    return PKCS7 if _CMS.match(content) else None


def is_armored(text: str) -> bool:
    """Return whether all of `text` is an encrypted message in letters."""
    return _ARMOR.fullmatch(text) is not None


def text_media_type(content: bytes, key: str) -> str:
    """Return the media type of a document that has no binary signature."""
    head = _readable_head(content)
    promised = media_type_of_key(key)
    if promised != "application/mbox" and (markup := _markup_media_type(head)):
        return markup
    if _MBOX.match(head):
        return "application/mbox"
    if _ARMOR.match(head) and is_armored(content.decode("latin-1")):
        return PGP
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
    if place <= 0:
        return place == 0
    return b"startxref" in content or b"endobj" in content


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
