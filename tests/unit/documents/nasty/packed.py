"""Archives, compression, pictures and other bytes that are not text."""

import gzip
import zlib

from tests.unit.documents.nasty.case import Nasty
from tests.unit.documents.samples import (
    make_docx,
    make_image,
    make_mail,
    make_pdf,
    make_zip,
    paragraph,
)

_WORDS = b"packed words " * 2_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
_PNG = make_image("PNG")

NASTY = (
    Nasty(
        name="gzip of several members",
        content=gzip.compress(b"one ") + gzip.compress(b"two ") + gzip.compress(b"three"),
        key="a.txt.gz",
        has=("one two three",),
    ),
    Nasty(
        name="gzip with rubbish behind",
        content=gzip.compress(_WORDS) + b"rubbish behind it",
        key="a.txt.gz",
        has=("packed words",),
        lacks=("rubbish",),
        reason="behind",
    ),
    Nasty(
        name="gzip padded with zeros",
        content=gzip.compress(_WORDS) + b"\0" * 512,
        key="a.txt.gz",
        has=("packed words",),
    ),
    Nasty(name="gzip cut", content=gzip.compress(_WORDS)[:-20], key="a.txt.gz", outcome="corrupt"),
    Nasty(
        name="gzip without its check sum",
        content=gzip.compress(_WORDS)[:-8],
        key="a.gz",
        outcome="corrupt",
    ),
    Nasty(
        name="gzip with a wrong check sum",
        content=gzip.compress(_WORDS)[:-8] + b"\0" * 8,
        key="a.txt.gz",
        outcome="corrupt",
    ),
    Nasty(name="gzip of nothing", content=gzip.compress(b""), key="a.txt.gz", outcome="empty"),
    Nasty(name="gzip of white space", content=gzip.compress(b" \n" * 9), outcome="empty"),
    Nasty(name="gzip header alone", content=b"\x1f\x8b\x08\0", key="a.gz", outcome="corrupt"),
    Nasty(
        name="gzip in gzip",
        content=gzip.compress(gzip.compress(b"words")),
        key="a.gz",
        outcome="unsupported",
    ),
    Nasty(
        name="gzip of a PDF without a name that tells",
        content=gzip.compress(make_pdf("Hello packed page")),
        media_type="application/pdf",
        has=("Hello packed page",),
    ),
    Nasty(
        name="gzip of a mail in a file named JSON",
        content=gzip.compress(make_mail("mail words")),
        key="a.json.gz",
        has=("mail words",),
    ),
    Nasty(
        name="gzip of a tape archive",
        content=gzip.compress(b"a.txt".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 700),
        key="a.tar.gz",
        outcome="unsupported",
        media_type="application/x-tar",
    ),
    Nasty(name="zlib without gzip", content=zlib.compress(_WORDS), outcome="unsupported"),
    Nasty(
        name="ZIP of texts",
        content=make_zip({"a.txt": "words"}),
        key="a.zip",
        outcome="unsupported",
        reason="ZIP archive",
    ),
    Nasty(name="empty ZIP", content=make_zip({}), key="a.zip", outcome="unsupported"),
    Nasty(
        name="ZIP named Word",
        content=make_zip({"a.txt": "words"}),
        key="a.docx",
        outcome="unsupported",
    ),
    Nasty(
        name="Java archive",
        content=make_zip({"META-INF/MANIFEST.MF": "x"}),
        outcome="unsupported",
        reason="Java",
    ),
    Nasty(
        name="OpenDocument text",
        content=make_zip({"mimetype": "application/vnd.oasis.opendocument.text"}),
        key="a.odt",
        outcome="unsupported",
        media_type="application/vnd.oasis.opendocument.text",
    ),
    Nasty(
        name="workbook",
        content=make_zip({"xl/workbook.xml": "<x/>"}),
        key="a.xlsx",
        outcome="unsupported",
        reason="Excel",
    ),
    Nasty(
        name="presentation",
        content=make_zip({"ppt/presentation.xml": "<x/>"}),
        key="a.pptx",
        outcome="unsupported",
        reason="PowerPoint",
    ),
    Nasty(
        name="old Word",
        content=_OLE + "WordDocument".encode("utf-16-le"),
        key="a.doc",
        outcome="unsupported",
        reason=".doc",
    ),
    Nasty(
        name="encrypted Word",
        content=_OLE + "EncryptedPackage".encode("utf-16-le"),
        key="a.docx",
        outcome="encrypted",
    ),
    Nasty(
        name="Outlook message",
        content=_OLE + "__substg1.0_".encode("utf-16-le"),
        key="a.msg",
        outcome="unsupported",
        reason="Outlook",
    ),
    Nasty(
        name="rich text",
        content=b"{\\rtf1\\ansi words}",
        key="a.rtf",
        outcome="unsupported",
        reason="rich text",
    ),
    Nasty(
        name="rich text named Word",
        content=b"{\\rtf1\\ansi words}",
        key="a.docx",
        outcome="unsupported",
    ),
    Nasty(name="picture named PDF", content=_PNG, key="a.pdf", outcome="image_only"),
    Nasty(
        name="picture named text",
        content=_PNG,
        key="a.txt",
        media_type="image/png",
        outcome="image_only",
    ),
    Nasty(
        name="bitmap",
        content=b"BM" + (1_000).to_bytes(4, "little") + b"\0\0\0\0\x36\0\0\0" + b"\1\2" * 400,
        key="a.bmp",
        outcome="image_only",
        media_type="image/bmp",
    ),
    Nasty(
        name="program",
        content=b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 9,
        key="a.txt",
        outcome="unsupported",
    ),
    *(
        Nasty(
            name=f"{media_type} by its first bytes",
            content=content + bytes(range(256)),
            key="a.txt",
            outcome=outcome,
            media_type=media_type,
        )
        for outcome, media_type, content in (
            ("image_only", "image/heic", b"\0\0\0\x18ftypheix"),
            ("image_only", "image/bmp", b"BM\1\2\0\0\0\0\0\0\x8a\0\0\0\x7c\0\0\0"),
            ("image_only", "image/x-portable-anymap", b"P6\n30 20\n255\n"),
            ("image_only", "image/jxl", b"\0\0\0\x0cJXL \r\n"),
            ("unsupported", "audio/aiff", b"FORM\0\0\0\0AIFF"),
            ("unsupported", "video/x-msvideo", b"RIFF\0\0\0\0AVI LIST"),
            ("unsupported", "application/x-cpio", b"070701" + b"0" * 104),
            (
                "unsupported",
                "application/x-tar",
                b"a.txt".ljust(100, b"\0") + b"0000644\0" * 3 + b"00000000005\0",
            ),
            ("encrypted", "application/x-openssl-encrypted", b"Salted__"),
            ("encrypted", "application/pgp-encrypted", b"\x85\x01\x0c\x03"),
            ("encrypted", "application/pkcs7-mime", bytes.fromhex("308006092a864886f70d010703")),
        )
    ),
    Nasty(name="text that begins like cpio", content=b"070701 was a Sunday", has=("Sunday",)),
    Nasty(
        name="electronic book that says so late",
        content=make_zip({"x": "y", "mimetype": "application/epub+zip"}),
        key="a.epub",
        outcome="unsupported",
        reason="electronic book",
    ),
    Nasty(
        name="program of browsers",
        content=b"\0asm\x01\0\0\0" + bytes(range(7, 99)),
        outcome="unsupported",
        media_type="application/wasm",
    ),
    Nasty(
        name="program of Windows",
        content=b"MZ\x90\0\x03\0\0\0" + bytes(range(256)) * 9,
        key="a.pdf",
        outcome="unsupported",
    ),
    Nasty(
        name="property list of the Macintosh",
        content=b"bplist00" + bytes(range(256)) * 9,
        key="a.txt",
        outcome="unsupported",
    ),
    Nasty(
        name="pickle",
        content=b"\x80\x04\x95" + bytes(range(200)) * 9,
        outcome="unsupported",
    ),
    Nasty(
        name="Word with rubbish behind",
        content=make_docx(paragraph("word words")) + b"rubbish",
        key="a.docx",
        has=("word words",),
    ),
)
