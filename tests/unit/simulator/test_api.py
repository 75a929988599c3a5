import json

import pytest

from tests.unit.simulator.in_process import BATCHES, InProcessSimulator, make_request


def refusal(simulator, method: str, path: str, body=None, **options) -> tuple[int, str]:
    reply = simulator.ask(method, path, body, **options)
    error = json.loads(reply.body)
    assert error["request_id"] == "req_1"
    return reply.status, error["error"]["type"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"requests": 1},
        {"requests": []},
        {"requests": [1]},
        {"requests": [make_request()], "more": 1},
        {"requests": [make_request(), make_request()]},
        {"requests": [{"custom_id": "a", "params": {}, "more": 1}]},
        {"requests": [{"custom_id": "a"}]},
        {"requests": [{"params": {}}]},
    ],
    ids=str,
)
def test_a_wrong_frame_creates_nothing(simulator, body):
    assert refusal(simulator, "POST", BATCHES, body) == (400, "invalid_request_error")
    assert simulator.json("GET", BATCHES)["data"] == []
    assert list(simulator.options.data_folder.iterdir()) == []


def test_calls_without_a_key_or_to_nowhere_are_refused(simulator):
    assert refusal(simulator, "GET", BATCHES, key="") == (401, "authentication_error")
    assert refusal(simulator, "GET", "/v1/files") == (404, "not_found_error")
    assert refusal(simulator, "PUT", BATCHES) == (404, "not_found_error")
    assert refusal(simulator, "GET", "/_sim/nothing") == (404, "not_found_error")


def test_unfinished_batches_have_no_results_and_ended_ones_cannot_be_canceled(simulator):
    path = f"{BATCHES}/{simulator.create(make_request())}"
    assert refusal(simulator, "GET", f"{path}/results") == (404, "not_found_error")
    assert refusal(simulator, "DELETE", path) == (400, "invalid_request_error")
    simulator.advance(600)
    assert refusal(simulator, "POST", f"{path}/cancel") == (400, "invalid_request_error")
    assert refusal(simulator, "POST", f"{BATCHES}/x/cancel") == (404, "not_found_error")


def test_a_full_queue_leaves_no_trace_of_the_batch(tmp_path):
    simulator = InProcessSimulator(tmp_path, queue_limit=1)
    simulator.create(make_request("a"))
    body = {"requests": [make_request("b")]}
    assert refusal(simulator, "POST", BATCHES, body) == (429, "rate_limit_error")
    assert len(list(simulator.options.data_folder.iterdir())) == 1
    assert simulator.ask("POST", BATCHES, body, key="another").status == 200


def test_the_minute_of_the_rate_limit_is_that_of_the_clock(tmp_path):
    simulator = InProcessSimulator(tmp_path, requests_per_minute=1)
    assert simulator.ask("GET", BATCHES).status == 200
    limited = simulator.ask("GET", BATCHES)
    assert (limited.status, int(limited.headers["retry-after"]) <= 60) == (429, True)
    simulator.advance(60)
    assert simulator.ask("GET", BATCHES).status == 200


def test_one_message_and_its_tokens(simulator):
    params = make_request(text="Hello there.")["params"]
    message = simulator.json("POST", "/v1/messages", params)
    counted_params = {name: params[name] for name in ("model", "messages")}
    counted = simulator.json("POST", "/v1/messages/count_tokens", counted_params)
    assert message["model"] == "claude-haiku-5-5-simulated"
    assert message["usage"]["input_tokens"] == counted["input_tokens"]
    for wrong in ([], params | {"stream": True}, params | {"model": "claude-1"}):
        status, _ = refusal(simulator, "POST", "/v1/messages", wrong)
        assert status == 400
    for wrong in ({}, params, counted_params | {"temperature": 0}):
        assert refusal(simulator, "POST", "/v1/messages/count_tokens", wrong)[0] == 400


def test_models_are_shown_and_listed(simulator):
    listed = simulator.json("GET", "/v1/models", limit=2)
    model = simulator.json("GET", f"/v1/models/{listed['data'][0]['id']}")
    assert model == listed["data"][0]
    assert listed["has_more"]
    assert refusal(simulator, "GET", "/v1/models/claude-1")[0] == 404


def test_the_sdk_finds_its_fixed_batch_in_the_state_it_needs(tmp_path):
    simulator = InProcessSimulator(tmp_path, conformance=True)
    path = f"{BATCHES}/message_batch_id"
    for _ in range(2):
        assert simulator.json("POST", f"{path}/cancel")["processing_status"] == "canceling"
        assert simulator.json("GET", path)["processing_status"] == "in_progress"
        assert simulator.json("DELETE", path)["type"] == "message_batch_deleted"


def test_the_control_plane_shows_what_happened_without_keys(simulator):
    simulator.create(make_request(), key="a very secret key")
    state = simulator.json("GET", "/_sim/state")
    assert [call["method"] for call in state["calls"]] == ["POST"]
    assert state["batches"][0]["body_sha256"] == state["calls"][0]["body_sha256"]
    assert "secret" not in json.dumps(state)


def test_the_page_escapes_what_it_shows(simulator):
    simulator.set_fault(kind="status", op="list", message="<b>bold</b>", times=None)
    assert "Nothing was bought twice" in simulator.ask("GET", "/_sim").body.decode()
    for _ in range(101):
        simulator.create(make_request())
    html = simulator.ask("GET", "/_sim").body.decode()
    assert "1 requests were bought more than once" in html
    assert "and 1 more" in html
    assert "&lt;b&gt;bold" in html
    assert "<b>" not in html


def test_a_reset_forgets_everything(simulator):
    simulator.create(make_request())
    simulator.advance(10_000)
    simulator.set_fault(kind="status")
    before = simulator.json("GET", "/_sim/state")["now"]
    simulator.json("POST", "/_sim/reset", {})
    state = simulator.json("GET", "/_sim/state")
    assert (state["batches"], state["calls"], state["faults"]) == ([], [], [])
    assert state["now"] < before
    assert list(simulator.options.data_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("advance", {"seconds": -1}),
        ("advance", {}),
        ("faults", [{"kind": "nonsense"}]),
        ("faults", [{"kind": "hang", "custom_id_regex": "("}]),
        ("faults", [{"kind": "hang", "often": 3}]),
    ],
)
def test_the_control_plane_refuses_nonsense(simulator, path, body):
    assert refusal(simulator, "POST", f"/_sim/{path}", body) == (400, "invalid_request_error")


def test_results_can_be_said_to_lie_elsewhere(tmp_path):
    simulator = InProcessSimulator(tmp_path, results_base="https://api.example.com")
    path = f"{BATCHES}/{simulator.create(make_request())}"
    simulator.advance(600)
    url = simulator.json("GET", path)["results_url"]
    assert url == f"https://api.example.com{path}/results"
