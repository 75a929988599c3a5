"""What Airflow connections open, and whom that speaks to."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from batch_sensor import BatchEndedTrigger
from nightshift_clients import open_anthropic, open_warehouse

from include.batches import BatchesApi
from include.errors import TransientError
from include.library_logs import TALKATIVE
from include.warehouse.duckdb_warehouse import open_duckdb
from include.warehouse.postgres_warehouse import open_postgres
from tests.factories import make_settings
from tests.fakes import START

FIELDS = {"host": "db", "port": 5433, "login": "loader", "password": "p@ss", "schema": "analytics"}
URI = "postgresql://loader:p%40ss@db:5433/analytics?sslmode=require"


@pytest.mark.parametrize(
    "connection",
    [
        {"conn_type": "postgres", **FIELDS, "extra": {"sslmode": "require"}},
        {"conn_type": "postgresql", **FIELDS, "extra": {"sslmode": "require"}},
        URI,
    ],
    ids=["json", "other name", "uri"],
)
def test_postgres_connection_opens_postgres(
    connection: dict[str, Any] | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = connection if isinstance(connection, str) else json.dumps(connection)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", value)
    assert open_warehouse() == open_postgres(URI)


def test_duckdb_connection_opens_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/data/warehouse.duckdb"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": path}))
    assert open_warehouse() == open_duckdb(Path(path))


class Recorder:
    """An HTTP server that keeps the keys it is sent, and may redirect."""

    def __init__(self, *, redirect_to: str | None = None) -> None:
        self.keys: list[str | None] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                recorder.keys.append(self.headers["Authorization"])
                self.send_response(200 if redirect_to is None else 307)
                if redirect_to is not None:
                    self.send_header("Location", redirect_to + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class TestRedirects:
    """Whoever the API points to, requests go to the host of the connection alone."""

    @pytest.fixture
    def elsewhere(self) -> Iterator[Recorder]:
        with Recorder() as server:
            yield server

    @pytest.fixture
    def api(self, elsewhere: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
        with Recorder(redirect_to=elsewhere.address) as server:
            connection = {"conn_type": "anthropic", "host": server.address, "password": "the-key"}
            monkeypatch.setenv("AIRFLOW_CONN_ANTHROPIC_DEFAULT", json.dumps(connection))
            yield server

    def test_no_call_follows_one(self, api: Recorder, elsewhere: Recorder) -> None:
        with open_anthropic() as client:
            batches = BatchesApi(client.with_options(max_retries=0), make_settings())
            for call in (
                lambda: batches.list_since(START),
                lambda: batches.retrieve("msgbatch_1"),
                lambda: batches.first_result_id("msgbatch_1"),
            ):
                with pytest.raises(TransientError, match="307"):
                    call()
        assert api.keys == ["Bearer the-key"] * 3
        assert elsewhere.keys == []

    def test_no_trigger_follows_one(self, api: Recorder, elsewhere: Recorder) -> None:
        waiting = BatchEndedTrigger(
            batch_id="msgbatch_1",
            conn_id="anthropic_default",
            first_delay=0,
            poll_interval=1,
            deadline=0,
        )
        assert asyncio.run(waiting._look()) == (
            "unreachable",
            "the API does not answer: APIStatusError",
        )
        assert api.keys == ["Bearer the-key"]
        assert elsewhere.keys == []


def test_clients_do_not_let_their_libraries_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "anthropic", "password": "the-key"}
    monkeypatch.setenv("AIRFLOW_CONN_ANTHROPIC_DEFAULT", json.dumps(connection))
    for name in TALKATIVE:
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    with open_anthropic():
        pass
    assert not any(logging.getLogger(name).isEnabledFor(logging.DEBUG) for name in TALKATIVE)
