import pytest

from include.simulator.validation import RequestFrames, message_problem, params_problem

MESSAGES = [{"role": "user", "content": "Hello"}]
STRICT = "2026-10-21"


def make_params(**changes):
    params = {"model": "claude-haiku-5-5", "max_tokens": 10, "messages": MESSAGES} | changes
    return {name: value for name, value in params.items() if value is not ...}


def with_schema(schema) -> dict:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "enabled", "budget_tokens": 9}, "model": "claude-haiku-4-5"},
        {"system": "Be brief", "stream": False},
        with_schema({"type": "object", "properties": {}, "additionalProperties": False}),
    ],
)
def test_params_that_the_api_takes_are_taken(changes):
    assert params_problem(make_params(**changes), api_version=STRICT) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"model": ...}, "model: Field required"),
        ({"model": "claude-1"}, "model: claude-1"),
        ({"model": "claude-3-5-haiku-20241022"}, "model: claude-3-5-haiku-20241022"),
        ({"max_tokens": ...}, "max_tokens: Field required"),
        ({"max_tokens": "1"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": 10**6}, "max_tokens: 1000000 > 128000"),
        ({"messages": ...}, "messages: Field required"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content"),
        ({"messages": [{"role": "assistant", "content": "{"}]}, "messages: the conversation"),
        ({"stream": True}, "stream: not supported"),
        ({"speed": "fast"}, "speed: not supported"),
        ({"fallbacks": ["x"]}, "fallbacks: not supported"),
        ({"temperature": 0.0}, "temperature: Extra inputs are not permitted"),
        ({"thinking": {"type": "enabled"}}, "thinking.type"),
        ({"system": [{"type": "text", "text": "x", "cache_control": {}}] * 5}, None),
        (
            {"system": [{"type": "text", "text": "x", "cache_control": {"type": "e"}}] * 5},
            "A maximum of 4 blocks",
        ),
        ({"output_config": 5}, "output_config: Input should be an object"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        (with_schema({"type": "object"}), "output_config.format.schema: For 'object'"),
    ],
)
def test_params_that_the_api_refuses_are_refused(changes, problem):
    found = params_problem(make_params(**changes), api_version=STRICT)
    assert found == problem if problem is None else found.startswith(problem)


def test_an_older_version_takes_sampling_params():
    assert message_problem(make_params(temperature=0.0), api_version="2023-06-01") is None


def test_ids_are_remembered_over_the_whole_body():
    frames = RequestFrames()
    request = {"custom_id": "a", "params": {}}
    assert frames.problem(0, request) is None
    assert frames.problem(1, request) == "requests.1.custom_id: 'a' is not unique in the batch"
    assert frames.problem(2, {"custom_id": 1}) == (
        "requests.2.custom_id: Input should be a valid string"
    )
    assert frames.problem(3, {"custom_id": "", "params": {}}) == (
        "requests.3.custom_id: String should have at least 1 character"
    )
    assert frames.problem(4, {"custom_id": "b", "params": 1}) == (
        "requests.4.params: Input should be an object"
    )
