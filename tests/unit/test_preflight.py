"""What can be known to be wrong is said before the first batch."""

import datetime as dt
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic

from include.errors import AccountError, ConfigurationError, TransientError
from include.preflight import check_model
from include.specs import load_catalog
from tests.factories import make_frozen_spec

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
SPEC = load_catalog().specs["document_metadata"].freeze()


def supported(*, is_supported: bool = True) -> dict[str, bool]:
    return {"supported": is_supported}


def model(**changes: Any) -> dict[str, Any]:
    described = {
        "id": SPEC.model,
        "type": "model",
        "display_name": "Haiku",
        "created_at": "2026-10-07T00:00:00Z",
        "lifecycle": "active",
        "retires_at": None,
        "max_tokens": 128_000,
        "capabilities": {"batch": supported(), "structured_outputs": supported()},
    }
    return described | changes


def client(status: int, body: dict[str, Any]) -> Anthropic:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, json=body)

    transport = httpx2.MockTransport(answer)
    return Anthropic(api_key="test", max_retries=0, http_client=httpx2.Client(transport=transport))


def error(kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": "no"}}


def test_a_model_that_can_answer_passes() -> None:
    check_model(client(200, model()), SPEC, SPEC.model, now=NOW)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lifecycle": "retired"}, "retired"),
        ({"lifecycle": "deprecated", "retires_at": "2026-11-22T20:00:00Z"}, "retires at"),
        (
            {
                "capabilities": {
                    "batch": supported(is_supported=False),
                    "structured_outputs": supported(),
                }
            },
            "no batches",
        ),
        (
            {
                "capabilities": {
                    "batch": supported(),
                    "structured_outputs": supported(is_supported=False),
                }
            },
            "no structured outputs",
        ),
        ({"max_tokens": 4_096}, "max_output_tokens_limit"),
    ],
    ids=["retired", "retires before the batch ends", "no batches", "no schema", "too few tokens"],
)
def test_a_model_that_cannot_is_named_with_the_reason(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{SPEC.model}.*{problem}"):
        check_model(client(200, model(**changes)), SPEC, SPEC.model, now=NOW)


SEEING = make_frozen_spec(vision=True, max_pages=101)


def seen(
    *, images: bool = True, pdfs: bool = True, max_input_tokens: int = 10**6
) -> dict[str, Any]:
    capabilities = model()["capabilities"] | {
        "image_input": supported(is_supported=images),
        "pdf_input": supported(is_supported=pdfs),
    }
    return model(capabilities=capabilities, max_input_tokens=max_input_tokens)


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        (seen(images=False), "it takes no images or no PDFs"),
        (seen(pdfs=False), "it takes no images or no PDFs"),
        (seen(max_input_tokens=200_000), "max_pages is 101, it reads at most 100"),
    ],
    ids=["no images", "no PDFs", "short context"],
)
def test_a_model_that_cannot_look_is_refused_by_a_spec_with_vision_alone(
    described: dict[str, Any], problem: str
) -> None:
    check_model(client(200, seen()), SEEING, SEEING.model, now=NOW)
    check_model(client(200, described), SPEC, SPEC.model, now=NOW)
    with pytest.raises(ConfigurationError, match=problem):
        check_model(client(200, described), SEEING, SEEING.model, now=NOW)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (404, "not_found_error", ConfigurationError),
        (401, "authentication_error", AccountError),
        (402, "billing_error", AccountError),
        (529, "overloaded_error", TransientError),
    ],
    ids=["unknown model", "refused key", "no credit", "overloaded"],
)
def test_an_error_says_what_kind_it_is(status: int, kind: str, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        check_model(client(status, error(kind)), SPEC, SPEC.model, now=NOW)


def test_each_model_is_asked_about_and_named() -> None:
    retired = model(lifecycle="retired")
    with pytest.raises(ConfigurationError, match="model claude-sonnet-5-5 cannot be used"):
        check_model(client(200, retired), SPEC, "claude-sonnet-5-5", now=NOW)


def test_model_without_a_price_is_not_asked() -> None:
    with pytest.raises(ConfigurationError, match="no price is known for model 'claude-nobody'"):
        check_model(client(200, model()), SPEC, "claude-nobody", now=NOW)


def test_model_must_think_as_asked_and_be_able_to_leave_it() -> None:
    types = {"adaptive": supported(), "disabled": supported(is_supported=False)}
    capabilities = model()["capabilities"] | {"thinking": {"types": types}}
    with pytest.raises(ConfigurationError, match="does not take thinking 'disabled'"):
        check_model(client(200, model(capabilities=capabilities)), SPEC, SPEC.model, now=NOW)
