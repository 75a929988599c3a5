"""What an answer's schema may hold: the limits of structured outputs, and what we can check."""

from collections.abc import Iterator

from include.errors import ConfigurationError
from include.output_schemas import CHECKED_KEYWORDS, JsonSchema, nullable

MAX_OPTIONAL_FIELDS = 24
"""Source: structured outputs, limit of optional parameters in one request."""
MAX_UNION_FIELDS = 16
"""Source: structured outputs, limit of union-typed parameters; a nullable field is one."""

_KNOWN_KEYWORDS = CHECKED_KEYWORDS | {
    "type",
    "description",
    "format",
    "enum",
    "const",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "anyOf",
    "default",
}
_NAMES_SHOWN = 30


def check_limits(schema: JsonSchema) -> None:
    """Refuse a schema that the API would refuse, or of which a part would not be checked.

    Raises:
        ConfigurationError: Field, count and limit are named, and what to do.
    """
    if schema.get("type") != "object" or not schema.get("properties"):
        msg = "an answer is an object with at least one field"
        raise ConfigurationError(msg)
    nodes = list(_nodes(schema, ""))
    for path, node in nodes:
        _check_node(path or "the answer", node)
    _check_count(
        [
            path
            for path, node in nodes
            if node.get("type") == "object"
            for path in _left_out(path, node)
        ],
        MAX_OPTIONAL_FIELDS,
        "optional fields",
        "give fewer of them a default",
    )
    _check_count(
        [path for path, node in nodes if "anyOf" in node],
        MAX_UNION_FIELDS,
        "nullable fields",
        "make some required (an empty text or list can say that there is nothing)",
    )


def _check_count(paths: list[str], limit: int, what: str, remedy: str) -> None:
    if len(paths) > limit:
        shown = ", ".join(paths[:_NAMES_SHOWN])
        msg = f"{len(paths)} {what}, {limit} fit: {shown}; {remedy}, or split the spec in two"
        raise ConfigurationError(msg)


def _left_out(path: str, node: JsonSchema) -> Iterator[str]:
    """Yield the fields of an object that an answer may leave out."""
    for name in node.get("properties", {}):
        if name not in node.get("required", ()):
            yield _joined(path, name)


def _check_node(path: str, node: JsonSchema) -> None:
    unknown = node.keys() - _KNOWN_KEYWORDS
    if unknown:
        msg = (
            f"field {path}: {', '.join(sorted(unknown))} could be neither sent nor checked; "
            "say it in the description, or check it in SQL"
        )
        raise ConfigurationError(msg)
    if node.get("additionalProperties") not in (None, False):
        msg = f"field {path}: free-form objects (dict fields) have no columns; declare their fields"
        raise ConfigurationError(msg)
    folded = [str(value).casefold() for value in node.get("enum", ())]
    if len(set(folded)) < len(folded):
        msg = (
            f"field {path}: {node['enum']} differ in capitals alone, which answers do not keep; "
            "name them differently"
        )
        raise ConfigurationError(msg)


def _nodes(node: JsonSchema, path: str) -> Iterator[tuple[str, JsonSchema]]:
    """Yield a schema and every schema inside it, each with the path of its field."""
    yield path, node
    inner, _ = nullable(node)
    if inner is not node:
        yield path, {key: value for key, value in inner.items() if key != "anyOf"}
    for name, child in inner.get("properties", {}).items():
        yield from _nodes(child, _joined(path, name))
    if isinstance(inner.get("items"), dict):
        yield from _nodes(inner["items"], f"{path}[]")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
