"""The bounds of one value: where a schema says them, and how a value is made to keep them."""

import math
import re
from typing import Any

from include.simulator.patterns import matching_text

Schema = dict[str, Any]

# Structured outputs take no bounds, so clients write them into the description instead: the SDK
# as `{maxLength: 120}`, others in words.
_IN_BRACES = re.compile(r"\b((?:exclusive)?(?:min|max)\w+|multipleOf): (-?\d+(?:\.\d+)?)")
_PATTERN_IN_BRACES = re.compile(r"pattern: (.+?)(?:, \w+: [^,]*)?\}$")
_IN_WORDS = {
    "minLength": re.compile(r"\bat least (\d+) characters"),
    "maxLength": re.compile(r"\bat most (\d+) characters"),
    "minItems": re.compile(r"\bat least (\d+) items"),
    "maxItems": re.compile(r"\bat most (\d+) items"),
    "minimum": re.compile(r"\bat least (-?\d+(?:\.\d+)?)(?! characters| items|[\d.])"),
    "maximum": re.compile(r"\bat most (-?\d+(?:\.\d+)?)(?! characters| items|[\d.])"),
    "exclusiveMinimum": re.compile(r"\bmore than (-?\d+(?:\.\d+)?)"),
    "exclusiveMaximum": re.compile(r"\bless than (-?\d+(?:\.\d+)?)"),
    "multipleOf": re.compile(r"\ba multiple of (\d+(?:\.\d+)?)"),
}
_PATTERN_IN_WORDS = re.compile(r"\bmatches (\S+?)(?:, at \w+ .*)?\)?$")
_DECIMAL = re.compile(r"\bplain decimal number\b|\bformat: decimal\b")
_COUNTS = frozenset({"minLength", "maxLength", "minItems", "maxItems"})


def with_described_bounds(schema: Schema) -> Schema:
    """Return the schema with the bounds that its description tells, as keywords."""
    return described_bounds(str(schema.get("description", ""))) | schema


def described_bounds(description: str) -> Schema:
    """Return the bounds that a description tells."""
    found = {
        keyword: match.group(1)
        for keyword, words in _IN_WORDS.items()
        if (match := words.search(description))
    }
    found |= dict(_IN_BRACES.findall(description))
    bounds: Schema = {
        keyword: int(value) if keyword in _COUNTS else float(value)
        for keyword, value in found.items()
    }
    pattern = _PATTERN_IN_BRACES.search(description) or _PATTERN_IN_WORDS.search(description)
    if pattern:
        bounds["pattern"] = pattern.group(1)
    if _DECIMAL.search(description):
        bounds["format"] = "decimal"
    return bounds


def fit_text(text: str, schema: Schema) -> str:
    """Return the text, or the nearest one, that keeps the bounds of a string schema."""
    longest = schema.get("maxLength")
    if longest is not None and len(text) > longest:
        text = text[:longest].rsplit(" ", 1)[0].rstrip(" ,;:") or text[:longest]
    text = text.ljust(schema.get("minLength", 0), ".")
    if keeps_pattern(text, schema):
        return text
    return matching_text(schema["pattern"]) or text


def keeps_pattern(text: str, schema: Schema) -> bool:
    """Return whether the text matches the schema's pattern, if it has one."""
    try:
        return re.search(schema.get("pattern", ""), text) is not None
    except re.error:
        return True


def fit_number(value: float, schema: Schema, *, is_integer: bool) -> float:
    """Return the number, or the nearest one, that keeps the bounds of a number schema."""
    lowest, highest = limits(schema, is_integer=is_integer)
    value = min(max(value, lowest), highest)
    step = schema.get("multipleOf", 1 if is_integer else None)
    if step:
        value = math.floor(value / step) * step
        value = value if value >= lowest else value + step
    return int(value) if is_integer else value


def limits(schema: Schema, *, is_integer: bool) -> tuple[float, float]:
    """Return the least and the greatest value that a number schema allows."""
    lowest = schema.get("minimum", -math.inf)
    highest = schema.get("maximum", math.inf)
    margin = 1 if is_integer else 1e-6
    if "exclusiveMinimum" in schema:
        lowest = max(lowest, schema["exclusiveMinimum"] + margin)
    if "exclusiveMaximum" in schema:
        highest = min(highest, schema["exclusiveMaximum"] - margin)
    return lowest, highest
