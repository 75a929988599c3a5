"""Values that may be some seconds old, so that many viewers cost one look."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


@dataclass
class _Slot(Generic[ValueT]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    read_at: float = float("-inf")
    value: ValueT | None = None


class Recent(Generic[ValueT]):
    """Keeps one value a key for some seconds; whoever comes while it is read waits for that read.

    Args:
        seconds: How old a value may be.
        monotonic: A clock that never goes back.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._slots: dict[str, _Slot[ValueT]] = {}
        self._guard = threading.Lock()

    def get_or_read(self, key: str, read: Callable[[], ValueT]) -> ValueT:
        """Return the value of a key; one that could not be read is read again by the next."""
        with self._guard:
            slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if slot.value is None or self._monotonic() - slot.read_at >= self._seconds:
                slot.value = read()
                slot.read_at = self._monotonic()
            return slot.value

    def forget(self, key: str) -> None:
        """Let the next reader look anew: something was changed."""
        with self._guard:
            self._slots.pop(key, None)
