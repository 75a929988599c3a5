"""Walk a JSON schema and fill it with what was read in a text."""

import hashlib
from typing import Any

from include.simulator import findings
from include.simulator.bounds import (
    Schema,
    fit_number,
    fit_text,
    keeps_pattern,
    limits,
    with_described_bounds,
)
from include.simulator.findings import Field
from include.simulator.output_format import resolve
from include.simulator.reading import Reading

_ITEMS_WISHED = 5
_OBJECTS_WISHED = 2
_NOTHING = "unknown"


class SchemaFiller:
    """Fills one schema for one text; every value keeps the schema's bounds."""

    def __init__(self, schema: Schema, reading: Reading, seed: int) -> None:
        self._root = schema
        self._reading = reading
        self._seed = seed

    def fill(self) -> Any:
        """Return a value that validates against the schema."""
        return self._value(self._root, "answer")

    def _value(self, node: Schema, name: str, place: int = 0) -> Any:
        """Fill one node; `place` counts the objects of a list, which say different things."""
        node = self._resolved(node)
        if "const" in node:
            return node["const"]
        field = Field(name, str(node.get("description", "")))
        if "enum" in node:
            return self._choices(node["enum"], field)[0]
        kinds = _types(node)
        value = self._typed(kinds[0], node, field, place)
        if value is None and "null" not in kinds:
            return self._default(kinds[0], node)
        return value

    def _resolved(self, node: Schema) -> Schema:
        """Follow references and unions to the schema of a value that is there."""
        if "$ref" in node:
            target = resolve(self._root, node["$ref"]) or {}
            return self._resolved(target | {k: v for k, v in node.items() if k != "$ref"})
        if "anyOf" in node:
            branches = [self._resolved(branch) for branch in node["anyOf"]]
            chosen = next((b for b in branches if b.get("type") != "null"), branches[0])
            rest = {key: value for key, value in node.items() if key != "anyOf"}
            is_nullable = any(branch.get("type") == "null" for branch in branches)
            return chosen | rest | ({"type": [*_types(chosen), "null"]} if is_nullable else {})
        for part in node.get("allOf", ()):
            node = _merged(node, self._resolved(part))
        return with_described_bounds(node)

    def _typed(self, kind: str, node: Schema, field: Field, place: int) -> Any:
        """Return a value of the node's type, or None if the text holds none."""
        if kind == "object":
            properties = node.get("properties", {})
            return {name: self._value(child, name, place) for name, child in properties.items()}
        if kind == "array":
            return self._list(node, field)
        if kind == "boolean":
            return findings.flag(self._reading, field)
        if kind in ("integer", "number"):
            return self._number(node, field, place, is_integer=kind == "integer")
        if kind == "string":
            found = self._texts(node, field)
            return found[place % len(found)] if found else None
        return None

    def _default(self, kind: str, node: Schema) -> Any:
        """Return a value for a field that must have one although the text has none."""
        if kind in ("integer", "number"):
            return fit_number(0, node, is_integer=kind == "integer")
        if kind == "string":
            text = findings.FORMAT_DEFAULTS.get(node.get("format", ""), _NOTHING)
            return fit_text(text, node)
        return None

    def _texts(self, node: Schema, field: Field) -> list[str]:
        if "format" in node:
            return findings.formatted(self._reading, field, node["format"])
        found = findings.texts(self._reading, field)
        matching = [text for text in found if keeps_pattern(text, node)]
        if "null" in _types(node) and not matching:
            return []
        return list(dict.fromkeys(fit_text(text, node) for text in matching or found))

    def _number(self, node: Schema, field: Field, place: int, *, is_integer: bool) -> float | None:
        found = findings.numbers(self._reading, field, limits(node, is_integer=is_integer))
        if not found:
            return None
        return fit_number(found[place % len(found)], node, is_integer=is_integer)

    def _list(self, node: Schema, field: Field) -> list[Any]:
        item = self._resolved(node.get("items", {"type": "string"}))
        item.setdefault("description", field.description)
        least, most = node.get("minItems", 0), node.get("maxItems", _ITEMS_WISHED)
        if "enum" in item:
            values = self._mentioned(item["enum"], field)
        elif _types(item)[0] == "string" and "const" not in item:
            values = self._texts(item, field)
        else:
            wished = min(max(least, _OBJECTS_WISHED), most)
            values = [self._value(item, field.name, place) for place in range(wished)]
        values = values[:most]
        while len(values) < least:
            values.append(self._value(item, field.name, len(values)))
        return values

    def _choices(self, values: list[Any], field: Field) -> list[Any]:
        """Return the values of an enumeration, the one that fits best first."""
        texts = {str(value).lower(): value for value in values}
        if {"positive", "negative"} <= texts.keys():
            wished = [findings.sentiment(self._reading), "mixed", "neutral", "positive"]
        else:
            wished = [text.lower() for text in findings.texts(self._reading, field)]
        for word in wished:
            if word in texts:
                return [texts[word], *values]
        return [*self._mentioned(values, field), *values]

    def _mentioned(self, values: list[Any], field: Field) -> list[Any]:
        """Return the values that the text mentions, or one that is always the same."""
        texts = {str(value): value for value in values}
        ordered = findings.by_mentions(self._reading, list(texts))
        mentioned = [texts[text] for text in ordered if findings.mentions(self._reading, text)]
        return mentioned or [values[self._draw(field.name) % len(values)]]

    def _draw(self, name: str) -> int:
        source = f"{self._seed}:{name}:{self._reading.text}"
        return int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big")


def _types(node: Schema) -> list[str]:
    """Return the types that a node allows, null last."""
    kinds = node.get("type") or ("object" if "properties" in node else "string")
    return sorted([kinds] if isinstance(kinds, str) else kinds, key=lambda kind: kind == "null")


def _merged(node: Schema, part: Schema) -> Schema:
    """Return what both schemas ask for."""
    properties = node.get("properties", {}) | part.get("properties", {})
    merged = part | node
    return merged | {"properties": properties} if properties else merged
