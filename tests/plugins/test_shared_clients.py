"""All waits of an event loop share a client, until its key is refused or it has had its time."""

import asyncio
from typing import Any

import anthropic
import httpx2
import pytest
import shared_clients
from shared_clients import SharedClients


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[anthropic.AsyncAnthropic]:
    """Count the clients that are made for connections; the clients are real ones."""
    from airflow.providers.anthropic.hooks.anthropic import AnthropicHook

    clients: list[anthropic.AsyncAnthropic] = []

    async def get_async_conn(hook: Any) -> anthropic.AsyncAnthropic:
        await asyncio.sleep(0)
        clients.append(anthropic.AsyncAnthropic(api_key="test"))
        return clients[-1]

    monkeypatch.setattr(AnthropicHook, "get_async_conn", get_async_conn)
    return clients


async def use(clients: SharedClients, error: Exception | None = None) -> None:
    async with clients.open("anthropic_default") as client:
        await asyncio.sleep(0.01)
        assert not client.is_closed(), "a client is closed while it is used"
        if error is not None:
            raise error


def refused() -> anthropic.AuthenticationError:
    request = httpx2.Request("GET", "http://api")
    return anthropic.AuthenticationError(
        "no", response=httpx2.Response(401, request=request), body=None
    )


def test_a_thousand_waits_make_one_client(made: list[anthropic.AsyncAnthropic]) -> None:
    async def wait() -> None:
        clients = SharedClients()
        await asyncio.gather(*(use(clients) for _ in range(1_000)))

    asyncio.run(wait())
    assert len(made) == 1


def test_a_refused_client_is_replaced_and_closed_once_unused(
    made: list[anthropic.AsyncAnthropic],
) -> None:
    async def wait() -> None:
        clients = SharedClients()
        slow = asyncio.create_task(use(clients))
        with pytest.raises(anthropic.AuthenticationError):
            await use(clients, refused())
        await use(clients)
        await slow

    asyncio.run(wait())
    assert [client.is_closed() for client in made] == [True, False]


def test_a_client_is_made_anew_after_its_time(
    made: list[anthropic.AsyncAnthropic], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_clients, "CLIENT_SECONDS", -1)

    async def wait() -> None:
        clients = SharedClients()
        await use(clients)
        await use(clients)

    asyncio.run(wait())
    assert [client.is_closed() for client in made] == [True, False]
