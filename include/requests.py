"""Document to request: one line of JSON, the same bytes for the same question."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from include import identities
from include.caching import CacheTtl
from include.results import Outcome
from include.spec import FrozenSpec

OUTPUT_TOKENS_FACTOR = 4
"""How much more a truncated answer may say when it is asked for again."""
_COMPLAINT = "An earlier answer was not usable: "


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes on the wire."""

    request_id: str
    line: bytes
    """`{"custom_id": …, "params": {…}}`, without a line break."""


def content_sha256(content: str | bytes) -> str:
    """Return the digest of a document's content as it is sent: of its text, or of its file."""
    encoded = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(encoded).hexdigest()


class RequestBuilder:
    """Builds the requests of one spec."""

    def __init__(self, spec: FrozenSpec, *, cache_ttl: CacheTtl | None = None) -> None:
        """Keep what all requests of `spec` have in common; None asks for no cache."""
        self._spec = spec
        self._cache_ttl = cache_ttl

    def build(self, text: str) -> Request:
        """Ask the spec's question about one document."""
        sha256 = content_sha256(text)
        request_id = identities.request_id(self._spec.name, self._spec.prompt_version, sha256)
        return self._ask(request_id, _text_block(fence(text, sha256)))

    def build_of(self, blocks: bytes, sha256: str) -> Request:
        """Ask the spec's question about content blocks.

        Args:
            blocks: As JSON, without the brackets of the list.
            sha256: The digest of the document's content.
        """
        request_id = identities.request_id(self._spec.name, self._spec.prompt_version, sha256)
        return self._ask(request_id, blocks)

    def build_part(self, text: str, *, part_number: int, part_count: int) -> Request:
        """Ask about one part of a document, and say which one it is.

        Args:
            text: The part.
            part_number: From 1.
            part_count: How many parts the document has.
        """
        sha256 = content_sha256(text)
        request_id = identities.part_request_id(
            self._spec.name,
            self._spec.prompt_version,
            sha256,
            part_number=part_number,
            part_count=part_count,
        )
        shown = f"part {part_number} of {part_count}"
        return self._ask(request_id, _text_block(fence(text, sha256, shown)))

    def build_beginning(self, text: str, *, left_out_characters: int) -> Request:
        """Ask about the beginning of a document, and say how much follows."""
        sha256 = content_sha256(text)
        request_id = identities.truncated_request_id(
            self._spec.name, self._spec.prompt_version, sha256, left_out_characters
        )
        shown = f"beginning, {left_out_characters:,} characters follow"
        return self._ask(request_id, _text_block(fence(text, sha256, shown)))

    def _ask(self, request_id: str, blocks: bytes) -> Request:
        line = b"".join(
            (
                b'{"custom_id":"',
                request_id.encode(),
                b'","params":{"max_tokens":',
                str(self._spec.max_output_tokens).encode(),
                b',"messages":[{"role":"user","content":[',
                blocks,
                b"]}],",
                self._shared_params,
            )
        )
        return Request(request_id, line)

    @cached_property
    def _shared_params(self) -> bytes:
        """The rest of the line: everything that does not depend on the document."""
        return msgspec.json.encode(self._cached_params)[1:] + b"}"

    @property
    def _cached_params(self) -> dict[str, Any]:
        """The shared params, with the end of the prefix that the API may cache marked."""
        params = self._spec.request_params
        if self._cache_ttl is None:
            return params
        kept = {"type": "ephemeral", "ttl": self._cache_ttl}
        return params | {
            "system": [{"type": "text", "text": params["system"], "cache_control": kept}]
        }


def _text_block(text: str) -> bytes:
    return b'{"type":"text","text":' + msgspec.json.encode(text) + b"}"


def fence(text: str, sha256: str, shown: str | None = None) -> str:
    """Mark a text as data: a document cannot close a fence that is named by its own digest.

    Args:
        text: What is sent.
        sha256: Its digest.
        shown: How much of the document it is, when it is not all.
    """
    tag = f"document_{sha256[:12]}"
    note = f' shown="{shown}"' if shown else ""
    return f"<{tag}{note}>\n{text}\n</{tag}>"


def escalate(line: bytes, spec: FrozenSpec) -> bytes:
    """Return the request as the spec's stronger model is asked, under the same `custom_id`.

    It keeps what earlier rounds added. It does not ask for a cache: the few requests of a last
    round would write it, and nobody would read it.
    """
    request: dict[str, Any] = msgspec.json.decode(line)
    request["params"] |= {"model": spec.escalation_model, "system": spec.request_params["system"]}
    return msgspec.json.encode(request)


def is_beyond(line: bytes, spec: FrozenSpec, *, outcome: Outcome) -> bool:
    """Return whether the model has shown that it cannot answer a request, as last sent, validly."""
    if outcome != "truncated":
        return outcome == "invalid_output"
    max_tokens: int = msgspec.json.decode(line)["params"]["max_tokens"]
    return max_tokens >= spec.max_output_tokens_limit


def revise(line: bytes, spec: FrozenSpec, *, outcome: Outcome, complaint: str) -> bytes:
    """Return the request as the next round asks it, under the same `custom_id`.

    Args:
        line: The request as last sent.
        spec: The spec it was built by.
        outcome: What came back.
        complaint: What the validator said of an `invalid_output`.
    """
    request: dict[str, Any] = msgspec.json.decode(line)
    params = request["params"]
    if outcome == "truncated":
        if params["max_tokens"] >= spec.max_output_tokens_limit:
            params["thinking"] = {"type": "disabled"}
        params["max_tokens"] = min(
            params["max_tokens"] * OUTPUT_TOKENS_FACTOR, spec.max_output_tokens_limit
        )
    if outcome == "invalid_output":
        message = params["messages"][0]
        asked = [one for one in message["content"] if not _is_complaint(one)]
        note = f"{_COMPLAINT}{complaint}. Follow the schema exactly."
        message["content"] = [*asked, {"type": "text", "text": note}]
    return msgspec.json.encode(request)


def _is_complaint(block: dict[str, Any]) -> bool:
    """Return whether a block was added by an earlier round; documents begin with their fence."""
    return bool(block.get("text", "").startswith(_COMPLAINT))
