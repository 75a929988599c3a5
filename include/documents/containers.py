"""What wraps documents: gzip is unpacked, ZIP and OLE files are told apart by what they hold."""

import io
import re
import zipfile
import zlib

from include.documents.extraction import NoTextError
from include.documents.formats import docx
from include.documents.signatures import OLE, ZIP
from include.documents.sniffing import DOCX

_ZIP_CONTENTS = (
    ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("META-INF/MANIFEST.MF", "application/java-archive"),
    ("AndroidManifest.xml", "application/vnd.android.package-archive"),
)
_OLE_CONTENTS = (
    ("EncryptedPackage", "application/x-ole-encrypted"),
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book\0", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("__substg1.0_", "application/vnd.ms-outlook"),
)
_GZIP_MAGIC = b"\x1f\x8b"
_NO_PADDING = re.compile(rb"[^\0]")
"""Tapes pad with zeros."""
_DAMAGED_GZIP = "The gzip file is damaged or cut off."
_CHUNK_BYTES = 256 * 2**10
_FIRST_BYTES = 512
"""A chunk at the beginning of a member is small, as millions of members are, and grows with it."""
_MAX_MIMETYPE_BYTES = 100
_MIMETYPE = re.compile(r"application/(epub\+zip|vnd\.oasis\.opendocument\.[a-z-]+)")


def unpack_gzip(content: bytes, max_unpacked_bytes: int) -> tuple[bytes, str]:
    """Return what a gzip file holds, and a note about what lies behind it.

    Raises:
        NoTextError: It is damaged, or holds more than `max_unpacked_bytes`.
    """
    members = io.BytesIO()
    place = 0
    while content.startswith(_GZIP_MAGIC, place):
        place = _unpack_member(content, place, members, max_unpacked_bytes)
        behind = _NO_PADDING.search(content, place)
        place = behind.start() if behind else len(content)
    left_bytes = len(content) - place
    note = f"{left_bytes:,} bytes behind the gzip data were left out." if left_bytes else ""
    return members.getvalue(), note


def _unpack_member(content: bytes, start: int, members: io.BytesIO, max_unpacked_bytes: int) -> int:
    """Append one of the members that a gzip file strings together; return where it ends."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with header and check sum
    place = start
    while not member.eof:
        chunk = member.unconsumed_tail
        if not chunk:
            chunk_bytes = min(_CHUNK_BYTES, _FIRST_BYTES + place - start)
            chunk = content[place : place + chunk_bytes]
            place += len(chunk)
        try:
            piece = member.decompress(chunk, _CHUNK_BYTES)
        except zlib.error as error:
            raise NoTextError(outcome="corrupt", reason=_DAMAGED_GZIP) from error
        if not chunk and not piece and not member.eof:
            raise NoTextError(outcome="corrupt", reason=_DAMAGED_GZIP)
        members.write(piece)
        if members.tell() > max_unpacked_bytes:
            reason = f"The gzip file unpacks to more than {max_unpacked_bytes:,} bytes."
            raise NoTextError(outcome="too_large", reason=reason)
    return place - len(member.unused_data)


def zip_media_type(content: bytes) -> str:
    """Return the media type of what a ZIP file holds.

    Raises:
        NoTextError: It is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if "mimetype" in names:  # so do OpenDocument and EPUB say what they are
                named = archive.open("mimetype").read(_MAX_MIMETYPE_BYTES).decode("latin-1")
                return named if _MIMETYPE.fullmatch(named) else ZIP
            if docx.body_part(archive) is not None or "word/styles.xml" in names:
                return DOCX
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise NoTextError(outcome="corrupt", reason="The ZIP file is damaged.") from error
    held = (kind for mark, kind in _ZIP_CONTENTS if any(name.startswith(mark) for name in names))
    return next(held, ZIP)


def ole_media_type(content: bytes) -> str:
    """Return the media type of an OLE file by the streams that its directory names."""
    held = (kind for name, kind in _OLE_CONTENTS if name.encode("utf-16-le") in content)
    return next(held, OLE)
