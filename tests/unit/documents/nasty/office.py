"""Word documents as Word, its rivals and its add-ins write them."""

from tests.unit.documents.nasty.case import Nasty
from tests.unit.documents.samples import (
    STRICT_W,
    W,
    encrypt_zip_flags,
    make_docx,
    make_zip,
    paragraph,
)

_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _document(body: str, *, namespace: str = W) -> str:
    return (
        f'<w:document xmlns:w="{namespace}" xmlns:mc="{_MC}" xmlns:wp="urn:wp" xmlns:a="urn:a">'
        f"<w:body>{body}</w:body></w:document>"
    )


def _package(main_part: str, body: str, **parts: str | bytes) -> bytes:
    return make_zip(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="1" '
            f'Type="{_OFFICE}/officeDocument" Target="{main_part}"/></Relationships>',
            main_part.lstrip("/"): _document(body),
            **parts,
        }
    )


_TEXT_BOX = "<wps:txbx><w:txbxContent>" + paragraph("boxed words") + "</w:txbxContent></wps:txbx>"

NASTY = (
    Nasty(
        name="strict OOXML",
        content=make_docx(paragraph("strict words"), namespace=STRICT_W),
        key="a.docx",
        has=("strict words",),
    ),
    Nasty(
        name="text box in both its forms",
        content=make_docx(
            '<w:p><w:r><mc:AlternateContent xmlns:mc="m" xmlns:wps="s"><mc:Choice Requires="wps">'
            f"{_TEXT_BOX}</mc:Choice><mc:Fallback>{_TEXT_BOX}</mc:Fallback></mc:AlternateContent>"
            "</w:r></w:p>"
        ),
        key="a.docx",
        has=("boxed words",),
        lacks=("boxed words\nboxed words", "boxed wordsboxed words"),
    ),
    Nasty(
        name="text box in its old form alone",
        content=make_docx(
            '<w:p><w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice Requires="x"/><mc:Fallback>'
            f"<w:txbxContent>{paragraph('old words')}</w:txbxContent></mc:Fallback>"
            "</mc:AlternateContent></w:r></w:p>"
        ),
        key="a.docx",
        has=("old words",),
    ),
    Nasty(
        name="tracked changes",
        content=make_docx(
            "<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>added </w:t></w:r></w:ins>"
            "<w:del><w:r><w:delText>removed</w:delText><w:t>struck</w:t></w:r></w:del>"
            "<w:moveFrom><w:r><w:t>moved off</w:t></w:r></w:moveFrom>"
            "<w:moveTo><w:r><w:t>moved here</w:t></w:r></w:moveTo></w:p>"
            "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>after all</w:t></w:r></w:p>"
        ),
        key="a.docx",
        has=("kept added moved here", "after all"),
        lacks=("removed", "struck", "moved off"),
    ),
    Nasty(
        name="notes, comments, headers and footers",
        content=make_docx(
            paragraph("body words"),
            footnotes=paragraph("foot words"),
            endnotes=paragraph("end words"),
            comments=paragraph("comment words"),
            header1=paragraph("head words"),
            footer2=paragraph("footer words"),
        ),
        key="a.docx",
        has=(
            "body words",
            "foot words",
            "end words",
            "comment words",
            "head words",
            "footer words",
        ),
    ),
    Nasty(
        name="words split over runs",
        content=make_docx(
            "<w:p><w:r><w:t>un</w:t></w:r><w:proofErr/><w:r><w:t>break</w:t></w:r>"
            "<w:r><w:softHyphen/><w:t>able</w:t></w:r></w:p>"
        ),
        key="a.docx",
        has=("unbreakable",),
    ),
    Nasty(
        name="hyperlinks, fields, smart tags, content controls and ruby",
        content=make_docx(
            "<w:p><w:hyperlink><w:r><w:t>link words </w:t></w:r></w:hyperlink><w:fldSimple "
            'w:instr="PAGE"><w:r><w:t>field words </w:t></w:r></w:fldSimple><w:smartTag><w:r><w:t>'
            "tag words </w:t></w:r></w:smartTag><w:sdt><w:sdtContent><w:r><w:t>control words "
            "</w:t></w:r></w:sdtContent></w:sdt><w:r><w:ruby><w:rt><w:r><w:t>reading</w:t></w:r>"
            "</w:rt><w:rubyBase><w:r><w:t>漢字</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>"
        ),
        key="a.docx",
        has=("link words field words tag words control words 漢字",),
        lacks=("reading", "PAGE"),
    ),
    Nasty(
        name="tables in tables",
        content=make_docx(
            f"<w:tbl><w:tr><w:tc>{paragraph('outer')}<w:tbl><w:tr><w:tc>{paragraph('inner')}"
            f"</w:tc></w:tr></w:tbl></w:tc><w:tc>{paragraph('next')}</w:tc></w:tr></w:tbl>"
        ),
        key="a.docx",
        has=("outer", "inner", "next"),
    ),
    Nasty(
        name="formula",
        content=make_docx('<w:p><m:oMath xmlns:m="m"><m:r><m:t>E=mc²</m:t></m:r></m:oMath></w:p>'),
        key="a.docx",
        has=("E=mc²",),
    ),
    Nasty(
        name="main part under a name of its own",
        content=_package("docs/main.xml", paragraph("words elsewhere")),
        key="a.docx",
        has=("words elsewhere",),
    ),
    Nasty(
        name="main part named with a slash in front",
        content=_package("/word/document2.xml", paragraph("second words")),
        key="a.docx",
        has=("second words",),
    ),
    Nasty(
        name="names with backslashes and capitals",
        content=make_zip(
            {
                "[Content_Types].xml": "<Types/>",
                "Word\\Document.xml": _document(paragraph("odd words")),
            }
        ),
        key="a.docx",
        has=("odd words",),
    ),
    Nasty(
        name="embedded page as the only content",
        content=_package(
            "word/document.xml",
            "<w:altChunk/>",
            **{"word/afchunk.htm": b"<html><body><p>chunk <b>words</b></body></html>"},
        ),
        key="a.docx",
        has=("chunk words",),
    ),
    Nasty(
        name="embedded web archive as the only content",
        content=_package(
            "word/document.xml",
            "<w:altChunk/>",
            **{
                "word/afchunk1.mht": b"MIME-Version: 1.0\nContent-Type: text/html\n\n"
                b"<p>archived <b>words</b>"
            },
        ),
        key="a.docx",
        has=("archived words",),
    ),
    Nasty(
        name="macros",
        content=make_docx(paragraph("macro words"), vbaProject="x"),
        key="a.docm",
        has=("macro words",),
    ),
    Nasty(
        name="template",
        content=make_docx(paragraph("form words")),
        key="a.dotx",
        has=("form words",),
    ),
    Nasty(
        name="part in UTF-16",
        content=make_zip(
            {
                "[Content_Types].xml": "<Types/>",
                "word/document.xml": (
                    '<?xml version="1.0" encoding="UTF-16"?>' + _document(paragraph("wide wörds"))
                ).encode("utf-16"),
            }
        ),
        key="a.docx",
        has=("wide wörds",),
    ),
    Nasty(
        name="entity bomb in the body",
        content=make_zip(
            {
                "[Content_Types].xml": "<Types/>",
                "word/document.xml": '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
                + _document("<w:p><w:r><w:t>calm words &b;</w:t></w:r></w:p>"),
            }
        ),
        key="a.docx",
        has=("calm words",),
        lacks=("haha",),
    ),
    Nasty(
        name="pictures alone",
        content=make_docx("<w:p><w:r><w:drawing><blip/></w:drawing></w:r></w:p>"),
        key="a.docx",
        outcome="image_only",
    ),
    Nasty(
        name="body missing",
        content=make_zip({"[Content_Types].xml": "<Types/>", "word/styles.xml": "<x/>"}),
        key="a.docx",
        outcome="corrupt",
    ),
    Nasty(
        name="embedded text as the only content",
        content=_package(
            "word/document.xml", "<w:altChunk/>", **{"word/chunk.txt": b"chunk words"}
        ),
        key="a.docx",
        has=("chunk words",),
    ),
    Nasty(
        name="entity in the middle of a run",
        content=make_zip(
            {
                "word/document.xml": '<!DOCTYPE d [<!ENTITY a "ha">]>'
                + _document(paragraph("before &a; behind"))
            }
        ),
        key="a.docx",
        has=("before ", " behind"),
    ),
    Nasty(name="nothing in it", content=make_docx("<w:p/>"), key="a.docx", outcome="empty"),
    Nasty(
        name="deleted text alone",
        content=make_docx("<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"),
        key="a.docx",
        outcome="empty",
    ),
    Nasty(
        name="password on its parts",
        content=encrypt_zip_flags(make_docx(paragraph("secret words"))),
        key="a.docx",
        outcome="encrypted",
    ),
    Nasty(
        name="cut in the middle",
        content=make_docx(paragraph("words " * 200))[:-60],
        key="a.docx",
        outcome="corrupt",
    ),
    Nasty(
        name="body that is not well-formed",
        content=make_zip({"word/document.xml": "<w:document><w:p>"}),
        key="a.docx",
        outcome="corrupt",
    ),
    Nasty(
        name="named text",
        content=make_docx(paragraph("disguised words")),
        key="a.txt",
        has=("disguised words",),
    ),
    Nasty(
        name="tables nested beyond the parser's depth",
        content=make_docx(
            "<w:tbl><w:tr><w:tc>" * 150 + paragraph("deep words") + "</w:tc></w:tr></w:tbl>" * 150
        ),
        key="a.docx",
        has=("deep words",),
    ),
    Nasty(
        name="one run of 11 million characters",
        content=make_docx(paragraph("x" * 11_000_000)),
        key="a.docx",
        outcome="too_large",
    ),
)
