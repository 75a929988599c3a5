"""Clients that all waits of one event loop share: making one takes ten times what a look takes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

CLIENT_SECONDS = 300
"""How long a client is used before its connection is read anew: a renewed key is taken up."""


@dataclass(eq=False)
class _Kept:
    client: Any
    until: float
    """By the monotonic clock."""
    user_count: int = 0


@dataclass
class SharedClients:
    """The clients of one event loop, by connection."""

    _kept: dict[str, _Kept] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def open(self, conn_id: str) -> AsyncIterator["AsyncAnthropic"]:
        """Lend the client of a connection; one that is refused is lent no more."""
        import anthropic

        kept = await self._current(conn_id)
        kept.user_count += 1
        try:
            yield kept.client
        except (anthropic.AuthenticationError, anthropic.PermissionDeniedError):
            kept.until = 0
            raise
        finally:
            kept.user_count -= 1
            await self._close_unused(conn_id, kept)

    async def _current(self, conn_id: str) -> _Kept:
        from airflow.providers.anthropic.hooks.anthropic import AnthropicHook

        async with self._lock:
            kept = self._kept.get(conn_id)
            if kept is None or kept.until < time.monotonic():
                client = await AnthropicHook(conn_id).get_async_conn()
                self._kept[conn_id] = _Kept(client, time.monotonic() + CLIENT_SECONDS)
                if kept is not None:
                    await self._close_unused(conn_id, kept)
            return self._kept[conn_id]

    async def _close_unused(self, conn_id: str, kept: _Kept) -> None:
        """Close a client that was replaced, once nobody uses it."""
        if not kept.user_count and self._kept.get(conn_id) is not kept:
            await kept.client.close()


_OF_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, SharedClients] = WeakKeyDictionary()


def shared_clients() -> SharedClients:
    """Return the clients of the running event loop."""
    return _OF_LOOPS.setdefault(asyncio.get_running_loop(), SharedClients())
