"""Take a prompt apart: what is to be done, and the document to do it with."""

import re
from dataclasses import dataclass
from typing import Any

_FENCE = re.compile(
    r"<((?:doc|document|text|article|content|file|source)[\w-]*)\b[^>]*>\n?(.*?)\n?</\1>",
    re.DOTALL | re.IGNORECASE,
)
_JSON = re.compile(r"\bjson\b", re.IGNORECASE)


@dataclass(frozen=True)
class Prompt:
    """What a request says, in its two parts."""

    instructions: str
    document: str

    @property
    def wants_json(self) -> bool:
        """Whether the instructions speak of JSON."""
        return bool(_JSON.search(self.instructions))


def read_prompt(params: dict[str, Any]) -> Prompt:
    """Return the last fenced document of the last user message, or all of it if none is fenced."""
    system = _text(params.get("system") or "")
    *earlier, last = [_text(message.get("content") or "") for message in params["messages"]]
    fences = list(_FENCE.finditer(last))
    if not fences:
        return Prompt("\n".join([system, *earlier]), last)
    start, end = fences[-1].span()
    outside = f"{last[:start]}\n{last[end:]}"
    return Prompt("\n".join([system, *earlier, outside]), fences[-1].group(2))


def _text(content: Any) -> str:
    """Return the text of a message's content: a string, or blocks of which some hold text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(_text, content)))
    if isinstance(content, dict):
        source = content.get("source")
        return _source_text(source) if isinstance(source, dict) else str(content.get("text", ""))
    return ""


def _source_text(source: dict[str, Any]) -> str:
    """Return the text of a document block; of a PDF or an image there is none to read here."""
    if source.get("type") == "text":
        return str(source.get("data", ""))
    return _text(source.get("content"))
