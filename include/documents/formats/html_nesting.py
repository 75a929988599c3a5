"""Flatten pages that nest far deeper than any browser shows, as their parser would take forever."""

import re
from collections import Counter

_MAX_DEPTH = 400
"""Browsers nest 512 elements; what lies deeper, they show beside each other."""
_MAX_ATTRIBUTES = 1_000
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{8000}")
_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(/?)([A-Za-z][^\s/>]*)((?:[^>"']++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+)>?""",
    re.DOTALL,
)
"""Comments, and tags; what is never closed goes on to the end, so that no place is read twice."""

_NAME = re.compile(r"<(/?)([A-Za-z][^\s/>]*)")
_UNCOUNTED = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
        *("body", "head", "html", "title"),
        *("colgroup", "dd", "dt", "li", "optgroup", "option", "p", "rp", "rt", "tbody", "td"),
        *("tfoot", "th", "thead", "tr"),
        *("iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "template"),
        *("textarea", "xmp"),
    )
)
"""Elements that hold none, that the next of their kind ends, or whose content is no markup."""
_INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "em"),
        *("font", "i", "ins", "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike"),
        *("strong", "sub", "sup", "tt", "u", "var"),
    )
)


def flatten(markup: str) -> str:
    """Return `markup` without what makes its elements nest too deeply, else as it is."""
    is_deep = markup.count("<") > _MAX_DEPTH and _is_deep(markup)
    if not is_deep and not _LONG_TAG.search(markup):
        return markup
    return _TAG.sub(_Flattener().replace, markup)


def _is_deep(markup: str) -> bool:
    """Return whether so many elements are open at once; an end only ends what has its name."""
    depth = 0
    opened: Counter[str] = Counter()
    for end, raw_name in _NAME.findall(markup):
        name = raw_name.lower()
        if name in _UNCOUNTED:
            continue
        if not end:
            opened[name] += 1
            depth += 1
            if depth > _MAX_DEPTH:
                return True
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
    return False


class _Flattener:
    """Replaces the tags of elements that lie too deep, their ends included."""

    def __init__(self) -> None:
        self._depth = 0
        self._opened: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()

    def replace(self, tag: re.Match[str]) -> str:
        if not tag[2]:
            return tag[0]
        name = tag[2].lower()
        if not self._keeps(name, is_end=bool(tag[1])):
            return "" if name in _INLINE else "<br>"
        has_too_many = len(tag[3].split(maxsplit=_MAX_ATTRIBUTES)) > _MAX_ATTRIBUTES
        return f"<{tag[1]}{tag[2]}>" if has_too_many else tag[0]

    def _keeps(self, name: str, *, is_end: bool) -> bool:
        if name in _UNCOUNTED:
            return True
        return self._end(name) if is_end else self._begin(name)

    def _begin(self, name: str) -> bool:
        if self._depth == _MAX_DEPTH:
            self._dropped[name] += 1
            return False
        self._opened[name] += 1
        self._depth += 1
        return True

    def _end(self, name: str) -> bool:
        if self._dropped[name]:
            self._dropped[name] -= 1
            return False
        if self._opened[name]:
            self._opened[name] -= 1
            self._depth -= 1
        return True
