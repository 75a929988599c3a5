"""How long an answer will be, by its schema alone: until answers were seen."""

import math
import re
from typing import Any

from include.tokens import CHARACTERS_PER_TOKEN

_SENTENCE = re.compile(r"\b(?:(one|two|three|four|five)\b[a-z, ]*)?sentences?\b", re.IGNORECASE)
_SENTENCE_CHARACTERS = 140
"""A sentence that sums something up has more than 20 words."""
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_UNBOUNDED_CHARACTERS = 30
"""A string that may be of any length, and is no sentence: a name, a title, a few words."""
_ITEM_CHARACTERS = 20
"""The same in a list: a name, a keyword."""
_ROOM = 0.6
"""Power of a string's bound that such words fill: 12 of 60 characters, 24 of 200."""
_CODE_CHARACTERS = 3
"""A string with a pattern: a code of a country, a currency, a language."""
_NULL_CHARACTERS = 4
_SCALARS: dict[str, float] = {"integer": 4, "number": 6, "boolean": 5, "null": _NULL_CHARACTERS}
_FORMATS: dict[str, float] = {"date": 12, "date-time": 27, "time": 14, "uuid": 38, "decimal": 10}
_ITEMS = 3
_OBJECTS = 2
_QUOTES = 2


def expected_output_tokens(schema: dict[str, Any]) -> float:
    """Return about how many tokens an answer of this JSON schema has."""
    return _characters(schema) / float(CHARACTERS_PER_TOKEN)


def _characters(node: dict[str, Any]) -> float:
    if "anyOf" in node:
        return sum(map(_characters, node["anyOf"])) / len(node["anyOf"])
    if "enum" in node or "const" in node:
        values = node.get("enum") or [node["const"]]
        lengths = [len(str(value)) for value in values]
        return sum(lengths) / len(lengths) + _QUOTES
    kinds = node.get("type", "object")
    if isinstance(kinds, list) and len(kinds) > 1:  # what may be absent often is
        return (_characters(node | {"type": _kind(kinds)}) + _NULL_CHARACTERS) / 2
    kind = _kind(kinds)
    if kind == "object":
        fields: dict[str, dict[str, Any]] = node["properties"]
        return 1 + sum(len(name) + 4 + _characters(child) for name, child in fields.items())
    if kind == "array":
        item: dict[str, Any] = node["items"]
        usual = _OBJECTS if "properties" in item else _ITEMS
        count: int = min(max(usual, node.get("minItems", 0)), node.get("maxItems", usual))
        return 1 + count * (1 + _characters(_as_item(item)))
    return _SCALARS.get(kind) or _string_characters(node)


def _as_item(node: dict[str, Any]) -> dict[str, Any]:
    is_unbounded = _kind(node.get("type", "object")) == "string" and "maxLength" not in node
    return node | {"maxLength": _ITEM_CHARACTERS ** (1 / _ROOM)} if is_unbounded else node


def _kind(kinds: str | list[str]) -> str:
    if isinstance(kinds, str):
        return kinds
    return next((one for one in kinds if one != "null"), "null")


def _string_characters(node: dict[str, Any]) -> float:
    if node.get("format") in _FORMATS:
        return _FORMATS[node["format"]]
    if "pattern" in node:
        return _QUOTES + _CODE_CHARACTERS
    bound = node.get("maxLength", math.inf)
    sentences = _SENTENCE.search(node.get("description", ""))
    if sentences:
        count = _NUMBERS[(sentences[1] or "one").lower()]
        return float(_QUOTES + min(count * _SENTENCE_CHARACTERS, bound))
    return float(_QUOTES + min(bound**_ROOM, _UNBOUNDED_CHARACTERS))
