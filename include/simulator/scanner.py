"""Find the requests in a create body without holding the body."""

import re
from collections.abc import Iterator
from typing import IO

BLOCK_BYTES = 1 << 20
MAX_SKELETON_BYTES = 16 << 20

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|([\[\]{}"])', re.DOTALL)
"""A whole string, or as group 1 a bracket or the quote of a string that does not end yet."""
_STEPS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_ITEM_DEPTH = 2
"""`{"requests": [` are two brackets."""


class SkeletonTooLargeError(ValueError):
    """What lies around the requests is larger than any honest body has it."""


class BodyScanner:
    """Yields the raw objects of the outermost lists, and keeps the rest as a skeleton.

    In the skeleton every object is a `0`, so that decoding it checks the syntax of the whole
    body and shows its keys: `{"requests":[0,0,0]}`.
    """

    def __init__(self, body: IO[bytes]) -> None:
        """Scan `body` from where it stands."""
        self._body = body
        self._data = b""
        self._position = 0
        self._depth = 0
        self._item_start: int | None = None
        self.skeleton = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        """Yield each object, in order.

        Raises:
            SkeletonTooLargeError: There is too much that is not an object of a list.
        """
        # Reading as much as is held keeps the work linear when one string is very long.
        while block := self._body.read(max(BLOCK_BYTES, len(self._data))):
            self._data += block
            yield from self._items()
        self._keep(0, len(self._data))

    def _items(self) -> Iterator[bytes]:
        """Yield the objects that end in the buffer, and drop what was seen."""
        kept = 0
        for token in _TOKEN.finditer(self._data, self._position):
            bracket = token.group(1)
            if bracket is None:
                continue
            if bracket == b'"':
                self._position = token.start()
                break
            if bracket == b"{" and self._depth == _ITEM_DEPTH and self._item_start is None:
                self._item_start = token.start()
                self._keep(kept, self._item_start)
                self.skeleton += b"0"
            self._depth += _STEPS[bracket]
            if self._item_start is not None and self._depth == _ITEM_DEPTH:
                kept = token.end()
                yield self._data[self._item_start : kept]
                self._item_start = None
        else:
            self._position = len(self._data)
        self._drop(kept)

    def _drop(self, kept: int) -> None:
        """Forget the buffer but for an item or a string that goes on."""
        if self._item_start is None:
            self._keep(kept, self._position)
            rest = self._position
        else:
            rest = self._item_start
            self._item_start = 0
        self._data = self._data[rest:]
        self._position -= rest

    def _keep(self, start: int, end: int) -> None:
        self.skeleton += self._data[start:end]
        if len(self.skeleton) > MAX_SKELETON_BYTES:
            msg = f"more than {MAX_SKELETON_BYTES} bytes around the requests"
            raise SkeletonTooLargeError(msg)
