"""ZIP and OLE files wrap documents of many kinds: they are told apart by what they hold."""

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
_MAX_MIMETYPE_BYTES = 100
_MIMETYPE = re.compile(r"application/(epub\+zip|vnd\.oasis\.opendocument\.[a-z-]+)")


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
