"""One HTTP request and its answer, apart from the socket they travel over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Literal

import msgspec

Framing = Literal["length", "chunked", "close"]
Ending = Literal["keep", "close", "reset"]


@dataclass(frozen=True)
class Call:
    """A request, its body already on disk or in a small buffer."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: IO[bytes]
    body_bytes: int
    body_sha256: str
    request_id: str
    workspace: str = ""
    """Who asks; known once the key was checked."""

    def json(self, body_type: Any = dict[str, Any]) -> Any:
        """Return the decoded body.

        Raises:
            msgspec.DecodeError: It is not JSON, or of another type; the message says where.
        """
        return msgspec.json.decode(self.body.read(), type=body_type)


@dataclass(frozen=True)
class Reply:
    """An answer, and how it goes wrong on the way if it does."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = "length"
    declared_bytes: int | None = None
    """The `Content-Length` of a streamed body; that of `body` itself when None."""
    delay_seconds: float = 0
    ending: Ending = "keep"
    """`close` ends the connection without completing the frame, `reset` with an RST."""
    is_silent: bool = False
    """Nothing is sent at all."""


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return `value` as JSON."""
    return Reply(status, msgspec.json.encode(value), headers=headers or {})
