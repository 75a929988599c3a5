"""Documents of every format, made from a text."""

import gzip
import hashlib
import io
import zipfile
from email.message import EmailMessage

from PIL import Image

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"


def make_pdf(*pages: str, drawing: str = "") -> bytes:
    """A PDF whose pages show one line each; `drawing` is added to every page's content."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET {drawing}" if text else drawing
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    return assemble_pdf(objects)


IMAGE = "q 9 0 0 9 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q"
"""What draws a picture on a page."""


def make_scan(pages: int = 1) -> bytes:
    """A PDF whose pages are pictures."""
    return make_pdf(*[""] * pages, drawing=IMAGE)


def make_locked_scan() -> bytes:
    """A PDF with one picture that is encrypted with the empty password.

    By the standard security handler of revision 2, which has its answers in the PDF reference.
    """
    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    owner = _rc4(hashlib.md5(padding, usedforsecurity=False).digest()[:5], padding)
    rights = -4
    key = hashlib.md5(
        padding + owner + rights.to_bytes(4, "little", signed=True), usedforsecurity=False
    ).digest()[:5]
    own_key = hashlib.md5(key + bytes((4, 0, 0, 0, 0)), usedforsecurity=False).digest()[:10]
    content = _rc4(own_key, b"0 0 m 9 9 l S").decode("latin-1")
    return assemble_pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
            f"<< /Filter /Standard /V 1 /R 2 /P {rights} /O <{owner.hex()}>"
            f" /U <{_rc4(key, padding).hex()}> >>",
        ],
        trailer="/Encrypt 5 0 R /ID [<> <>]",
    )


def _rc4(key: bytes, content: bytes) -> bytes:
    state, place = list(range(256)), 0
    for number in range(256):
        place = (place + state[number] + key[number % len(key)]) % 256
        state[number], state[place] = state[place], state[number]
    out, first, second = bytearray(), 0, 0
    for byte in content:
        first = (first + 1) % 256
        second = (second + state[first]) % 256
        state[first], state[second] = state[second], state[first]
        out.append(byte ^ state[(state[first] + state[second]) % 256])
    return bytes(out)


def make_image(kind: str = "PNG", width: int = 30, height: int = 20) -> bytes:
    """A grey image; `kind` is Pillow's name of a format."""
    file = io.BytesIO()
    Image.new("L", (width, height), 128).save(file, kind)
    return file.getvalue()


def assemble_pdf(objects: list[str], *, trailer: str = "") -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def make_docx(body: str, *, namespace: str = W, **parts: str) -> bytes:
    """A Word document; `body` and the further parts (`footnotes`, `header1` …) are inner XML."""
    names = {"document": body} | parts
    return make_zip(
        {
            "[Content_Types].xml": "<Types/>",
            **{
                f"word/{name}.xml": f'<w:part xmlns:w="{namespace}">{inner}</w:part>'
                for name, inner in names.items()
            },
        }
    )


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def make_zip(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def encrypt_zip_flags(content: bytes) -> bytes:
    """The same ZIP file, every member of which claims to need a password."""
    flagged = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := flagged.find(signature, place + 1)) >= 0:
            flagged[place + offset] |= 1
    return bytes(flagged)


def make_mail(text: str, html: str | None = None, *, subject: str = "Grüße") -> bytes:
    message = EmailMessage()
    message["From"] = "Ada <ada@example.org>"
    message["To"] = "Bob <bob@example.org>"
    message["Subject"] = subject
    message["Message-ID"] = "<1@example.org>"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


SAMPLES: dict[str, bytes] = {
    "a.txt": "Zwölf Boxkämpfer jagen Viktor".encode(),
    "b.md": b"# Title\n\n- one\n- two\n",
    "c.html": b"<!doctype html><title>T</title><p>One<table><tr><td>1<td>2</table>",
    "d.xml": b'<?xml version="1.0"?><order id="7"><item>Tea</item></order>',
    "e.pdf": make_pdf("Hello page one", "Hello page two"),
    "f.docx": make_docx(paragraph("Hello Word"), footnotes=paragraph("A note")),
    "g.eml": make_mail("plain words", "<p>html <b>words</b></p>"),
    "h.mbox": b"From a@b Mon Jan 1\nSubject: one\n\nfirst\n\nFrom a@b Mon Jan 2\n\nsecond\n",
    "i.json": b'{"name": "Zo\\u00eb"}',
    "j.csv": b"a,b\n1,2\n",
    "k.txt.gz": gzip.compress(b"packed words", mtime=0),
    "l.rst": b"Title\n=====\n\n.. note:: words\n",
}
