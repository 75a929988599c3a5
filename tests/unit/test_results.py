import json
from typing import Any, get_args

import msgspec
import pytest
from anthropic.types import ErrorObject, StopReason
from anthropic.types.messages import MessageBatchResult

from include.answers import AnswerSchema
from include.results import (
    ACCOUNT_ERRORS,
    FOLLOWUPS,
    RETRYABLE_ERRORS,
    Judged,
    Outcome,
    ResultLine,
    judge,
    without_unwanted,
)
from tests.factories import NoteAnswer, errored, succeeded

SCHEMA = AnswerSchema.from_model(NoteAnswer)
GOOD = '{"topic": "rain", "mood": "Good"}'


def judged(line: dict[str, Any]) -> Judged:
    return judge(msgspec.convert(line, ResultLine).result, SCHEMA)


def judged_text(text: str) -> Judged:
    return judged(succeeded("id", text=text))


def literals(union: Any) -> set[str]:
    """Return the `type` of each member of one of the SDK's unions."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0] for member in members}


class TestCompleteness:
    """These fail when the SDK learns of something that the code does not map."""

    def test_every_result_type_of_the_sdk(self) -> None:
        known = {"succeeded", "errored", "canceled", "expired"}
        assert literals(MessageBatchResult) == known
        assert known <= set(get_args(Outcome))

    def test_every_stop_reason_of_the_sdk(self) -> None:
        outcomes = {
            reason: judged(succeeded("id", stop_reason=reason)).outcome
            for reason in get_args(StopReason)
        }
        assert outcomes == {
            "end_turn": "succeeded",
            "stop_sequence": "succeeded",
            "tool_use": "succeeded",
            "pause_turn": "succeeded",
            "max_tokens": "truncated",
            "refusal": "refused",
            "model_context_window_exceeded": "context_exceeded",
        }

    def test_every_error_type_of_the_sdk(self) -> None:
        permanent = {"invalid_request_error", "not_found_error"}
        assert literals(ErrorObject) == RETRYABLE_ERRORS | ACCOUNT_ERRORS | permanent

    def test_every_outcome_has_a_followup(self) -> None:
        assert set(FOLLOWUPS) == set(get_args(Outcome))


@pytest.mark.parametrize(
    ("error_type", "text", "followup"),
    [
        ("invalid_request_error", "messages: too many", "dead_letter"),
        ("request_too_large", "too large", "dead_letter"),
        ("some_error_of_tomorrow", "?", "dead_letter"),
        *((kind, "busy", "retry") for kind in sorted(RETRYABLE_ERRORS)),
        *((kind, "no", "stop") for kind in sorted(ACCOUNT_ERRORS)),
        ("invalid_request_error", "Your credit balance is too low to access the API", "stop"),
        ("invalid_request_error", "You have reached your specified API usage limits", "stop"),
        ("rate_limit_error", "slow down", "retry"),
    ],
)
def test_error_is_followed_by_what_may_help(error_type: str, text: str, followup: str) -> None:
    found = judged(errored("id", error_type, text))
    assert (found.outcome, found.followup) == ("errored", followup)
    assert (found.error_type, found.error_message) == (error_type, text)


def test_long_error_text_is_cut() -> None:
    assert len(judged(errored("id", "api_error", "x" * 9_000)).error_message or "") == 500


@pytest.mark.parametrize("kind", ["expired", "canceled"])
def test_unanswered_request_is_asked_again(kind: str) -> None:
    found = judged({"custom_id": "id", "result": {"type": kind}})
    assert (found.outcome, found.followup) == (kind, "retry")


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"type": "postponed"}, id="type of tomorrow"),
        pytest.param({"type": "succeeded"}, id="success without a message"),
    ],
)
def test_result_that_nobody_knows_is_an_error_to_retry(result: dict[str, Any]) -> None:
    found = judged({"custom_id": "id", "result": result})
    assert (found.outcome, found.followup) == ("errored", "retry")
    assert found.error_type == "unknown_result"


def test_error_without_a_body_is_the_apis_own() -> None:
    found = judged({"custom_id": "id", "result": {"type": "errored"}})
    assert (found.followup, found.error_type) == ("retry", "api_error")


def test_refusal_tells_its_category() -> None:
    details = {"type": "refusal", "category": "cyber"}
    found = judged(succeeded("id", text="", stop_reason="refusal", stop_details=details))
    assert (found.outcome, found.followup, found.error_message) == (
        "refused",
        "dead_letter",
        "cyber",
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(f"Here you are:\n{GOOD}\nAnything else?", id="preamble"),
        pytest.param(f"```json\n{GOOD}\n```", id="fence"),
        pytest.param(f"Sure!\n```\n{GOOD}\n```\n", id="preamble and fence"),
        pytest.param(f"\ufeff{GOOD}", id="mark"),
        pytest.param('{"topic": "rain", "mood": "GOOD"}', id="capitals of an enumeration"),
        pytest.param(r'{"topic": "\u0000ra\u001bin\ud800", "mood": "Good"}', id="controls"),
    ],
)
def test_answer_is_found_in_what_surrounds_it(text: str) -> None:
    found = judged_text(text)
    assert found.outcome == "succeeded", found.error_message
    assert SCHEMA.row(found.answer) == {"topic": "rain", "mood": "Good"}


def test_characters_beyond_the_first_plane_are_kept() -> None:
    found = judged_text(r'{"topic": "\ud83c\udf27 \u00e9\n", "mood": "Good"}')
    assert found.answer.topic == "🌧 é\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "it was not one JSON object"),
        ("I cannot say.", "it was not one JSON object"),
        (GOOD[:-5], "it was not one JSON object"),
        (GOOD + GOOD, "it was not one JSON object"),
        ("```json\nnothing\n```", "it was not one JSON object"),
        ("[]", "Expected `object`, got `array`"),
        ('{"topic": "rain"}', "missing required field `mood`"),
        ('{"topic": "rain", "mood": "Fair"}', "Invalid enum value 'Fair'"),
        (f'{{"topic": "{"x" * 41}", "mood": "Good"}}', "length <= 40"),
        ('{"topic": null, "mood": "Good"}', "Expected `str`, got `null`"),
        ('{"topic": "rain", "mood": "Good", "more": 1}', "unknown field `more`"),
    ],
)
def test_unusable_answer_is_asked_again_with_the_complaint(text: str, complaint: str) -> None:
    found = judged_text(text)
    assert (found.outcome, found.followup) == ("invalid_output", "retry")
    assert complaint in (found.error_message or "")


def test_thinking_before_the_answer_is_no_part_of_it() -> None:
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": GOOD}]
    assert judged(succeeded("id", content=content)).outcome == "succeeded"


def test_answer_in_two_text_blocks_is_one() -> None:
    parts = [{"type": "text", "text": part} for part in (GOOD[:9], GOOD[9:])]
    assert judged(succeeded("id", content=parts)).outcome == "succeeded"


def test_unwanted_characters_are_dropped_all_the_way_down() -> None:
    value = {"a\x00": ["b\x1f", {"c": "\ud800d"}], "e": 1, "f": "tab\tand\nline"}
    cleaned = without_unwanted(value)
    assert cleaned == {"a": ["b", {"c": "d"}], "e": 1, "f": "tab\tand\nline"}
    assert json.dumps(cleaned, ensure_ascii=False).encode()
