"""The page: who is let in, what it shows, and what it lets whom do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from include.ledger import Ledger, OpenLedger, OpenShard
from include.night_index import index_key, note_night
from include.storage import ObjectStore
from tests.factories import make_entry, make_report, make_store
from tests.fakes import START, FakeS3

SPEC = "document_metadata"
BATCH = "msgbatch_1"
SHARD = "shard-0"
ACTION = {"X-Nightshift-Action": "1"}
REASON = {"reason": "wrong prompt"}
Json = dict[str, Any]


class FakeClients:
    """A bucket in memory, and an API that remembers what it was told to stop."""

    def __init__(self) -> None:
        self.bucket = FakeS3()
        self.canceled: list[str] = []

    def open_store(self) -> ObjectStore:
        return make_store(self.bucket)

    def daily_budget_usd(self) -> Decimal:
        return Decimal(5)

    @contextmanager
    def open_api(self) -> Iterator["FakeClients"]:
        yield self

    def cancel(self, batch_id: str) -> None:
        self.canceled.append(batch_id)


@pytest.fixture(scope="module", autouse=True)
def _airflow() -> None:
    """Make the tables that Airflow's own checks of who may do what read."""
    from airflow import settings
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.models import import_all_models
    from airflow.models.base import Base

    import_all_models()
    assert settings.engine is not None
    Base.metadata.create_all(settings.engine)
    create_auth_manager()


@pytest.fixture
def clients() -> FakeClients:
    return FakeClients()


@pytest.fixture
def app(clients: FakeClients) -> FastAPI:
    from page_app import build_app

    return build_app(clients)  # type: ignore[arg-type]  # the same two methods


@pytest.fixture
def anyone(app: FastAPI) -> TestClient:
    return TestClient(app)


def log_in(app: FastAPI, role: str) -> TestClient:
    """Return a client with the cookie that Airflow's login sets."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=role, role=role))
    return TestClient(app, cookies={"_token": token})


def submit(store: ObjectStore, *, state: str = "submitted") -> None:
    """Write a ledger with one batch."""
    ledger = Ledger(store, SPEC)
    entry = make_entry(spec=SPEC, state=state, batch_id=BATCH, batch_created_at=START)
    ledger.create(entry)
    shard = OpenShard(request_count=entry.request_count, estimate_usd=entry.estimate_usd)
    ledger.put_open(None, OpenLedger(ledger_id="ledger", shards={entry.shard_id: shard}))
    ledger.claim(BATCH, entry.shard_id, now=START)


def overview_of(client: TestClient) -> Json:
    response = client.get("/api/overview")
    assert response.status_code == 200, response.text
    views = response.json()["specs"]
    return next(view["overview"] for view in views if view["overview"]["spec"] == SPEC)


def test_every_route_refuses_whoever_is_not_logged_in(app: FastAPI, anyone: TestClient) -> None:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(app.routes) >= 6  # no mount, no docs: they know no dependencies
    values = {
        "name": "page.js",
        "spec": SPEC,
        "chart": "spend",
        "batch_id": BATCH,
        "shard_id": SHARD,
    }
    for route in routes:
        for method in route.methods:
            path = route.path.format(**values)
            response = anyone.request(method, path, headers=ACTION, json=REASON)
            assert response.status_code == 401, path
            assert "frame-ancestors 'self'" in response.headers["content-security-policy"]


def test_forged_and_expired_logins_are_refused(app: FastAPI) -> None:
    forged = TestClient(app, cookies={"_token": "e30.e30.forged"})
    assert forged.get("/page").status_code == 403
    assert forged.get("/api/overview").status_code == 403


@pytest.mark.parametrize(
    ("role", "may_requeue", "may_cancel"),
    [("viewer", False, False), ("user", True, False), ("op", True, True), ("admin", True, True)],
)
def test_roles_see_what_they_may_do(
    app: FastAPI, clients: FakeClients, role: str, *, may_requeue: bool, may_cancel: bool
) -> None:
    submit(clients.open_store())
    client = log_in(app, role)
    view = client.get("/api/overview").json()
    assert view["may_cancel"] is may_cancel
    assert {spec["may_requeue"] for spec in view["specs"]} == {may_requeue}

    answer = client.post(f"/api/batches/{BATCH}/cancel", headers=ACTION, json=REASON)
    assert answer.status_code == (200 if may_cancel else 403)
    assert clients.canceled == ([BATCH] if may_cancel else [])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**ACTION, "Origin": "https://evil.test"},
        {**ACTION, "Origin": "null"},
        {**ACTION, "Sec-Fetch-Site": "same-site"},
        {**ACTION, "Content-Type": "text/plain"},
    ],
    ids=["no header", "other origin", "no origin", "sibling", "form"],
)
def test_action_from_elsewhere_is_refused(
    app: FastAPI, clients: FakeClients, headers: dict[str, str]
) -> None:
    submit(clients.open_store())
    sent = {"Content-Type": "application/json"} | headers
    url = f"/api/batches/{BATCH}/cancel"
    answer = log_in(app, "admin").post(url, headers=sent, content=json.dumps(REASON))
    assert answer.status_code == 403
    assert clients.canceled == []


def test_cancel_of_the_page_itself_is_noted_with_who_and_why(
    app: FastAPI, clients: FakeClients
) -> None:
    submit(clients.open_store())
    headers = {**ACTION, "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    answer = log_in(app, "op").post(f"/api/batches/{BATCH}/cancel", headers=headers, json=REASON)
    assert answer.status_code == 200, answer.text
    step = Ledger(clients.open_store(), SPEC).read("shard-0").record.history[-1]
    assert (step.by, step.state) == ("op", "submitted")
    assert step.note == f"cancel of {BATCH} asked: wrong prompt"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("msgbatch_unknown", 409),
        ("..%2F..%2Fopen", 404),
        ("a b", 422),
        ("http:%2F%2Fmetadata", 404),
    ],
)
def test_only_batches_of_the_ledger_are_asked_about(
    app: FastAPI, clients: FakeClients, path: str, status: int
) -> None:
    client = log_in(app, "admin")
    assert client.get(f"/api/batches/{path}").status_code == status
    answer = client.post(f"/api/batches/{path}/cancel", headers=ACTION, json=REASON)
    assert answer.status_code == status
    assert clients.canceled == []


def test_shard_is_shown_with_its_batch(app: FastAPI, clients: FakeClients) -> None:
    submit(clients.open_store(), state="loaded")
    client = log_in(app, "viewer")
    found = client.get(f"/api/specs/{SPEC}/shards/{SHARD}").json()
    assert (found["dag_id"], found["batch"]["batch_id"]) == (f"enrich_{SPEC}", BATCH)
    assert client.get(f"/api/specs/{SPEC}/shards/shard-9").status_code == 409
    assert client.get(f"/api/specs/unknown/shards/{SHARD}").status_code == 404
    assert client.get(f"/api/specs/{SPEC}/shards/a%20b").status_code == 422


def test_batch_that_has_ended_is_not_cancelled(app: FastAPI, clients: FakeClients) -> None:
    submit(clients.open_store(), state="collected")
    client = log_in(app, "admin")
    answer = client.post(f"/api/batches/{BATCH}/cancel", headers=ACTION, json=REASON)
    assert answer.status_code == 409
    assert "nothing left to stop" in answer.json()["detail"]
    assert clients.canceled == []


def test_page_without_any_night_shows_that_and_writes_nothing(
    app: FastAPI, clients: FakeClients
) -> None:
    overview = overview_of(log_in(app, "viewer"))
    assert overview["nights"] == overview["problems"] == []
    assert overview["open_work"]["shard_count"] == 0
    assert not clients.bucket.objects


def test_broken_and_unreadable_objects_are_named_and_the_rest_is_shown(
    app: FastAPI, clients: FakeClients
) -> None:
    store = clients.open_store()
    submit(store)
    store.write(index_key(SPEC), b"no JSON")
    overview = overview_of(log_in(app, "viewer"))
    assert [batch["batch_id"] for batch in overview["open_work"]["batches"]] == [BATCH]
    assert len(overview["problems"]) == 1
    assert "index.json is not an index" in overview["problems"][0]


def test_settings_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from page_app import build_app

    monkeypatch.delenv("NIGHTSHIFT_WORK_BUCKET", raising=False)
    answer = log_in(build_app(), "viewer").get("/api/overview")
    assert answer.status_code == 503
    assert "NIGHTSHIFT_WORK_BUCKET" in answer.json()["detail"]


def test_many_views_within_seconds_read_the_bucket_once(app: FastAPI, clients: FakeClients) -> None:
    note_night(clients.open_store(), make_report(spec=SPEC))
    client = log_in(app, "viewer")
    overview_of(client)
    calls = len(clients.bucket.calls)
    assert overview_of(client)["nights"][0]["verdict"] == "green"
    assert client.get(f"/api/specs/{SPEC}/charts/spend?layout=narrow").status_code == 200
    assert len(clients.bucket.calls) == calls
    assert "list" not in {verb for verb, _ in clients.bucket.calls}


def test_chart_obeys_the_content_policy(app: FastAPI, clients: FakeClients) -> None:
    note_night(clients.open_store(), make_report(spec=SPEC))
    answer = log_in(app, "viewer").get(f"/api/specs/{SPEC}/charts/outcomes")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert b"<rect" in answer.content
    for refused in (b"<style", b"<script", b"style=", b"href="):
        assert refused not in answer.content


@pytest.mark.parametrize("name", ["page.css", "page.js", "sections.js"])
def test_static_files_come_with_their_type(app: FastAPI, name: str) -> None:
    answer = log_in(app, "viewer").get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_of_the_page_is_served_and_no_other(app: FastAPI) -> None:
    from page_app import _FILES, _STATIC

    assert {path.name for path in _FILES.iterdir()} == {*_STATIC, "page.html"}
    assert log_in(app, "admin").get("/static/page.html").status_code == 404


def test_plugin_shows_the_page_in_the_navigation() -> None:
    from nightshift_page import NightshiftPage

    plugin = NightshiftPage()
    (view,) = plugin.external_views
    (mounted,) = plugin.fastapi_apps
    assert f"/{view['href']}" == f"{mounted['url_prefix']}/page"
