"""Params come from outside: whatever they are, the batch ends and has a line for each request."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.simulator.answers import Answerer
from include.simulator.fates import decide
from include.simulator.messages import build_message
from include.simulator.output_format import _SHAPES
from include.simulator.tokens import input_tokens

WORDS = st.sampled_from(
    [*_SHAPES, "text", "source", "content", "role", "user", "object", "string", "array", "#/"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=4).map(
    lambda node: {"additionalProperties": False} | node
)
PARAMS = st.fixed_dictionaries(
    {
        "model": st.just("claude-haiku-5-5") | JSON,
        "max_tokens": st.just(50) | JSON,
        "messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": JSON}))
        | JSON,
    },
    optional={
        "system": JSON,
        "thinking": JSON,
        "tools": JSON,
        "output_config": JSON
        | st.fixed_dictionaries(
            {"format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": OBJECTS})}
        ),
    },
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PARAMS)
def test_every_request_is_answered_or_errored(params):
    fate = decide(params, None, api_version="2026-10-21")
    assert input_tokens(params) >= 0
    if fate.result_type == "succeeded":
        message = build_message(
            params,
            fate,
            answerer=Answerer("instant", 0),
            message_id="msg_1",
            service_tier="batch",
        )
        assert message["stop_reason"] in ("end_turn", "max_tokens")
