"""The message that answers a request, whole or damaged as its fate says."""

import hashlib
from typing import Any

import msgspec

from include.simulator import tokens
from include.simulator.answers import Answerer
from include.simulator.caching import CacheUse
from include.simulator.fates import Fate
from include.simulator.tool_calls import forced_tool
from include.simulator.validation import Params

SIMULATED = "-simulated"
"""Ends the `model` of every message, so that no row can be mistaken for Claude's."""

_PREAMBLE = "Here is the metadata you asked for:\n\n"
_REFUSAL = "I can't help with that."
Block = dict[str, Any]


def build_message(
    params: Params, fate: Fate, *, answerer: Answerer, message_id: str, service_tier: str
) -> dict[str, Any]:
    """Return the message that a request is answered with."""
    text = answerer.answer(params)
    content, stop_reason = _content(text, fate), _STOP_REASONS.get(fate.kind, "end_turn")
    if fate.kind == "answer" and (tool := forced_tool(params)):
        content, stop_reason = [_call_of(tool["name"], text, message_id)], "tool_use"
    output_tokens = sum(map(_block_tokens, content)) or 2
    if output_tokens > params["max_tokens"] and content:
        content = [_text_block(tokens.cut(content[-1].get("text", ""), params["max_tokens"]))]
        output_tokens, stop_reason = params["max_tokens"], "max_tokens"
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": f"{params['model']}{SIMULATED}",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": _refusal_details() if stop_reason == "refusal" else None,
        "container": None,
        "diagnostics": None,
        "usage": _usage(params, fate.cache, output_tokens, service_tier),
    }


def message_id(seed: int, batch_id: str, custom_id: str) -> str:
    """Return the id of the answer to one request of a batch."""
    digest = hashlib.sha256(f"{seed}:{batch_id}:{custom_id}".encode()).hexdigest()
    return f"msg_01{digest[:22]}"


_STOP_REASONS = {
    "refusal": "refusal",
    "max_tokens": "max_tokens",
    "context": "model_context_window_exceeded",
    "pause_turn": "pause_turn",
}


def _content(text: str, fate: Fate) -> list[Block]:
    if fate.kind == "empty":
        return []
    if fate.kind == "refusal":
        return [_text_block(_REFUSAL)] if fate.with_text else []
    if fate.kind == "thinking_first":
        thought = {"type": "thinking", "thinking": "", "signature": "c2ltdWxhdGVk"}
        return [thought, _text_block(text)]
    if fate.kind == "two_text_blocks":
        middle = len(text) // 2
        return [_text_block(text[:middle]), _text_block(text[middle:])]
    damage = _TEXT_DAMAGES.get(fate.kind)
    return [_text_block(damage(text) if damage else text)]


def _half(text: str) -> str:
    return text[: len(text) // 2]


def _against_schema(text: str) -> str:
    """Take away the first field and add one that nobody asked for."""
    rest = dict(list(_fields(text).items())[1:])
    return msgspec.json.encode(rest | {"unexpected_field": True}).decode()


def _capitalised(text: str) -> str:
    """Spell words with a capital, as the API does not promise to spell an enumeration."""
    fields = {
        name: value.title() if isinstance(value, str) and value.isalpha() else value
        for name, value in _fields(text).items()
    }
    return msgspec.json.encode(fields).decode()


def _fields(text: str) -> dict[str, Any]:
    """Return the fields of an answer; of one that is no JSON object the answer as a field."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"answer": text}


_TEXT_DAMAGES = {
    "preamble": lambda text: _PREAMBLE + text,
    "fence": lambda text: f"```json\n{text}\n```",
    "bad_json": lambda text: f"{_half(text)},,}}",
    "schema": _against_schema,
    "enum_case": _capitalised,
    "max_tokens": _half,
    "context": _half,
    "pause_turn": _half,
}


def _text_block(text: str) -> Block:
    return {"type": "text", "text": text, "citations": None}


def _call_of(tool_name: str, text: str, message_id: str) -> Block:
    return {
        "type": "tool_use",
        "id": message_id.replace("msg_", "toolu_"),
        "name": tool_name,
        "input": msgspec.json.decode(text),
    }


def _block_tokens(block: Block) -> int:
    if block["type"] == "tool_use":
        return tokens.count(msgspec.json.encode(block["input"]).decode())
    return tokens.count(block.get("text", ""))


def _refusal_details() -> dict[str, Any]:
    return {"type": "refusal", "category": "general_harms", "explanation": None}


def _usage(
    params: Params, cache: CacheUse, output_tokens: int, service_tier: str
) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input_tokens(params) - cache.tokens,
        "cache_creation_input_tokens": cache.write_5m_tokens + cache.write_1h_tokens,
        "cache_read_input_tokens": cache.read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cache.write_5m_tokens,
            "ephemeral_1h_input_tokens": cache.write_1h_tokens,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {"thinking_tokens": 0},
        "service_tier": service_tier,
        "inference_geo": "global",
        "server_tool_use": None,
        "speed": None,
    }
