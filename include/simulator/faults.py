"""What goes wrong on request: every knob of the control plane."""

import hashlib
import re
from typing import Literal, get_args

import msgspec

Operation = Literal[
    "create",
    "list",
    "retrieve",
    "cancel",
    "delete",
    "results",
    "messages",
    "count_tokens",
    "models",
]
CallKind = Literal["status", "html", "reset_before", "reset_after", "slow_after", "hang"]
"""What happens to one HTTP call."""
LifecycleKind = Literal["latency", "never_end", "list_lag", "slow_cancel"]
"""What happens to a batch as a whole, from its creation or its cancellation on."""
LineKind = Literal[
    "drop_lines",
    "dup_lines",
    "unknown_id",
    "unknown_type",
    "huge_line",
    "sparse",
    "flip",
    "blank_lines",
    "crlf",
    "bom",
    "no_newline",
]
"""What happens to the lines of one download."""
StreamKind = Literal[
    "chunk_cut",
    "chunk_rst",
    "short_length",
    "close_midline",
    "cut_at_line",
    "stall",
    "content_length",
    "gzip",
]
"""What happens to the transport of one download."""
RequestKind = Literal[
    "preamble",
    "fence",
    "bad_json",
    "schema",
    "enum_case",
    "refusal",
    "max_tokens",
    "empty",
    "thinking_first",
    "two_text_blocks",
    "context",
    "pause_turn",
    "server_error",
    "overloaded",
    "errored",
    "expired",
]
"""What becomes of one request of a batch; decided when the batch is accepted."""

CALL_KINDS = frozenset(get_args(CallKind))
LIFECYCLE_KINDS = frozenset(get_args(LifecycleKind))
DOWNLOAD_KINDS = frozenset(get_args(LineKind) + get_args(StreamKind))
REQUEST_KINDS = frozenset(get_args(RequestKind))

_HASH_RANGE = 1 << 64


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One knob; which of its fields matter depends on its kind."""

    kind: CallKind | LifecycleKind | LineKind | StreamKind | RequestKind
    op: Operation | Literal["*", ""] = ""
    """Empty: the operation that the kind is about, or every one."""
    times: int | None = 1
    """How many calls it happens to; None is for ever. Of a kind about single requests: how many
    attempts of each `custom_id`."""
    skip: int = 0
    """How many calls pass first."""
    code: int = 529
    error_type: str | None = None
    message: str = "set by a fault"
    error_code: str | None = None
    headers: dict[str, str] = {}
    seconds: float = 30
    after_lines: int | None = None
    """Where a download breaks; in its middle when None."""
    lines: int = 1
    """How many lines are dropped, doubled or added."""
    megabytes: int = 4
    rate: float = 1.0
    """Share of the requests, chosen by `custom_id`, so the same ones in every batch."""
    custom_id_regex: str = ""
    with_text: bool = False
    """A refusal that comes after some text, and is charged."""

    def __post_init__(self) -> None:
        """Refuse a pattern that is none."""
        try:
            re.compile(self.custom_id_regex)
        except re.error as error:
            msg = f"custom_id_regex: {error}"
            raise ValueError(msg) from error

    def concerns(self, operation: Operation) -> bool:
        """Return whether a call of this operation sets it off."""
        return (self.op or _default_operation(self.kind)) in ("*", operation)

    def chooses(self, custom_id: str, seed: int) -> bool:
        """Return whether it is about this request; the batch plays no part in it."""
        if not re.search(self.custom_id_regex, custom_id):
            return False
        digest = hashlib.sha256(f"{seed}:{self.kind}:{custom_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.rate * _HASH_RANGE


def _default_operation(kind: str) -> str:
    if kind in DOWNLOAD_KINDS:
        return "results"
    if kind == "slow_cancel":
        return "cancel"
    return "*" if kind in CALL_KINDS else "create"
