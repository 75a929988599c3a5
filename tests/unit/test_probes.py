"""Requests are tried alone before a batch is paid for, and what that costs has a bound."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic

from include.errors import AccountError, ConfigurationError, TransientError
from include.paid_probes import read_paid
from include.planning import RequestSample
from include.probes import ANSWER_TOKENS, MAX_TRIES, Probes
from include.runs import RunFiles
from include.spec import FrozenSpec
from include.storage import ObjectStore
from tests.factories import make_frozen_spec, message, plan_shards
from tests.fakes import error_response

SONNET = "claude-sonnet-5-5"
FILES = RunFiles("notes", "run-1")
Answer = httpx2.Response | Exception


@dataclass
class Api:
    """Takes every request, unless told otherwise."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    counts: deque[Answer] = field(default_factory=deque)
    answers: deque[Answer] = field(default_factory=deque)
    input_tokens: int = 700

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        is_count = request.url.path.endswith("count_tokens")
        self.sent.append(("count" if is_count else "message", json.loads(request.read())))
        waiting = self.counts if is_count else self.answers
        answer = waiting.popleft() if waiting else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        told = message() | {"id": f"msg_{len(self.sent)}"}
        return httpx2.Response(200, json={"input_tokens": self.input_tokens} if is_count else told)

    def params(self, kind: str) -> list[dict[str, Any]]:
        return [params for sent, params in self.sent if sent == kind]


@pytest.fixture
def api() -> Api:
    return Api()


@dataclass
class Bench:
    store: ObjectStore
    work_dir: Path
    api: Api

    def samples(self, spec: FrozenSpec, texts: Sequence[str] = ("a",)) -> Sequence[RequestSample]:
        return plan_shards(self.store, self.work_dir, texts, spec=spec).samples

    def check(
        self, spec: FrozenSpec, spare_usd: Decimal | None = None, texts: Sequence[str] = ("a",)
    ) -> None:
        client = Anthropic(
            api_key="test",
            max_retries=0,
            http_client=httpx2.Client(transport=httpx2.MockTransport(self.api.handle)),
        )
        probes = Probes(client, self.store, spec, FILES)
        probes.check(self.samples(spec, texts), spare_usd=spare_usd)

    def check_often(self, spec: FrozenSpec, times: int) -> int:
        for _ in range(times):
            with pytest.raises(TransientError):
                self.check(spec)
        self.check(spec)
        return len(self.api.params("message"))


@pytest.fixture
def bench(store: ObjectStore, tmp_path: Path, api: Api) -> Bench:
    return Bench(store, tmp_path, api)


def refusal(text: str) -> httpx2.Response:
    return error_response(400, "invalid_request_error", text)


def test_every_form_of_a_request_is_counted_and_sent_once_for_ever(bench: Bench, api: Api) -> None:
    spec = make_frozen_spec(thinking="adaptive", escalation_model=SONNET)
    for _ in range(2):
        bench.check(spec)
    forms = [(one["model"], one["thinking"]["type"]) for one in api.params("count")]
    expected = [(model, kind) for model in spec.models for kind in ("adaptive", "disabled")]
    assert forms == expected * 2
    assert sorted((p["model"], p["thinking"]["type"]) for p in api.params("message")) == sorted(
        expected
    )
    assert {params["max_tokens"] for params in api.params("message")} == {ANSWER_TOKENS}
    assert not any("max_tokens" in params for params in api.params("count"))


def test_what_was_paid_is_kept_for_the_load_at_list_price(bench: Bench) -> None:
    bench.check(make_frozen_spec())
    (paid,) = read_paid(bench.store, FILES)
    # 1,000 tokens at 0.10 and 100 at 0.50 per million
    assert (paid.cost_usd, paid.model) == (Decimal("0.00015"), "claude-haiku-5-5")


@pytest.mark.parametrize(
    ("text", "field_name"),
    [
        ("temperature: Extra inputs are not permitted", "model or request_params"),
        ("output_config.format.schema: Schema is too complex", "answer"),
        ("thinking.type: 'adaptive' is not supported on this model", "thinking"),
        ("system.0.cache_control.ttl: Input should be '5m'", "caching"),
        ("max_tokens: 9 > 8, which is the maximum", "max_output_tokens"),
        ("prompt is too long: 2 tokens > 1 maximum", "max_characters"),
    ],
)
@pytest.mark.parametrize("where", ["counts", "answers"])
def test_refused_parameter_is_named_with_the_field_to_change(
    bench: Bench, api: Api, text: str, field_name: str, where: str
) -> None:
    getattr(api, where).append(refusal(text))
    with pytest.raises(ConfigurationError, match="refuses its requests") as caught:
        bench.check(make_frozen_spec())
    assert text in str(caught.value)
    assert f"change {field_name}" in str(caught.value)


def test_stronger_model_that_refuses_is_the_field(bench: Bench, api: Api) -> None:
    api.counts.extend((httpx2.Response(200, json={"input_tokens": 9}), refusal("thinking: no")))
    with pytest.raises(ConfigurationError, match=f"{SONNET} refuses.*change escalation_model"):
        bench.check(make_frozen_spec(escalation_model=SONNET))


def test_damaged_document_fails_alone_and_is_not_quoted(
    bench: Bench, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """The next sample of its shape stands in for it."""
    api.counts.append(refusal("messages.0.content.0: cannot read 'Dear Ms Miller'"))
    bench.check(make_frozen_spec(), texts=("a", "b"))
    assert len(api.params("message")) == 1
    assert "messages.0.content.0" in caplog.text
    assert "Miller" not in caplog.text


def test_lost_answers_are_paid_a_bounded_number_of_times(bench: Bench, api: Api) -> None:
    api.answers.extend([httpx2.ReadError("lost")] * (MAX_TRIES + 2))
    assert bench.check_often(make_frozen_spec(), MAX_TRIES) == MAX_TRIES
    bench.check(make_frozen_spec())
    assert len(api.params("message")) == MAX_TRIES


def test_refusal_for_now_uses_up_no_try(bench: Bench, api: Api) -> None:
    api.answers.extend([error_response(529, "overloaded_error")] * (MAX_TRIES + 1))
    assert bench.check_often(make_frozen_spec(), MAX_TRIES + 1) == MAX_TRIES + 2


@pytest.mark.parametrize("where", ["counts", "answers"])
def test_refused_account_is_no_fault_of_the_spec(bench: Bench, api: Api, where: str) -> None:
    getattr(api, where).append(refusal("Your credit balance is too low"))
    with pytest.raises(AccountError):
        bench.check(make_frozen_spec())


@pytest.mark.parametrize(
    ("spare_usd", "input_tokens", "messages"),
    [
        (None, 700, 1),
        (Decimal("0.00007"), 700, 0),  # 700 in at 0.10 and 16 out at 0.50 are 0.000078
        (Decimal("0.00008"), 700, 1),
        (None, 499_000, 0),  # above the price step, at 0.50: a quarter of a dollar
    ],
    ids=["no budget", "too little to spare", "enough to spare", "too large"],
)
def test_message_that_costs_too_much_is_not_sent(
    bench: Bench, api: Api, spare_usd: Decimal | None, input_tokens: int, messages: int
) -> None:
    api.input_tokens = input_tokens
    bench.check(make_frozen_spec(), spare_usd)
    assert len(api.params("message")) == messages


def test_samples_are_the_smallest_of_each_shape(bench: Bench) -> None:
    spec = make_frozen_spec()
    samples = bench.samples(spec, ["a" * 30, "b" * 10, "c" * 20])
    lengths = [sample.place.line_length for sample in samples]
    assert [sample.shape for sample in samples] == ["text", "text"]
    assert max(lengths) - min(lengths) == 10
