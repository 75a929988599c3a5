"""What of an answer's JSON schema is sent: the subset that structured outputs accept."""

from typing import Any

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


def sendable(node: JsonSchema) -> JsonSchema:
    """Keep what the API understands; say the rest in the description."""
    sent = {key: node[key] for key in _SENT_KEYWORDS if key in node}
    if node.get("format") in SENT_FORMATS:
        sent["format"] = node["format"]
    bounds = [words.format(node[key]) for key, words in _BOUND_WORDS.items() if key in node]
    if node.get("format") == "decimal":
        bounds.insert(0, "a plain decimal number such as 1234.56")
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
