"""Turn the bytes of one document into an extraction, in this process."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from include.documents import containers, signatures, sniffing
from include.documents.decoding import clean, decode
from include.documents.extraction import Extraction, ExtractionLimits, NoTextError, Reading
from include.documents.formats import docx, html, image, json, mail, pdf, xml
from include.documents.gzip_files import unpack_gzip

_Reader = Callable[[bytes], Reading]

_FILLERS = b"\0 \t\r\n\x0b\x0c"
_VISIBLE = re.compile(r"[^\s\u00ad\u200b-\u200f\u2060\ufeff]")

_UNREAD = {
    "application/gzip": "a gzip file inside a gzip file",
    "application/java-archive": "a Java archive",
    "application/msword": "a Word document of the old .doc kind",
    "application/postscript": "PostScript",
    "application/rtf": "rich text",
    "application/vnd.ms-excel": "an Excel workbook of the old .xls kind",
    "application/vnd.ms-outlook": "an Outlook message",
    "application/vnd.ms-powerpoint": "a PowerPoint presentation of the old .ppt kind",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (
        "a PowerPoint presentation"
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "an Excel workbook",
    "application/epub+zip": "an electronic book (EPUB)",
    "application/vnd.oasis.opendocument.presentation": "an OpenDocument presentation",
    "application/vnd.oasis.opendocument.spreadsheet": "an OpenDocument spreadsheet",
    "application/vnd.oasis.opendocument.text": "an OpenDocument text",
    "application/vnd.rar": "a RAR archive",
    "application/x-7z-compressed": "a 7z archive",
    "application/x-bzip2": "a file compressed by bzip2",
    "application/x-ole-storage": "an old Office document of an unknown kind",
    "application/x-tar": "a tape archive (tar)",
    "application/x-xz": "a file compressed by xz",
    "application/zip": "a ZIP archive",
    "application/zstd": "a file compressed by zstd",
}
"""Formats that are recognised and not read; others go by their media type."""

_PLAYED = {"audio", "video"}

_ENCRYPTED = {
    "application/x-age-encrypted": "a file encrypted by age",
    "application/x-ansible-vault": "an encrypted vault",
    "application/x-ole-encrypted": "an Office document that asks for a password",
    "application/x-openssl-encrypted": "a file encrypted by OpenSSL",
    signatures.PGP: "a message encrypted by PGP",
    signatures.PKCS7: "a message encrypted by S/MIME",
}


def extract(content: bytes, key: str, limits: ExtractionLimits) -> Extraction:
    """Return the text of a document, or why there is none; `key` only helps to tell its format."""
    media_type = sniffing.media_type_of_key(key)
    if not content.strip(_FILLERS):
        return Extraction("empty", "The object holds nothing.", media_type)
    try:
        content, media_type, note = _unwrap(content, key, limits)
        reading = _reader(media_type, limits)(content)
        return checked(replace(reading, note=reading.note or note), media_type, limits)
    except NoTextError as error:
        return Extraction(
            error.outcome, error.reason, media_type, pages=error.pages, picture=error.picture
        )
    except RecursionError:
        return Extraction("unreadable", "The document is nested too deeply.", media_type)


def _unwrap(content: bytes, key: str, limits: ExtractionLimits) -> tuple[bytes, str, str]:
    """Return the document inside the compression, its media type, and a note on the former."""
    note = ""
    media_type = sniffing.binary_media_type(content)
    if media_type == signatures.GZIP:
        content, note = unpack_gzip(content, limits.max_unpacked_bytes)
        media_type = sniffing.binary_media_type(content)
    if media_type == signatures.ZIP:
        media_type = containers.zip_media_type(content)
    elif media_type == signatures.OLE:
        media_type = containers.ole_media_type(content)
    return content, media_type or sniffing.text_media_type(content, key), note


def _reader(media_type: str, limits: ExtractionLimits) -> _Reader:
    """Return what reads a media type.

    Raises:
        NoTextError: Nothing does.
    """
    if media_type == sniffing.DOCX:
        return partial(docx.read, max_unpacked_bytes=limits.max_unpacked_bytes)
    if reader := _READERS.get(media_type):
        return reader
    if name := _ENCRYPTED.get(media_type):
        raise NoTextError(outcome="encrypted", reason=f"The object is {name}.")
    if media_type.startswith("image/"):
        reason = f"The object is a picture of a kind that cannot be sent: {media_type}."
        raise NoTextError(outcome="image_only", reason=reason)
    kind = media_type.partition("/")[0]
    name = _UNREAD.get(media_type, f"{kind} ({media_type})" if kind in _PLAYED else media_type)
    raise NoTextError(outcome="unsupported", reason=f"The object is {name}, which is not read.")


def _read_text(content: bytes) -> Reading:
    text, encoding = decode(content)
    return Reading(text, "text", encoding)


_READERS: Mapping[str, _Reader] = {
    "application/json": json.read,
    "application/jsonl": json.read,
    "application/mbox": mail.read_mailbox,
    "application/pdf": pdf.read,
    "application/xml": xml.read,
    "image/gif": image.read,
    "image/jpeg": image.read,
    "image/png": image.read,
    "image/svg+xml": xml.read_svg,
    "image/webp": image.read,
    "message/rfc822": mail.read,
    "text/csv": _read_text,
    "text/html": html.read,
    "text/markdown": _read_text,
    "text/plain": _read_text,
    "text/tab-separated-values": _read_text,
    "text/x-rst": _read_text,
}


def checked(reading: Reading, media_type: str, limits: ExtractionLimits) -> Extraction:
    """Return the extraction that a reading makes.

    Raises:
        NoTextError: There is nothing to see in it, or too much.
    """
    text = clean(reading.text)
    if not _VISIBLE.search(text):
        raise NoTextError(
            outcome="empty", reason="The document holds no text.", pages=reading.pages
        )
    if len(text) > limits.max_characters:
        reason = f"The text has {len(text):,} characters, {limits.max_characters:,} are taken."
        raise NoTextError(outcome="too_large", reason=reason, pages=reading.pages)
    return Extraction(
        outcome="text",
        reason=reading.note,
        media_type=media_type,
        encoding=reading.encoding,
        extractor=reading.extractor,
        characters=len(text),
        pages=reading.pages,
        text=text,
    )
