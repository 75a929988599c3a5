"""The text that answers a request."""

from typing import Any

import msgspec

from include.simulator.options import AnswerMode
from include.simulator.prompts import Prompt, read_prompt
from include.simulator.reading import QuickReading, Reading
from include.simulator.schema_filler import SchemaFiller
from include.simulator.tool_calls import forced_tool

_PROSE = "Here is what the document says:"
_PROSE_SCHEMA = {
    "type": "object",
    "properties": {
        name: {"type": kind}
        for name, kind in (
            ("main_topic", "string"),
            ("document_type", "string"),
            ("sentiment", "string"),
            ("key_entities", "array"),
            ("language", "string"),
            ("summary", "string"),
        )
    },
}
"""What a prompt gets that asks for JSON without giving a schema."""


class Answerer:
    """Answers from the text of the request alone: the same request, the same answer."""

    def __init__(self, mode: AnswerMode, seed: int) -> None:
        self._reading = QuickReading if mode == "instant" else Reading
        self._seed = seed

    def answer(self, params: dict[str, Any]) -> str:
        """Return the text of the answer: JSON if a schema or a tool asks for it, else prose."""
        prompt = read_prompt(params)
        reading = self._reading(prompt.document)
        output_format = (params.get("output_config") or {}).get("format")
        if output_format:
            return self._json(output_format["schema"], reading)
        if tool := forced_tool(params):
            return self._json(tool.get("input_schema") or {"type": "object"}, reading)
        return self._prose(prompt, reading)

    def _prose(self, prompt: Prompt, reading: Reading) -> str:
        if prompt.wants_json:
            return f"{_PROSE}\n\n```json\n{self._json(_PROSE_SCHEMA, reading)}\n```"
        return reading.sentences[0] if reading.sentences else "There is nothing to read."

    def _json(self, schema: dict[str, Any], reading: Reading) -> str:
        return msgspec.json.encode(SchemaFiller(schema, reading, self._seed).fill()).decode()
