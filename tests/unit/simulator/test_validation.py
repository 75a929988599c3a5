import base64

import pytest

from include.simulator.tokens import input_tokens
from include.simulator.validation import RequestFrames, message_problem, params_problem
from tests.unit.documents.samples import make_image, make_locked_scan, make_scan

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
        {"tools": [{"name": "note"}]},
        {"tools": [{"name": "note"}], "tool_choice": {"type": "tool", "name": "note"}},
        {"tools": [{"name": "note"}], "tool_choice": {"type": "auto"}},
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
        ({"tools": {"name": "note"}}, "tools: Input should be a valid list"),
        ({"tools": [{}]}, "tools.0.name: Field required"),
        ({"tool_choice": {"type": "any"}}, "tool_choice: may only be given together with tools"),
        (
            {"tools": [{"name": "note"}], "tool_choice": {"type": "tool", "name": "other"}},
            "tool_choice: tool 'other' is not among the tools",
        ),
        (
            {"tools": [{"name": "note"}], "tool_choice": {"type": "must"}},
            "tool_choice.type: Input should be one of auto, any, tool, none",
        ),
        (
            {"tools": [{"name": "note", "input_schema": "object"}]},
            "tools.0.input_schema: Input should be an object",
        ),
        ({"output_config": 5}, "output_config: Input should be an object"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        (with_schema({"type": "object"}), "output_config.format.schema: For 'object'"),
    ],
)
def test_params_that_the_api_refuses_are_refused(changes, problem):
    found = params_problem(make_params(**changes), api_version=STRICT)
    assert found == problem if problem is None else found.startswith(problem)


def with_file(kind, media_type, content) -> dict:
    data = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    source = {"type": "base64", "media_type": media_type, "data": data}
    return make_params(messages=[{"role": "user", "content": [{"type": kind, "source": source}]}])


@pytest.mark.parametrize(
    ("kind", "media_type", "content"),
    [
        ("image", "image/png", make_image("PNG", 8_000, 1)),
        ("image", "image/jpeg", make_image("JPEG")),
        ("image", "image/gif", make_image("GIF")),
        ("image", "image/webp", make_image("WEBP")),
        ("document", "application/pdf", make_scan(600)),
    ],
)
def test_files_that_the_api_takes_are_taken(kind, media_type, content):
    assert params_problem(with_file(kind, media_type, content), api_version=STRICT) is None


@pytest.mark.parametrize(
    ("kind", "media_type", "content", "problem"),
    [
        ("image", "image/tiff", make_image("TIFF"), "media_type: Input should be 'image/jpeg', "),
        ("document", "image/png", make_image("PNG"), "media_type: Input should be 'application"),
        ("image", "image/png", None, "data: Field required"),
        ("image", "image/png", "a b", "data: Input should be valid base64"),
        ("image", "image/png", make_image("JPEG"), "data: Could not process image"),
        ("image", "image/png", make_image("PNG", 8_001, 1), "data: At least one of the image dim"),
        ("image", "image/png", make_image("PNG", 8_001, 16_000), "data: At least one of the ima"),
        ("image", "image/png", bytes(8_000_000), "data: image exceeds 10 MB maximum: 10666668"),
        ("document", "application/pdf", b"%PDF-1.7", "data: The PDF specified was not valid."),
        ("document", "application/pdf", make_locked_scan(), "data: The PDF specified is passw"),
        ("document", "application/pdf", make_scan(601), "data: A maximum of 600 PDF pages may"),
    ],
    ids=range(11),
)
def test_files_that_the_api_refuses_are_refused(kind, media_type, content, problem):
    found = params_problem(with_file(kind, media_type, content), api_version=STRICT)
    assert found.startswith(f"messages.0.content.0.{kind}.source.base64.{problem}")


def test_models_that_read_less_take_fewer_pages():
    asked = with_file("document", "application/pdf", make_scan(101))
    found = params_problem(asked | {"model": "claude-haiku-4-5"}, api_version=STRICT)
    assert found.endswith("A maximum of 100 PDF pages may be provided.")


def test_a_file_costs_what_can_be_seen_and_not_its_base64():
    seen = input_tokens(with_file("image", "image/png", make_image("PNG", 280, 140)))
    noted = input_tokens(with_file("image", "image/png", b"no image"))
    pages = input_tokens(with_file("document", "application/pdf", make_scan(3)))
    assert (seen - noted, 7_500 <= pages < 7_600) == (50, True)
    assert input_tokens(with_file("image", "image/png", make_image("PNG", 8_000, 8_000))) < 4_900


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
