"""HTML to text: every word a reader sees, blocks on lines of their own, tabs between cells."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from include.documents.decoding import decode
from include.documents.extraction import Reading
from include.documents.flow import Flow
from include.documents.formats.html_nesting import flatten

EXTRACTOR = "selectolax"

_DECLARED = re.compile(
    rb"""<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,200}?encoding)\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
_DECLARED_HEAD_BYTES = 4096

_UNSEEN = frozenset(
    {"head", "iframe", "noembed", "noframes", "object", "script", "style", "template"}
)
_PARAGRAPHS = frozenset(
    {"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "ul"}
)
_LINES = frozenset(
    {
        "address",
        "article",
        "aside",
        "br",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "noscript",
        "optgroup",
        "option",
        "search",
        "section",
        "summary",
    }
)
_ROWS = frozenset({"table", "tbody", "tfoot", "thead", "tr"})
_CELLS = frozenset({"td", "th"})
_TEXT = "-text"
_VERBATIM = frozenset({"pre", "textarea"})


def read(content: bytes) -> Reading:
    """Read an HTML page."""
    markup, encoding = decode(content, declared_encoding(content))
    return Reading(text_of(markup), EXTRACTOR, encoding)


def declared_encoding(content: bytes) -> str | None:
    """Return the encoding that the markup names, if it does."""
    declared = _DECLARED.search(content, 0, _DECLARED_HEAD_BYTES)
    return declared[1].decode("ascii") if declared else None


def text_of(markup: str) -> str:
    """Return the text of a page or a piece of HTML, its title first."""
    page = LexborHTMLParser(flatten(markup))
    flow = Flow()
    if title := page.css_first("head > title"):
        flow.add_words(title.text())
        flow.break_line(blank=True)
    if page.css_first("frameset") is None and page.body is not None:
        _read_tree(page.body, flow)
        return flow.text()
    instead = (text_of(node.text()) for node in page.css("frameset noframes"))
    return "\n\n".join(filter(None, (flow.text(), *instead)))


def _read_tree(root: LexborNode, flow: Flow) -> None:
    """Walk without recursion, as pages nest deeper than Python's stack."""
    node: LexborNode | None = root.first_child
    above: list[tuple[LexborNode, str]] = []
    verbatim_depth = 0
    while node is not None:
        tag = node.tag or ""
        _enter(node, tag, flow, is_verbatim=verbatim_depth > 0)
        child = None if tag == _TEXT or tag in _UNSEEN else node.first_child
        if child is not None:
            verbatim_depth += tag in _VERBATIM
            above.append((node, tag))
            node = child
            continue
        _break_at(tag, flow)
        while (following := node.next) is None and above:
            node, tag = above.pop()
            verbatim_depth -= tag in _VERBATIM
            _break_at(tag, flow)
        node = following


def _enter(node: LexborNode, tag: str, flow: Flow, *, is_verbatim: bool) -> None:
    if tag == _TEXT:
        text = node.text_content or ""
        if is_verbatim and text.strip():
            flow.add(text.strip("\n"))
        else:
            flow.add_words(text)
    elif tag == "img":
        flow.add_words(node.attributes.get("alt") or "")
    elif tag in _CELLS:
        flow.break_cell()
    else:
        _break_at(tag, flow)


def _break_at(tag: str, flow: Flow) -> None:
    """Break where an element ends, which is where it would break at its beginning."""
    if tag == _TEXT:
        return
    if tag in _PARAGRAPHS:
        flow.break_line(blank=True)
    elif tag in _LINES:
        flow.break_line()
    elif tag in _ROWS:
        flow.break_row()
