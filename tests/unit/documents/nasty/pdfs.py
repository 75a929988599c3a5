"""PDFs that are damaged, locked, scanned, circular, or filled in."""

import hashlib
import re
import zlib

from tests.unit.documents.nasty.case import Nasty
from tests.unit.documents.samples import assemble_pdf, make_pdf

_IMAGE = "q 600 0 0 700 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID x EI Q"
_LINE = "The quick brown fox jumps over the lazy dog"
_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_PAGE = "/Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
_FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def make_stream(content: str, extra: str = "") -> str:
    """A stream object; `extra` goes into its dictionary."""
    return f"<< /Length {len(content)} {extra}>>\nstream\n{content}\nendstream"


def _shown(text: str) -> str:
    return make_stream(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET")


def _rc4(key: bytes, content: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in content:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def _padded(password: str) -> bytes:
    return (password.encode() + _PAD)[:32]


def make_book(page_count: int) -> bytes:
    """A PDF of many pages of ten lines."""
    objects: list[str] = []
    for number in range(1, page_count + 1):
        lines = "".join(f"(Line {line} of page {number}) Tj 0 -14 Td " for line in range(10))
        contents = 3 + 2 * number
        objects += [
            f"<< {_PAGE} /Contents {contents} 0 R >>",
            make_stream(f"BT /F1 12 Tf 72 720 Td {lines} ET"),
        ]
    kids = " ".join(f"{2 + 2 * number} 0 R" for number in range(1, page_count + 1))
    return make_page_tree(kids, page_count, *objects)


def make_locked_pdf(text: str, *, user_password: str) -> bytes:
    """A PDF under the 40-bit security handler; it opens by itself if `user_password` is empty."""
    identity = b"0123456789abcdef"
    owner_key = _rc4(hashlib.md5(_padded("owner")).digest()[:5], _padded(user_password))  # noqa: S324 - what the format prescribes
    seed = _padded(user_password) + owner_key + (-44).to_bytes(4, "little", signed=True) + identity
    key = hashlib.md5(seed).digest()[:5]  # noqa: S324 - what the format prescribes
    stream_key = hashlib.md5(key + b"\x05\0\0\0\0").digest()[:10]  # noqa: S324 - what the format prescribes
    shown = _rc4(stream_key, f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()).decode("latin-1")
    return assemble_pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            _FONT,
            f"<< {_PAGE} /Contents 5 0 R >>",
            make_stream(shown),
            f"<< /Filter /Standard /V 1 /R 2 /P -44 /O <{owner_key.hex()}> "
            f"/U <{_rc4(key, _PAD).hex()}> >>",
        ],
        trailer=f"/Encrypt 6 0 R /ID [<{identity.hex()}> <{identity.hex()}>]",
    )


def make_page_tree(kids: str, count: int, *objects: str, catalog: str = "") -> bytes:
    """A PDF whose page tree is given; its further objects begin with number 4."""
    return assemble_pdf(
        [
            f"<< /Type /Catalog /Pages 2 0 R {catalog}>>",
            f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
            _FONT,
            *objects,
        ]
    )


def _with_unicode_map(mapping: str, codes: str) -> bytes:
    """A page whose font maps its codes by a ToUnicode table."""
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n1 begincodespacerange\n"
        f"<00> <FF>\nendcodespacerange\n{mapping}\nendcmap end end"
    )
    return assemble_pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            "<< /Type /Font /Subtype /TrueType /BaseFont /Odd /ToUnicode 6 0 R >>",
            f"<< {_PAGE} /Contents 5 0 R >>",
            make_stream(f"BT /F1 12 Tf 72 720 Td <{codes}> Tj ET"),
            make_stream(cmap),
        ]
    )


_TWO_PAGES = make_pdf(_LINE, "A second page of words")
_XFA = (
    '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template><subform><draw><value><text>Name of '
    "applicant</text></value></draw></subform></template></xdp:xdp>"
)

NASTY = (
    Nasty(
        name="user password",
        content=make_locked_pdf(_LINE, user_password="u"),
        key="a.pdf",
        outcome="encrypted",
        reason="password",
    ),
    Nasty(
        name="owner password alone",
        content=make_locked_pdf(_LINE, user_password=""),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="lock of another program",
        content=_TWO_PAGES.replace(
            b"/Root 1 0 R", b"/Root 1 0 R /Encrypt << /Filter /Blue /V 4 >>"
        ),
        key="a.pdf",
        outcome="encrypted",
    ),
    Nasty(name="scan", content=make_pdf("", "", drawing=_IMAGE), key="a.pdf", outcome="image_only"),
    Nasty(
        name="scan with page numbers",
        content=make_pdf("1", "2", "3", drawing=_IMAGE),
        key="a.pdf",
        outcome="image_only",
    ),
    Nasty(
        name="scan with words behind it",
        content=make_pdf(_LINE, drawing=_IMAGE + " BT 3 Tr /F1 9 Tf 9 9 Td (unseen words) Tj ET"),
        key="a.pdf",
        has=(_LINE, "unseen words"),
    ),
    Nasty(
        name="scan with the same stamp on every page",
        content=make_pdf(
            *(f"Downloaded from example.org, page {n} of 4" for n in range(4)), drawing=_IMAGE
        ),
        key="a.pdf",
        outcome="image_only",
    ),
    Nasty(name="blank pages", content=make_pdf("", ""), key="a.pdf", outcome="empty"),
    Nasty(name="no pages", content=make_page_tree("", 0), key="a.pdf", outcome="corrupt"),
    Nasty(
        name="page tree in a circle",
        content=make_page_tree(
            "4 0 R 6 0 R",
            3,
            f"<< {_PAGE} /Contents 5 0 R >>",
            _shown(_LINE),
            "<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 6 0 R] /Count 2 >>",
        ),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="page tree that is only a circle",
        content=make_page_tree(
            "4 0 R", 1, "<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>"
        ),
        key="a.pdf",
        outcome="corrupt",
    ),
    Nasty(
        name="count of pages that lies upwards",
        content=make_page_tree("4 0 R", 2_000_000, f"<< {_PAGE} /Contents 5 0 R >>", _shown(_LINE)),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="count of pages that lies downwards",
        content=make_page_tree(
            "4 0 R 6 0 R",
            1,
            f"<< {_PAGE} /Contents 5 0 R >>",
            _shown(_LINE),
            f"<< {_PAGE} /Contents 7 0 R >>",
            _shown("words beyond the count"),
        ),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="the same page many times",
        content=make_page_tree("4 0 R " * 50, 50, f"<< {_PAGE} /Contents 5 0 R >>", _shown(_LINE)),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="rubbish in front",
        content=b"HTTP/1.1 200 OK\r\n" * 40 + _TWO_PAGES,
        key="a.pdf",
        has=(_LINE, "second page"),
    ),
    Nasty(
        name="much rubbish in front",
        content=b"rubbish\n" * 1_000 + _TWO_PAGES,
        key="a.pdf",
        has=(_LINE, "second page"),
    ),
    Nasty(name="first line lost", content=_TWO_PAGES[9:], key="a.pdf", outcome="corrupt"),
    Nasty(
        name="words in a form alone",
        content=make_page_tree(
            "4 0 R",
            1,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
            "/Resources << /XObject << /X 6 0 R >> >> >>",
            make_stream("/X Do"),
            make_stream(
                f"BT /F1 12 Tf 72 720 Td ({_LINE}) Tj ET",
                "/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
                "/Resources << /Font << /F1 3 0 R >> >> ",
            ),
        ),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="drawing of 20,000 lines",
        content=make_pdf("", drawing="0 0 m 9 9 l S " * 20_000),
        key="a.pdf",
        outcome="image_only",
    ),
    Nasty(
        name="rubbish behind",
        content=_TWO_PAGES + b"\0rubbish" * 500,
        key="a.pdf",
        has=(_LINE, "second page"),
    ),
    Nasty(
        name="blank lines in front, no name that tells",
        content=b"\n\n\n" + _TWO_PAGES,
        has=(_LINE,),
    ),
    Nasty(
        name="no cross-reference table",
        content=re.sub(rb"xref\n.*?trailer", b"trailer", _TWO_PAGES, flags=re.S),
        key="a.pdf",
        has=(_LINE, "second page"),
    ),
    Nasty(
        name="offsets that lie",
        content=re.sub(rb"\d{10} 00000 n", b"0000000777 00000 n", _TWO_PAGES),
        key="a.pdf",
        has=(_LINE, "second page"),
    ),
    Nasty(
        name="cut behind the first page",
        content=_TWO_PAGES[: _TWO_PAGES.index(b"6 0 obj") + 30],
        key="a.pdf",
        outcome="corrupt",
    ),
    Nasty(
        name="cut before any page",
        content=_TWO_PAGES[:120],
        key="a.pdf",
        outcome="corrupt",
    ),
    Nasty(name="first line alone", content=b"%PDF-1.7\n", key="a.pdf", outcome="corrupt"),
    Nasty(
        name="words about PDF",
        content=b"%PDF-1.7 is how such a file begins.",
        key="a.txt",
        outcome="corrupt",
    ),
    Nasty(
        name="header that lies about the version",
        content=_TWO_PAGES.replace(b"%PDF-1.7", b"%PDF-9.9"),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="note alone",
        content=make_page_tree(
            "4 0 R",
            1,
            f"<< {_PAGE} /Annots [5 0 R] >>",
            "<< /Type /Annot /Subtype /FreeText /Rect [9 9 200 90] /Contents (typed on the page) "
            "/DA (/F1 12 Tf) >>",
        ),
        key="a.pdf",
        has=("typed on the page",),
    ),
    Nasty(
        name="comment beside the text",
        content=make_page_tree(
            "4 0 R",
            1,
            f"<< {_PAGE} /Contents 5 0 R /Annots [6 0 R] >>",
            _shown(_LINE),
            "<< /Type /Annot /Subtype /Text /Rect [9 9 20 20] /Contents (please check this) >>",
        ),
        key="a.pdf",
        has=(_LINE, "please check this"),
    ),
    Nasty(
        name="form that was filled in",
        content=make_page_tree(
            "4 0 R",
            1,
            f"<< {_PAGE} /Contents 5 0 R /Annots [6 0 R] >>",
            _shown("Name of the applicant"),
            "<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ada Lovelace) "
            "/Rect [72 600 300 620] /P 4 0 R /DA (/F1 12 Tf) >>",
            catalog="/AcroForm << /Fields [6 0 R] /DR << /Font << /F1 3 0 R >> >> >> ",
        ),
        key="a.pdf",
        has=("Name of the applicant", "Ada Lovelace"),
    ),
    Nasty(
        name="form in XFA",
        content=make_page_tree(
            "4 0 R",
            1,
            f"<< {_PAGE} /Contents 5 0 R >>",
            _shown("Please wait... If this message is not eventually replaced"),
            make_stream(_XFA),
            catalog="/AcroForm << /Fields [] /XFA 6 0 R >> /NeedsRendering true ",
        ),
        key="a.pdf",
        has=("Name of applicant",),
    ),
    Nasty(
        name="form in XFA that is no XML",
        content=make_page_tree(
            "4 0 R",
            1,
            f"<< {_PAGE} /Contents 5 0 R >>",
            _shown("Please wait... If this message is not eventually replaced"),
            make_stream("no form"),
            catalog="/AcroForm << /Fields [] /XFA 6 0 R >> /NeedsRendering true ",
        ),
        key="a.pdf",
        has=("Please wait",),
    ),
    Nasty(
        name="private characters alone",
        content=_with_unicode_map(
            "1 beginbfrange\n<20> <7E> <E020>\nendbfrange", _LINE.encode().hex() * 3
        ),
        key="a.pdf",
        outcome="garbled",
    ),
    Nasty(
        name="letters that stand for others",
        content=make_pdf(*["Wkh txlfn eurzq ira mxpsv ryhu wkh odcb grj"] * 9),
        key="a.pdf",
        outcome="garbled",
    ),
    Nasty(
        name="stream packed twice",
        content=make_page_tree(
            "4 0 R",
            1,
            f"<< {_PAGE} /Contents 5 0 R >>",
            make_stream(
                zlib.compress(
                    zlib.compress(f"BT /F1 12 Tf 72 720 Td ({_LINE}) Tj ET".encode())
                ).decode("latin-1"),
                "/Filter [/FlateDecode /FlateDecode] ",
            ),
        ),
        key="a.pdf",
        has=(_LINE,),
    ),
    Nasty(
        name="named text",
        content=_TWO_PAGES,
        key="a.txt",
        media_type="application/pdf",
        has=(_LINE,),
    ),
)
