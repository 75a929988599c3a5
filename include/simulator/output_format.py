"""Which JSON schemas structured outputs take."""

from collections.abc import Iterator
from typing import Any

MAX_OPTIONAL_PARAMETERS = 24
MAX_UNION_PARAMETERS = 16
"""A nullable field is one. Source: structured outputs, limits of one request."""

_UNSUPPORTED = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "oneOf",
    "not",
    "patternProperties",
)
_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
)
_LOOKAROUND = ("(?=", "(?!", "(?<", r"\b", r"\1")
Schema = dict[str, Any]


def schema_problem(schema: Any) -> str | None:
    """Return why the API refuses a schema, or None."""
    if not isinstance(schema, dict):
        return "Input should be an object"
    nodes = list(_nodes(schema))
    for node in nodes:
        if problem := _object_problem(node) or _value_problem(node) or _union_problem(node):
            return problem
    if problem := _reference_problem(schema, schema, frozenset()):
        return problem
    if sum(map(_optional_count, nodes)) > MAX_OPTIONAL_PARAMETERS:
        return f"more than {MAX_OPTIONAL_PARAMETERS} optional parameters"
    if sum(map(_is_union, nodes)) > MAX_UNION_PARAMETERS:
        return f"more than {MAX_UNION_PARAMETERS} parameters with union types"
    return None


def _nodes(schema: Schema) -> Iterator[Schema]:
    """Yield a schema and every schema inside it."""
    yield schema
    inner: list[Any] = [schema.get("items"), *schema.get("anyOf", ()), *schema.get("allOf", ())]
    for name in ("properties", "$defs", "definitions"):
        inner += (schema.get(name) or {}).values()
    for node in inner:
        if isinstance(node, dict):
            yield from _nodes(node)


def _object_problem(node: Schema) -> str | None:
    if "properties" not in node and node.get("type") != "object":
        return None
    if node.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if unknown := set(node.get("required", ())) - set(node.get("properties", ())):
        return f"required names unknown properties: {', '.join(sorted(unknown))}"
    return None


def _value_problem(node: Schema) -> str | None:
    for keyword in _UNSUPPORTED:
        if keyword in node:
            return f"property '{keyword}' is not supported"
    if node.get("minItems", 0) not in (0, 1):
        return "'minItems' values other than 0 or 1 are not supported"
    if node.get("format", "date") not in _FORMATS:
        return f"format '{node['format']}' is not supported"
    if any(construct in node.get("pattern", "") for construct in _LOOKAROUND):
        return "'pattern' is not supported: lookaround, word boundary or backreference"
    return None


def _union_problem(node: Schema) -> str | None:
    if any("$ref" in branch for branch in node.get("allOf", ())):
        return "'allOf' with '$ref' is not supported"
    return None


def _reference_problem(root: Schema, node: Schema, followed: frozenset[str]) -> str | None:
    """Follow every reference to its end, if it has one."""
    for inner in _nodes(node):
        if "$ref" not in inner:
            continue
        reference = str(inner["$ref"])
        if reference in followed:
            return "recursive schemas are not supported"
        target = resolve(root, reference)
        if target is None:
            return f"'$ref' {reference} is not in the schema"
        if problem := _reference_problem(root, target, followed | {reference}):
            return problem
    return None


def resolve(root: Schema, reference: str) -> Schema | None:
    """Return what an internal reference points to, or None if there is no such place."""
    target: Any = root
    for step in reference.removeprefix("#/").split("/"):
        target = target.get(step) if isinstance(target, dict) else None
    return target if isinstance(target, dict) and reference.startswith("#/") else None


def _optional_count(node: Schema) -> int:
    return len(set(node.get("properties", ())) - set(node.get("required", ())))


def _is_union(node: Schema) -> bool:
    return "anyOf" in node or isinstance(node.get("type"), list)
