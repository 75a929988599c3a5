"""Result to outcome: what one line of a result file means."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from include.answers import AnswerSchema

Outcome = Literal[
    "succeeded",
    "truncated",
    "context_exceeded",
    "refused",
    "invalid_output",
    "errored",
    "expired",
    "canceled",
    "missing",
]
Followup = Literal["none", "retry", "dead_letter", "stop"]
"""What happens next: nothing, a retry round, a dead letter, or the whole run stops."""

RETRYABLE_ERRORS: Final = frozenset(
    {"overloaded_error", "api_error", "rate_limit_error", "timeout_error"}
)
ACCOUNT_ERRORS: Final = frozenset({"authentication_error", "permission_error", "billing_error"})
_ACCOUNT_WORDS: Final = ("credit balance", "usage limits", "spend limit")
"""Parts of `invalid_request_error` messages that speak of the account, not of the request."""

FOLLOWUPS: Final[Mapping[Outcome, Followup]] = {
    "succeeded": "none",
    "truncated": "retry",
    "context_exceeded": "dead_letter",
    "refused": "dead_letter",
    "invalid_output": "retry",
    "errored": "dead_letter",
    "expired": "retry",
    "canceled": "retry",
    "missing": "retry",
}
"""`errored` depends on the error; see `_error_followup`."""

_STOP_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "context_exceeded",
    "refusal": "refused",
}
_FENCED = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
_SUSPECT_ESCAPE = re.compile(r"\\u(?:00[01]|[dD][89a-fA-F])")
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_MESSAGE_CHARACTERS = 500


class CacheCreation(msgspec.Struct, frozen=True, gc=False):
    """For how long what was written to the cache is kept."""

    ephemeral_1h_input_tokens: int | None = 0


class OutputDetails(msgspec.Struct, frozen=True, gc=False):
    """What of the output nobody gets to see."""

    thinking_tokens: int | None = 0


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one message, as the API counts them."""

    input_tokens: int = 0
    """Neither read from the cache nor written to it."""
    output_tokens: int = 0
    """Thinking included."""
    cache_read_input_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0
    """All that was written; for five minutes, but for what `cache_creation` says otherwise."""
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None

    @property
    def cache_read_tokens(self) -> int:
        """Tokens read from the cache."""
        return self.cache_read_input_tokens or 0

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to the cache, for however long."""
        return self.cache_creation_input_tokens or 0

    @property
    def cache_write_1h_tokens(self) -> int:
        """Tokens written to the cache for an hour."""
        return (self.cache_creation and self.cache_creation.ephemeral_1h_input_tokens) or 0

    @property
    def thinking_tokens(self) -> int:
        """Tokens of the output that were thought."""
        details = self.output_tokens_details
        return (details and details.thinking_tokens) or 0

    @property
    def prompt_tokens(self) -> int:
        """Everything that was read, which decides on which side of a price step a request is."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens


class Block(msgspec.Struct, frozen=True, gc=False):
    """One content block; only text matters here."""

    type: str = ""
    text: str | None = None


class StopDetails(msgspec.Struct, frozen=True, gc=False):
    """Why a model refused."""

    category: str | None = None


class Message(msgspec.Struct, frozen=True, gc=False):
    """The model's answer."""

    model: str = ""
    content: list[Block] = []
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    usage: Usage = Usage()


class InnerError(msgspec.Struct, frozen=True, gc=False):
    """The error itself; the API wraps it twice."""

    type: str = "api_error"
    message: str = ""


class ErrorEnvelope(msgspec.Struct, frozen=True, gc=False):
    """`{"type": "error", "error": {…}}`."""

    error: InnerError = InnerError()


class Result(msgspec.Struct, frozen=True, gc=False):
    """What came of one request."""

    type: str
    message: Message | None = None
    error: ErrorEnvelope | None = None


class ResultLine(msgspec.Struct, frozen=True, gc=False):
    """One line of a result file."""

    custom_id: str
    result: Result


class _Named(msgspec.Struct, frozen=True, gc=False):
    """Any line that has a `custom_id`: of a request or of a result."""

    custom_id: str = ""


_NAMED_DECODER = msgspec.json.Decoder(_Named)


def read_custom_id(line: bytes) -> str:
    """Return the `custom_id` of a line of requests or results; empty where there is none."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return ""
    try:
        return _NAMED_DECODER.decode(text).custom_id
    except (ValueError, msgspec.MsgspecError):
        pass
    try:
        return msgspec.convert(json.loads(text), _Named).custom_id
    except (ValueError, msgspec.MsgspecError):
        return ""


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One result, judged: an answer, or why there is none."""

    outcome: Outcome
    followup: Followup
    answer: Any = None
    """The parsed answer, for `succeeded`."""
    error_type: str | None = None
    error_message: str | None = None


def judge(result: Result, schema: AnswerSchema) -> Judged:
    """Decide what a result means, by what came back and by the answer's schema."""
    if result.type == "succeeded" and result.message is not None:
        return _judge_message(result.message, schema)
    if result.type == "errored":
        error = result.error.error if result.error else InnerError()
        return Judged(
            "errored",
            _error_followup(error),
            error_type=error.type,
            error_message=error.message[:_MESSAGE_CHARACTERS],
        )
    if result.type in {"expired", "canceled"}:
        outcome: Outcome = "expired" if result.type == "expired" else "canceled"
        return Judged(outcome, "retry")
    return Judged(
        "errored", "retry", error_type="unknown_result", error_message=f"type {result.type[:40]!r}"
    )


def _judge_message(message: Message, schema: AnswerSchema) -> Judged:
    outcome = _STOP_OUTCOMES.get(message.stop_reason or "")
    if outcome is not None:
        category = message.stop_details.category if message.stop_details else None
        return Judged(outcome, FOLLOWUPS[outcome], error_message=category)
    text = _text_of(message.content)
    try:
        return Judged("succeeded", "none", answer=_parse_answer(text, schema))
    except msgspec.ValidationError as error:
        complaint = str(error)
    except msgspec.DecodeError:
        complaint = "it was not one JSON object"
    return Judged("invalid_output", "retry", error_type="schema", error_message=complaint)


def _text_of(content: Sequence[Block]) -> str:
    """Return what was said; nearly all answers are one block, of which no copy is made."""
    said = [block.text or "" for block in content if block.type == "text"]
    return said[0] if len(said) == 1 else "".join(said)


def _parse_answer(text: str, schema: AnswerSchema) -> Any:
    """Parse an answer; look inside a code fence or a preamble only when the plain text fails."""
    try:
        return schema.parse(_without_controls(text))
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        fenced = _FENCED.search(text)
        inner = fenced.group(1) if fenced else text[text.find("{") : text.rfind("}") + 1]
        return schema.parse(_without_controls(inner))


def _without_controls(text: str) -> str:
    """Drop control characters and lone surrogates, which no warehouse takes, from JSON strings."""
    if "\\u" not in text or not _SUSPECT_ESCAPE.search(text):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(without_unwanted(value), ensure_ascii=False)


def without_unwanted(value: Any) -> Any:
    """Return a JSON value without control characters and lone surrogates in its strings."""
    if isinstance(value, str):
        return _UNWANTED.sub("", value)
    if isinstance(value, list):
        return [without_unwanted(item) for item in value]
    if isinstance(value, dict):
        return {without_unwanted(name): without_unwanted(item) for name, item in value.items()}
    return value


def _error_followup(error: InnerError) -> Followup:
    if error.type in RETRYABLE_ERRORS:
        return "retry"
    if error.type in ACCOUNT_ERRORS or is_account_message(error.message):
        return "stop"
    return "dead_letter"


def is_account_message(message: str) -> bool:
    """Return whether an error's text speaks of credit or spend limits."""
    return any(words in message.lower() for words in _ACCOUNT_WORDS)
