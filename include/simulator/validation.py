"""What is wrong with a request: with its frame at once, with its params when the batch ends."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from include.simulator.models import CATALOGUE
from include.simulator.output_format import schema_problem
from include.simulator.pictures import picture_problem
from include.simulator.tool_calls import tools_problem

MAX_REQUESTS = 100_000
STRICT_VERSION = "2026-10-21"
"""From this `anthropic-version` on, unknown params are refused, the sampling ones among them."""

_MAX_CACHE_BREAKPOINTS = 4
_MAX_CUSTOM_ID = 64
_MAX_PAGES = 600
_MAX_PAGES_SHORT_CONTEXT = 100
_LONG_CONTEXT_TOKENS = 1_000_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]+")
_KNOWN_PARAMS = frozenset(
    {
        "cache_control",
        "container",
        "context_management",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "stop_sequences",
        "system",
        "thinking",
        "tool_choice",
        "tools",
        "user_profile_id",
    }
)
_SAMPLING_PARAMS = frozenset({"temperature", "top_p", "top_k"})
_NOT_IN_BATCHES = ("stream", "speed", "fallbacks")

Params = dict[str, Any]


class RequestFrames:
    """Checks everything of the requests of one body but their params."""

    def __init__(self) -> None:
        """Start with no ids seen."""
        self._custom_ids: set[str] = set()

    def problem(self, position: int, request: dict[str, Any]) -> str | None:
        """Return what the API would say of the request at `position`, or None."""
        for name, complaint in self._complaints(request):
            return f"requests.{position}.{name}: {complaint}"
        self._custom_ids.add(request["custom_id"])
        return None

    def _complaints(self, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for name in sorted(request.keys() - {"custom_id", "params"}):
            yield name, "Extra inputs are not permitted"
        if complaint := self._custom_id_complaint(request):
            yield "custom_id", complaint
        if "params" not in request:
            yield "params", "Field required"
        elif not isinstance(request["params"], dict):
            yield "params", "Input should be an object"

    def _custom_id_complaint(self, request: dict[str, Any]) -> str | None:
        if "custom_id" not in request:
            return "Field required"
        custom_id = request["custom_id"]
        if not isinstance(custom_id, str):
            return "Input should be a valid string"
        complaints = (
            (not custom_id, "String should have at least 1 character"),
            (
                len(custom_id) > _MAX_CUSTOM_ID,
                f"String should have at most {_MAX_CUSTOM_ID} characters",
            ),
            (
                not _CUSTOM_ID.fullmatch(custom_id),
                "String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
            ),
            # [UNKNOWN] The documentation says "must be unique" and does not quote the error.
            (custom_id in self._custom_ids, f"'{custom_id}' is not unique in the batch"),
        )
        return next((complaint for applies, complaint in complaints if applies), None)


def params_problem(params: Params, *, api_version: str) -> str | None:
    """Return why the API answers a request of a batch with `invalid_request_error`, or None."""
    for name in _NOT_IN_BATCHES:
        if params.get(name):
            return f"{name}: not supported in a Message Batch"
    return message_problem(params, api_version=api_version)


def message_problem(params: Params, *, api_version: str) -> str | None:
    """Return why the API refuses to answer these params anywhere, or None."""
    if api_version >= STRICT_VERSION:
        known = _KNOWN_PARAMS.union(_NOT_IN_BATCHES)
    else:
        known = _KNOWN_PARAMS.union(_NOT_IN_BATCHES, _SAMPLING_PARAMS)
    for name in sorted(params.keys() - known):
        return f"{name}: Extra inputs are not permitted"
    return next((problem for check in _CHECKS if (problem := check(params))), None)


def _model_problem(params: Params) -> str | None:
    if not isinstance(params.get("model"), str):
        return "model: Field required"
    model = CATALOGUE.get(params["model"])
    if model is None or model.lifecycle == "retired":
        return f"model: {params['model']}"
    return None


def _max_tokens_problem(params: Params) -> str | None:
    max_tokens = params.get("max_tokens")
    if max_tokens is None:
        return "max_tokens: Field required"
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool):
        return "max_tokens: Input should be a valid integer"
    if max_tokens < 1:
        return "max_tokens: Input should be greater than or equal to 1"
    limit = CATALOGUE[params["model"]].max_tokens
    if max_tokens > limit:
        return f"max_tokens: {max_tokens} > {limit}, the maximum for {params['model']}"
    return None


def _messages_problem(params: Params) -> str | None:
    messages = params.get("messages")
    if not isinstance(messages, list):
        return "messages: Field required"
    if not messages:
        return "messages: at least one message is required"
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            return f"messages.{position}.role: Input should be 'user' or 'assistant'"
        if not message.get("content"):
            return f"messages.{position}.content: Field required"
    if messages[-1]["role"] == "assistant":
        return "messages: the conversation must end with a user message"
    return None


def _picture_problem(params: Params) -> str | None:
    is_short = CATALOGUE[params["model"]].max_input_tokens < _LONG_CONTEXT_TOKENS
    max_pages = _MAX_PAGES_SHORT_CONTEXT if is_short else _MAX_PAGES
    return picture_problem(params, max_pages=max_pages)


def _thinking_problem(params: Params) -> str | None:
    thinking = params.get("thinking") or {}
    is_budgeted = isinstance(thinking, dict) and thinking.get("type") == "enabled"
    if is_budgeted and not CATALOGUE[params["model"]].has_budgeted_thinking:
        return "thinking.type: 'enabled' is not supported on this model"
    return None


def _format_problem(params: Params) -> str | None:
    output_config = params.get("output_config") or {}
    if not isinstance(output_config, dict):
        return "output_config: Input should be an object"
    output_format = output_config.get("format")
    if not output_format:
        return None
    if not isinstance(output_format, dict) or output_format.get("type") != "json_schema":
        return "output_config.format.type: Input should be 'json_schema'"
    problem = schema_problem(output_format.get("schema"))
    return f"output_config.format.schema: {problem}" if problem else None


def _cache_problem(params: Params) -> str | None:
    marks = list(_marks([params.get(name) for name in ("tools", "system", "messages")]))
    if len(marks) > _MAX_CACHE_BREAKPOINTS:
        most = _MAX_CACHE_BREAKPOINTS
        return f"A maximum of {most} blocks with cache_control, found {len(marks)}"
    for mark in marks:
        if not isinstance(mark, dict) or mark.get("ttl", "5m") not in ("5m", "1h"):
            return "cache_control.ttl: Input should be '5m' or '1h'"
    return None


def _marks(node: Any) -> Iterator[Any]:
    values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and node.get("cache_control"):
        yield node["cache_control"]
    for value in values:
        yield from _marks(value)


_CHECKS: tuple[Callable[[Params], str | None], ...] = (
    _model_problem,
    _max_tokens_problem,
    _messages_problem,
    _picture_problem,
    _thinking_problem,
    _format_problem,
    tools_problem,
    _cache_problem,
)
"""In this order: later ones rely on what earlier ones have found."""
