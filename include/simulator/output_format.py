"""Which JSON schemas structured outputs take."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

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
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "patternProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
)
_NOT_SIMPLE = re.compile(r"(?:^|[^\\])(?:\\\\)*(?:\(\?(?:=|!|<[=!]|P=)|\\(?:[bB1-9]|k<))")
"""Look-around, word boundaries and backreferences, unless their backslash is escaped itself."""
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_SHAPES: dict[str, type | tuple[type, ...]] = {
    "$defs": dict,
    "$ref": str,
    "allOf": list,
    "anyOf": list,
    "definitions": dict,
    "enum": list,
    "format": str,
    "items": dict,
    "minItems": int,
    "pattern": str,
    "properties": dict,
    "required": list,
    "type": (str, list),
}
_UNIONS = ("anyOf", "allOf")
_SCALARS = (str, int, float, bool, type(None))
Schema = dict[str, Any]
T = TypeVar("T")


def schema_problem(schema: Any) -> str | None:
    """Return why the API refuses a schema, or None."""
    return _encoded_schema_problem(msgspec.json.encode(schema))


@lru_cache(maxsize=256)
def _encoded_schema_problem(encoded: bytes) -> str | None:
    """Judge a schema once: it comes again with every request of a batch."""
    schema = msgspec.json.decode(encoded)
    if not isinstance(schema, dict):
        return "Input should be an object"
    nodes = list(_nodes(schema))
    checks = (_shape_problem, _object_problem, _value_problem, _union_problem)
    for node in nodes:
        if problem := next(filter(None, (check(node) for check in checks)), None):
            return problem
    return _reference_problem(schema, schema, frozenset()) or _count_problem(nodes)


def _count_problem(nodes: Sequence[Schema]) -> str | None:
    if sum(map(_optional_count, nodes)) > MAX_OPTIONAL_PARAMETERS:
        return f"more than {MAX_OPTIONAL_PARAMETERS} optional parameters"
    if sum(map(_is_union, nodes)) > MAX_UNION_PARAMETERS:
        return f"more than {MAX_UNION_PARAMETERS} parameters with union types"
    return None


def _nodes(schema: Schema) -> Iterator[Schema]:
    """Yield a schema and every schema inside it."""
    yield schema
    for _, inner in _inner(schema):
        if isinstance(inner, dict):
            yield from _nodes(inner)


def _inner(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield what should be the schemas right inside a schema, and where they are."""
    if "items" in schema:
        yield "items", schema["items"]
    for name in _UNIONS:
        yield from ((name, branch) for branch in _of_type(schema.get(name), list))
    for name in ("properties", "$defs", "definitions"):
        yield from _of_type(schema.get(name), dict).items()


def _of_type(value: Any, expected: type[T]) -> T:
    """Return a value that has its type, else an empty one."""
    return value if isinstance(value, expected) else expected()


def _shape_problem(node: Schema) -> str | None:
    for name, shapes in _SHAPES.items():
        if name in node and not isinstance(node[name], shapes):
            return f"{name}: Input has the wrong type"
    for name, inner in _inner(node):
        if not isinstance(inner, dict):
            return f"{name}: Input should be an object"
    if any(name in node and not node[name] for name in ("enum", "type", *_UNIONS)):
        return "enum, type, anyOf and allOf must not be empty"
    kinds = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", ())
    if not all(kind in _TYPES for kind in kinds):
        return f"type: Input should be one of {', '.join(_TYPES)}"
    return None


def _object_problem(node: Schema) -> str | None:
    if "properties" not in node and node.get("type") != "object":
        return None
    if node.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    unknown = [name for name in node.get("required", ()) if name not in node.get("properties", ())]
    if unknown:
        return f"required names unknown properties: {unknown}"
    return None


def _value_problem(node: Schema) -> str | None:
    for keyword in _UNSUPPORTED:
        if keyword in node:
            return f"property '{keyword}' is not supported"
    if node.get("minItems", 0) not in (0, 1):
        return "'minItems' values other than 0 or 1 are not supported"
    if node.get("format", "date") not in _FORMATS:
        return f"format '{node['format']}' is not supported"
    if not all(isinstance(value, _SCALARS) for value in node.get("enum", ())):
        return "enum: values other than strings, numbers, booleans and null are not supported"
    if _NOT_SIMPLE.search(node.get("pattern", "")):
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
    required = node.get("required", ())
    return sum(name not in required for name in node.get("properties", ()))


def _is_union(node: Schema) -> bool:
    return "anyOf" in node or isinstance(node.get("type"), list)
