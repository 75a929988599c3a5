"""What an extraction yields: the text of a document, or an outcome and a reason why not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from include.config import Settings

ExtractionOutcome = Literal[
    "text",
    "empty",
    "image_only",
    "garbled",
    "encrypted",
    "corrupt",
    "unsupported",
    "too_large",
    "archived",
    "forbidden",
    "superseded",
    "vanished",
    "unreadable",
]

_COMPUTING_SECONDS = 15.0
_COMPUTING_SECONDS_PER_BYTE = 4e-6
UNKNOWN_MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Picture:
    """What there is to know of a document that can only be looked at."""

    size_bytes: int
    """Of the document itself, taken out of any gzip."""
    width: int | None = None
    """In pixels; None for a PDF."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Extraction:
    """What became of one document."""

    outcome: ExtractionOutcome
    reason: str
    """A sentence for people; with the outcome `text` only where a part could not be read."""
    media_type: str
    encoding: str | None = None
    extractor: str | None = None
    characters: int = 0
    pages: int | None = None
    text: str | None = None
    """Set for the outcome `text` only: newlines are \\n, tab is the only control character."""
    picture: Picture | None = None
    """Set where a PDF or an image has no usable text but can be looked at."""


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """What one document may cost before it is given up."""

    max_object_bytes: int = 64_000_000
    max_unpacked_bytes: int = 256_000_000
    max_characters: int = 10_000_000
    timeout_seconds: float = 60.0
    memory_bytes: int = 2_000_000_000
    """Address space of a parser process, which takes about 60 MB for itself (Linux only)."""

    def computing_seconds(self, size_bytes: int) -> float:
        """Return how long a document of this size may keep a processor busy.

        That of a small one that is made to take forever is far below `timeout_seconds`, which
        has to leave time to a large one on a machine with other things to do.
        """
        seconds = _COMPUTING_SECONDS + size_bytes * _COMPUTING_SECONDS_PER_BYTE
        return min(self.timeout_seconds, seconds)

    @classmethod
    def of(cls, settings: "Settings") -> "ExtractionLimits":
        """Return the limits that the settings name."""
        return cls(
            max_object_bytes=settings.max_object_bytes,
            max_unpacked_bytes=settings.max_unpacked_bytes,
            timeout_seconds=settings.extraction_timeout_seconds,
            memory_bytes=settings.extraction_memory_bytes,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a format's reader found in a document."""

    text: str
    extractor: str
    encoding: str | None = None
    pages: int | None = None
    note: str = ""
    """What could not be read although the rest could."""


class NoTextError(Exception):
    """A document yields no text; caught where documents are extracted, never seen outside."""

    def __init__(
        self,
        *,
        outcome: ExtractionOutcome,
        reason: str,
        pages: int | None = None,
        picture: Picture | None = None,
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.pages = pages
        self.picture = picture


def state_of(outcome: ExtractionOutcome) -> tuple[Literal["skipped"], str] | None:
    """Return the state and state_reason that an outcome gives a document, None for `text`."""
    if outcome == "text":
        return None
    return "skipped", outcome
