"""What of an answer's JSON schema is sent: the subset that structured outputs accept."""

from typing import Any

from include.errors import ConfigurationError

JsonSchema = dict[str, Any]

_SENT_KEYWORDS = ("type", "description", "enum", "const", "required")
SENT_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_BOUND_WORDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}

CHECKED_KEYWORDS = frozenset(_BOUND_WORDS)
"""What is not sent as a keyword but said in words; answers are checked against it here."""
_FORMAT_WORDS = {
    "decimal": "a plain decimal number such as 1234.56",
    "date-time": "with its offset from UTC, such as 2026-11-10T02:00:00Z",
}


def nullable(node: JsonSchema) -> tuple[JsonSchema, bool]:
    """Split `T | None` into T and whether None is allowed."""
    options = node.get("anyOf")
    if options is None:
        return node, False
    kept = [option for option in options if option.get("type") != "null"]
    if len(kept) != 1 or len(kept) == len(options):
        msg = f"{options}: a union other than `T | None` has no column type"
        raise ConfigurationError(msg)
    return kept[0] | {k: node[k] for k in ("description", "default") if k in node}, True


def sendable(node: JsonSchema) -> JsonSchema:
    """Keep what the API understands; say the rest in the description."""
    sent = {key: node[key] for key in _SENT_KEYWORDS if key in node}
    if node.get("format") in SENT_FORMATS:
        sent["format"] = node["format"]
    bounds = [words.format(node[key]) for key, words in _BOUND_WORDS.items() if key in node]
    if node.get("format") in _FORMAT_WORDS:
        bounds.insert(0, _FORMAT_WORDS[node["format"]])
    if bounds:
        sent["description"] = f"{node.get('description', '')} ({', '.join(bounds)})".strip()
    if "properties" in node:
        sent["properties"] = {k: sendable(child) for k, child in node["properties"].items()}
        sent["additionalProperties"] = False
    if "items" in node:
        sent["items"] = sendable(node["items"])
    if "anyOf" in node:
        sent["anyOf"] = [sendable(option) for option in node["anyOf"]]
    return sent
