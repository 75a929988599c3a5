"""XML to text: an indented outline of names, attributes and text."""

import re
from collections.abc import Iterator
from typing import Literal

from lxml import etree

from include.documents.decoding import decode
from include.documents.extraction import NoTextError, Reading

EXTRACTOR = "lxml"

_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]+)""")
_ENTITIES: tuple[Literal["internal", False], ...] = ("internal", False)
"""Those that a document defines itself are expanded, unless they would explode."""
_LONG_TAG = re.compile("<[^<>]{8000,}")
_MAX_ATTRIBUTES = 2_000
_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,200}\?>")


def read(content: bytes) -> Reading:
    """Read an XML document; what is not well-formed is read as it stands."""
    source, encoding = _decode(content)
    root = _parse(source)
    if root is None:
        return Reading(source, "text", encoding)
    return Reading("\n".join(_outline(root)), EXTRACTOR, encoding)


def read_svg(content: bytes) -> Reading:
    """Read the words of a drawing.

    Raises:
        NoTextError: There are none.
    """
    source, encoding = _decode(content)
    root = _parse(source)
    if root is None:
        return Reading(source, "text", encoding)
    elements = root.iter("{*}title", "{*}desc", "{*}text", "{*}foreignObject")
    lines = (" ".join("".join(map(str, element.itertext())).split()) for element in elements)
    text = "\n".join(filter(None, lines))
    if not text:
        raise NoTextError(outcome="image_only", reason="The object is a drawing without words.")
    return Reading(text, EXTRACTOR, encoding)


def _decode(content: bytes) -> tuple[str, str]:
    declared = _DECLARED.match(content)
    return decode(content, declared[1].decode("ascii") if declared else None)


def _parse(source: str) -> etree._Element | None:
    """Return the root of a document, None where it is not well-formed."""
    undeclared = _undeclared(source)
    if any(tag[0].count("=") > _MAX_ATTRIBUTES for tag in _LONG_TAG.finditer(undeclared)):
        return None  # the parser compares each with all others
    for entities in _ENTITIES if "<!ENTITY" in undeclared else _ENTITIES[1:]:
        parser = etree.XMLParser(
            resolve_entities=entities,  # type: ignore[arg-type]  # the stubs miss "internal"
            no_network=True,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            return etree.fromstring(undeclared, parser)
        except (etree.XMLSyntaxError, ValueError):  # ValueError: what XML does not allow
            continue
    return None


def _undeclared(source: str) -> str:
    """Return `source` without its first line, which declares an encoding that it no longer has."""
    declaration = _DECLARATION.match(source)
    return source[declaration.end() :] if declaration else source


def _outline(root: etree._Element) -> Iterator[str]:
    """Yield a line per element; one that mixes text and elements is one line with all its text."""
    mixed_depth: int | None = None
    depth = -1
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            mixed_depth = None if mixed_depth == depth else mixed_depth
            depth -= 1
            continue
        depth += 1
        if mixed_depth is None:
            has_text = _is_mixed(element) or len(element) == 0
            mixed_depth = depth if has_text else None
            text = " ".join("".join(element.itertext()).split()) if has_text else ""
            yield _line(element, text, depth)


def _is_mixed(element: etree._Element) -> bool:
    return any(
        text and not text.isspace() for text in (element.text, *(child.tail for child in element))
    )


def _line(element: etree._Element, text: str, depth: int) -> str:
    pairs = [(_local(name), str(value)) for name, value in element.attrib.items()]
    attributes = "".join(f' {name}="{value}"' for name, value in pairs)
    return f"{'  ' * depth}{_local(element.tag)}{attributes}{': ' if text else ''}{text}"


def _local(name: str | bytes) -> str:
    return str(name).rpartition("}")[2]
