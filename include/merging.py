"""Merging: the answers about the parts of one document become one answer, field by field."""

import datetime as dt
import decimal
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Literal

import msgspec

from include.answers import AnswerSchema
from include.output_schemas import JsonSchema

MergeRule = Literal[
    "first",
    "longest",
    "most_common",
    "union",
    "concat",
    "any",
    "all",
    "min",
    "max",
    "sum",
    "mean",
]
_FieldKind = Literal["text", "choice", "boolean", "integer", "number", "time", "list", "object"]
_Values = Sequence[Any]
"""What the parts say, in order, without None; at least one."""

_FITTING: Mapping[_FieldKind, tuple[MergeRule, ...]] = {
    "text": ("first", "longest", "most_common", "concat"),
    "choice": ("first", "most_common"),
    "boolean": ("first", "most_common", "any", "all"),
    "integer": ("first", "most_common", "min", "max", "sum"),
    "number": ("first", "most_common", "min", "max", "sum", "mean"),
    "time": ("first", "most_common", "min", "max"),
    "list": ("first", "longest", "union", "concat"),
    "object": ("first", "most_common"),
}
_DECIMAL_PLACES = Decimal("1e-9")
_DECIMAL_DIGITS = 76
"""Twice what a column holds, so that nothing is rounded on the way."""


def fitting_rules(node: JsonSchema) -> tuple[MergeRule, ...]:
    """Return the rules whose outcome a field can hold, whatever the parts say.

    Args:
        node: The field's JSON schema, without null.
    """
    refused = {rule for rule, reason in _refusals(node) if reason}
    return tuple(rule for rule in _FITTING[_kind(node)] if rule not in refused)


def _refusals(node: JsonSchema) -> Iterator[tuple[MergeRule, bool]]:
    """Say of the rules that make new values whether they could break a bound."""
    lower = min(node.get("minimum", 0), node.get("exclusiveMinimum", 0))
    is_rounded = "multipleOf" in node and node["type"] == "number"
    yield "sum", "maximum" in node or "exclusiveMaximum" in node or lower < 0 or is_rounded
    yield "mean", "multipleOf" in node
    yield "concat", "pattern" in node or ("format" in node and node.get("type") == "string")


def _kind(node: JsonSchema) -> _FieldKind:
    if "enum" in node or "const" in node:
        return "choice"
    kinds: dict[str, _FieldKind] = {
        "array": "list",
        "object": "object",
        "boolean": "boolean",
        "integer": "integer",
        "number": "number",
    }
    formats: dict[str, _FieldKind] = {"decimal": "number", "date": "time", "date-time": "time"}
    return kinds.get(node["type"]) or formats.get(node.get("format", ""), "text")


@dataclass(frozen=True)
class PartMerger:
    """Merges the answers about the parts of a document."""

    schema: AnswerSchema
    rules: Mapping[str, MergeRule]
    """One for each field."""

    def merge(self, texts: Sequence[str]) -> Any:
        """Return one answer for the document.

        Args:
            texts: The answers about its parts as JSON, in order.

        Raises:
            msgspec.ValidationError: What came out does not fit the schema or the columns.
        """
        answers = [self.schema.parse(text) for text in texts]
        nodes = self.schema.field_schemas()
        try:
            with decimal.localcontext(prec=_DECIMAL_DIGITS):
                merged = {
                    name: _merged(rule, [getattr(one, name) for one in answers], nodes[name])
                    for name, rule in self.rules.items()
                }
            return self.schema.parse(msgspec.json.encode(merged))
        except ArithmeticError as error:
            msg = f"a merged number is too large: {error}"
            raise msgspec.ValidationError(msg) from None


def _merged(rule: MergeRule, values: Sequence[Any], node: JsonSchema) -> Any:
    said = [value for value in values if value is not None]
    return _RULES[rule](said, node) if said else None


def _first(values: _Values, _: JsonSchema) -> Any:
    return values[0]


def _longest(values: _Values, _: JsonSchema) -> Any:
    return max(values, key=len)


def _most_common(values: _Values, _: JsonSchema) -> Any:
    """Return what most parts say; of equals what was said first."""
    counts = Counter(map(_as_key, values))
    return max(values, key=lambda value: counts[_as_key(value)])


def _union(values: _Values, node: JsonSchema) -> list[Any]:
    """Return distinct items in order, as many as the field takes."""
    items: dict[bytes, Any] = {}
    for item in chain.from_iterable(values):
        items.setdefault(_as_key(item), item)
    return list(items.values())[: node.get("maxItems")]


def _concat(values: _Values, node: JsonSchema) -> Any:
    """Return items, or texts with a space between them, as many as the field takes whole."""
    if isinstance(values[0], list):
        return list(chain.from_iterable(values))[: node.get("maxItems")]
    text: str = values[0]
    for value in filter(None, values[1:]):
        longer = f"{text} {value}" if text else value
        if len(longer) > node.get("maxLength", math.inf):
            break
        text = longer
    return text


def _any(values: _Values, _: JsonSchema) -> bool:
    return any(values)


def _all(values: _Values, _: JsonSchema) -> bool:
    return all(values)


def _min(values: _Values, _: JsonSchema) -> Any:
    return min(values, key=_as_number)


def _max(values: _Values, _: JsonSchema) -> Any:
    return max(values, key=_as_number)


def _sum(values: _Values, _: JsonSchema) -> Any:
    return math.fsum(values) if isinstance(values[0], float) else sum(values)


def _mean(values: _Values, _: JsonSchema) -> Any:
    """Return the mean, which rounding must not push beyond the values."""
    if isinstance(values[0], Decimal):
        mean = sum(values, Decimal(0)) / len(values)
        return mean.quantize(_DECIMAL_PLACES)
    return min(max(math.fsum(values) / len(values), min(values)), max(values))


_RULES: Mapping[MergeRule, Callable[[_Values, JsonSchema], Any]] = {
    "first": _first,
    "longest": _longest,
    "most_common": _most_common,
    "union": _union,
    "concat": _concat,
    "any": _any,
    "all": _all,
    "min": _min,
    "max": _max,
    "sum": _sum,
    "mean": _mean,
}


def _as_key(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _as_number(value: Any) -> Any:
    """Return what compares: a time without a zone is in UTC, as the columns take it."""
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return value.replace(tzinfo=dt.UTC)
    return value
