import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from include.batches import BatchesApi, BatchRefusedError, Posted, Unknown
from include.errors import AccountError, TransientError
from tests.factories import make_api, make_settings
from tests.fakes import FakeAnthropicServer, FakeClock, FakeWorkspace, error_response

BODY = b'{"requests":[{"custom_id":"a"},{"custom_id":"b"}]}'


@pytest.fixture
def server(clock: FakeClock) -> FakeAnthropicServer:
    return FakeAnthropicServer(FakeWorkspace(clock))


@pytest.fixture
def api(server: FakeAnthropicServer) -> BatchesApi:
    return make_api(server.transport(), make_settings())


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "body.json"
    path.write_bytes(BODY)
    return path


def ids(api: BatchesApi, since: dt.datetime) -> list[str]:
    return [batch.batch_id for batch in api.list_since(since).batches]


def test_post_sends_the_file_as_it_lies_once(
    api: BatchesApi, server: FakeAnthropicServer, body: Path
) -> None:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return server._post(request)

    server.answers.append(answer)
    posted = api.post(body)
    assert isinstance(posted, Posted)
    assert (posted.batch.request_count, posted.batch.is_ended) == (2, False)
    (request,) = sent
    assert request.read() == BODY
    assert request.headers["content-length"] == str(len(BODY))
    assert request.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in request.headers


def test_post_is_not_repeated_whatever_the_client_would_do(
    server: FakeAnthropicServer, body: Path
) -> None:
    api = make_api(server.transport(), make_settings())
    api._client = api._client.with_options(max_retries=5)
    server.answers.extend([httpx2.ReadError("reset"), httpx2.ReadError("reset")])
    assert isinstance(api.post(body), Unknown)
    assert server.posted_count == 1


def test_post_that_takes_too_long_to_send_is_given_up(
    server: FakeAnthropicServer, body: Path
) -> None:
    api = make_api(server.transport(), make_settings(post_timeout_seconds=1e-6))
    assert isinstance(api.post(body), Unknown)
    assert server.workspace.accepted == []


def test_post_refused_by_something_before_the_api_names_the_status(
    api: BatchesApi, server: FakeAnthropicServer, body: Path
) -> None:
    server.answers.append(lambda request: httpx2.Response(413, text="<html>too large"))
    with pytest.raises(BatchRefusedError, match="413"):
        api.post(body)


def test_listing_goes_back_page_by_page_no_further_than_asked(
    api: BatchesApi, server: FakeAnthropicServer, clock: FakeClock
) -> None:
    for _ in range(7):
        server.workspace.create(["a"])
        clock.advance(10 * 3_600)
    server.page_size = 2
    pages: list[httpx2.Request] = []

    def listed(request: httpx2.Request) -> httpx2.Response:
        pages.append(request)
        return server._list(request)

    server.overrides["list"] = listed
    since = clock.now - dt.timedelta(hours=35)
    assert ids(api, since) == ["msgbatch_7", "msgbatch_6", "msgbatch_5"]
    assert len(pages) == 2


def test_listing_always_covers_the_life_of_a_batch(
    api: BatchesApi, server: FakeAnthropicServer, clock: FakeClock
) -> None:
    """What is in flight is counted from it, so a batch of yesterday must not be left out."""
    for _ in range(3):
        server.workspace.create(["a", "b"])
        clock.advance(10 * 3_600)
    server.workspace.end(server.workspace.accepted[1])
    listing = api.list_since(clock.now)
    assert [batch.batch_id for batch in listing.batches] == ["msgbatch_3", "msgbatch_2"]
    assert listing.unfinished_requests == 2
    assert listing.server_time == clock.now


def test_listing_of_nothing_still_tells_the_time(api: BatchesApi, clock: FakeClock) -> None:
    listing = api.list_since(clock.now)
    assert (listing.batches, listing.server_time) == ((), clock.now)


def test_unknown_batch_is_none(api: BatchesApi) -> None:
    assert api.retrieve("msgbatch_9") is None


@pytest.mark.parametrize("status", [500, 529, 429, 409])
@pytest.mark.parametrize("verb", ["list", "retrieve", "cancel", "results"])
def test_call_without_an_answer_may_be_repeated(
    api: BatchesApi, server: FakeAnthropicServer, verb: str, status: int
) -> None:
    server.overrides[verb] = lambda request: error_response(status)
    with pytest.raises(TransientError, match=f"could not .*: {status} api_error"):
        calls(api)[verb]()


@pytest.mark.parametrize("verb", ["list", "retrieve", "cancel", "results"])
def test_lost_connection_may_be_repeated(
    api: BatchesApi, server: FakeAnthropicServer, verb: str
) -> None:
    def lose(request: httpx2.Request) -> httpx2.Response:
        message = "gone"
        raise httpx2.ConnectError(message, request=request)

    server.overrides[verb] = lose
    with pytest.raises(TransientError, match=r"could not .*: APIConnectionError"):
        calls(api)[verb]()


@pytest.mark.parametrize("verb", ["list", "retrieve", "cancel", "results"])
def test_refused_account_is_told_apart(
    api: BatchesApi, server: FakeAnthropicServer, verb: str
) -> None:
    server.overrides[verb] = lambda request: error_response(401, "authentication_error")
    with pytest.raises(AccountError):
        calls(api)[verb]()


def calls(api: BatchesApi) -> dict[str, Callable[[], object]]:
    def download() -> bytes:
        with api.results("msgbatch_1") as chunks:
            return b"".join(chunks)

    return {
        "list": lambda: api.list_since(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        "retrieve": lambda: api.retrieve("msgbatch_1"),
        "cancel": lambda: api.cancel("msgbatch_1"),
        "results": download,
    }


def test_download_that_breaks_off_may_be_repeated(
    api: BatchesApi, server: FakeAnthropicServer
) -> None:
    def broken() -> Iterator[bytes]:
        yield b'{"custom_id"'
        message = "incomplete chunked read"
        raise httpx2.RemoteProtocolError(message)

    server.overrides["results"] = lambda request: httpx2.Response(200, content=broken())
    with pytest.raises(TransientError, match="download results of msgbatch_1: RemoteProtocolError"):
        calls(api)["results"]()


def test_results_are_fetched_from_the_clients_own_host(
    api: BatchesApi, server: FakeAnthropicServer
) -> None:
    asked: list[httpx2.URL] = []

    def results(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        return httpx2.Response(200, content=b"{}\n")

    server.overrides["results"] = results
    assert calls(api)["results"]() == b"{}\n"
    assert str(asked[0]) == "https://api.test/v1/messages/batches/msgbatch_1/results"
