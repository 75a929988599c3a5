"""Requests to send to the simulator."""

from typing import Any

SCHEMA = {
    "type": "object",
    "properties": {
        "topic": {"type": "string"},
        "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
    },
    "required": ["topic", "sentiment"],
    "additionalProperties": False,
}


def make_request(custom_id: str = "one", **changes: Any) -> Any:
    params = {
        "model": "claude-haiku-5-5",
        "max_tokens": 1_000,
        "messages": [{"role": "user", "content": f"<document>Notes on {custom_id}.</document>"}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }
    return {"custom_id": custom_id, "params": params | changes}


def make_requests(count: int) -> list[Any]:
    return [make_request(f"request-{number}") for number in range(count)]
