"""What a nasty document is, and what must become of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Nasty:
    """One document that somebody's bucket holds, and what extraction makes of it."""

    name: str
    content: bytes
    key: str = "object"
    outcome: str = "text"
    has: tuple[str, ...] = ()
    """Phrases that the text holds."""
    lacks: tuple[str, ...] = ()
    """Phrases that it must not hold."""
    reason: str = ""
    """What stands in the reason."""
    media_type: str | None = None
    encoding: str | None = None
