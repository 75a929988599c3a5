"""Probes: a request of each shape is tried alone, before a batch of such requests is paid for.

A batch tells what is wrong with a parameter only when it ends. `count_tokens` is free, but whether
it looks at every parameter is not documented [UNKNOWN]; so each set of parameters is also sent as a
real message with a tiny answer, once for ever: what has passed is kept in the work bucket.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import anthropic
import httpx2
import msgspec
from pydantic import BaseModel, ConfigDict

from include.batches import raise_if_account, translated
from include.costs import cost_of
from include.errors import ConfigurationError, PermanentError, PipelineError, TransientError
from include.identities import digest
from include.paid_probes import Told, add_paid, paid_for
from include.requests import escalate
from include.results import Usage
from include.segments import read_lines

if TYPE_CHECKING:
    from include.planning import RequestSample
    from include.runs import RunFiles
    from include.spec import FrozenSpec
    from include.storage import ObjectStore, StoredObject

logger = logging.getLogger(__name__)

ToldT = TypeVar("ToldT")

ANSWER_TOKENS = 16
"""`max_tokens` of a message that nobody reads."""
MAX_PROBE_USD = Decimal("0.05")
"""A message that may cost more is not sent; `count_tokens` must do."""
MAX_TRIES = 5
"""Messages for one set of parameters whose answer was lost; then `count_tokens` must do."""

_COUNT_PATH = "/v1/messages/count_tokens"
_MESSAGES_PATH = "/v1/messages"
_CONTENT = "messages."
"""How a complaint begins that is about the document, not about what all requests share."""
_FIELDS = (
    ("max_tokens", "max_output_tokens or max_output_tokens_limit"),
    ("output_config", "answer"),
    ("chema", "answer"),
    ("cache_control", "caching"),
    ("thinking", "thinking"),
    ("effort", "thinking"),
    ("prompt is too long", "max_characters"),
    ("system", "prompt"),
    ("model", "model"),
)
"""Words of the API's complaint, and the field of the spec that they are about."""


class ProbeRecord(BaseModel):
    """What is known of one set of parameters, in `<spec>/preflight/<digest>.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    prompt_version: str
    model: str
    api_version: str
    tried_count: int = 0
    """Messages that were sent, or may have been."""
    is_passed: bool = False


class _RefusedError(PermanentError):
    """The API refuses the request; nothing was paid."""


class _Counted(msgspec.Struct):
    input_tokens: int


@dataclass(frozen=True, slots=True)
class _Probe:
    """One request, and how often the API has seen its like."""

    params: dict[str, Any]
    input_tokens: int
    shape: str

    @property
    def shared(self) -> dict[str, Any]:
        """What all requests of its kind have in common."""
        return {k: v for k, v in self.params.items() if k not in {"messages", "max_tokens"}}

    @property
    def most_usd(self) -> Decimal:
        """What its message costs at most."""
        usage = Usage(self.input_tokens, ANSWER_TOKENS)
        return cost_of(self.params["model"], usage).list_usd


@dataclass(frozen=True)
class Probes:
    """Tries the requests of one run."""

    client: anthropic.Anthropic
    store: "ObjectStore"
    spec: "FrozenSpec"
    files: "RunFiles"

    def check(self, samples: Sequence["RequestSample"], *, spare_usd: Decimal | None) -> None:
        """Try a request of each shape, and all that retry rounds may make of it.

        Args:
            samples: A few requests of each shape.
            spare_usd: What messages may cost; None without a limit.

        Raises:
            ConfigurationError: The API refuses what all requests share; the field is named.
            AccountError: It refuses the account.
            TransientError: It did not answer.
        """
        cheapest: dict[str, _Probe] = {}
        lines = read_lines(self.store, [sample.place for sample in samples])
        for sample, line in zip(samples, lines, strict=True):
            for probe in self._counted(sample.shape, line):
                key = self._digest(probe)
                found = cheapest.get(key)
                if found is None or probe.input_tokens < found.input_tokens:
                    cheapest[key] = probe
        for key, probe in cheapest.items():
            limit_usd = MAX_PROBE_USD if spare_usd is None else min(MAX_PROBE_USD, spare_usd)
            if probe.most_usd > limit_usd:
                logger.info("only counted shape=%s usd=%.6f", probe.shape, probe.most_usd)
                continue
            paid_usd = self._ask_once(key, probe)
            spare_usd = None if spare_usd is None else spare_usd - paid_usd

    def _counted(self, shape: str, line: bytes) -> Iterator[_Probe]:
        """Let the API count each form of a request; yield those that it takes."""
        for params in _forms(line, self.spec):
            counted = {name: value for name, value in params.items() if name != "max_tokens"}
            try:
                told = self._post(_COUNT_PATH, counted, _Counted)
            except _RefusedError as error:
                self._blame(error, shape, params["model"])
            else:
                yield _Probe(params, told.input_tokens, shape)

    def _ask_once(self, key: str, probe: _Probe) -> Decimal:
        """Send one message, unless its like was answered before; return what that cost."""
        record_key = f"{self.spec.name}/preflight/{key}.json"
        stored = self.store.read(record_key)
        record = self._record(stored, probe)
        if record.is_passed:
            return Decimal(0)
        if record.tried_count >= MAX_TRIES:
            logger.warning("only counted shape=%s tries=%d", probe.shape, record.tried_count)
            return Decimal(0)
        tried = record.model_copy(update={"tried_count": record.tried_count + 1})
        etag = self._put(record_key, tried, stored)
        try:
            told = self._post(
                _MESSAGES_PATH, probe.params | {"max_tokens": ANSWER_TOKENS}, Told, max_retries=0
            )
        except PipelineError as error:
            if _is_free(error):
                self.store.replace(record_key, _dumped(record), etag=etag)
            if not isinstance(error, _RefusedError):
                raise
            self._blame(error, probe.shape, probe.params["model"])
            return Decimal(0)
        paid = paid_for(told, probe.params["model"])
        add_paid(self.store, self.files, paid)
        passed = tried.model_copy(update={"is_passed": True})
        self.store.replace(record_key, _dumped(passed), etag=etag)
        logger.info("probed shape=%s model=%s usd=%.6f", probe.shape, paid.model, paid.cost_usd)
        return paid.cost_usd

    def _record(self, stored: "StoredObject | None", probe: _Probe) -> ProbeRecord:
        if stored is not None:
            return ProbeRecord.model_validate_json(stored.data)
        return ProbeRecord(
            prompt_version=self.spec.prompt_version,
            model=probe.params["model"],
            api_version=self._api_version,
        )

    def _put(self, key: str, record: ProbeRecord, stored: "StoredObject | None") -> str:
        if stored is None:
            return self.store.create(key, _dumped(record))
        return self.store.replace(key, _dumped(record), etag=stored.etag)

    @property
    def _api_version(self) -> str:
        return str(self.client.default_headers.get("anthropic-version", ""))

    def _digest(self, probe: _Probe) -> str:
        return digest("preflight", self.spec.prompt_version, self._api_version, probe.shared)

    def _post(self, path: str, params: dict[str, Any], told: type[ToldT], **options: Any) -> ToldT:
        with translated("try a request"):
            try:
                response = self.client.with_options(**options).post(
                    path, cast_to=httpx2.Response, body=params
                )
            except (
                anthropic.BadRequestError,
                anthropic.ContentTooLargeError,
                anthropic.UnprocessableEntityError,
            ) as error:
                raise_if_account(error)
                raise _RefusedError(_message_of(error)) from None
        try:
            return msgspec.json.decode(response.content, type=told)
        except msgspec.MsgspecError:
            msg = f"{path} gave no usable answer"
            raise TransientError(msg) from None

    def _blame(self, error: _RefusedError, shape: str, model: str) -> None:
        """Fail on what all requests share; a damaged document fails alone, in its batch, unpaid."""
        message = str(error)
        if message.startswith(_CONTENT):
            # Only the place: what follows may quote the document.
            logger.warning("refused shape=%s at=%s", shape, message.partition(":")[0])
            return
        field = next((name for word, name in _FIELDS if word in message), "model or request_params")
        if model != self.spec.model:
            field = "escalation_model"
        msg = (
            f"spec {self.spec.name}: {model} refuses its requests: {message[:300]}; change "
            f"{field} of the spec, and trigger a new run"
        )
        raise ConfigurationError(msg) from None


def _forms(line: bytes, spec: "FrozenSpec") -> Iterable[dict[str, Any]]:
    """Yield the params of a request as it is sent first, and as retry rounds may send it.

    A complaint adds a block of text, and more tokens change a number: neither is another form.
    """
    lines = (line, escalate(line, spec)) if spec.escalation_model else (line,)
    for one in lines:
        params: dict[str, Any] = msgspec.json.decode(one)["params"]
        yield params
        if params["thinking"] != {"type": "disabled"}:
            yield params | {"thinking": {"type": "disabled"}}


def _is_free(error: PipelineError) -> bool:
    """Return whether the API said that it did not answer: of a lost answer nobody knows."""
    return isinstance(error, _RefusedError) or isinstance(error.__cause__, anthropic.APIStatusError)


def _message_of(error: anthropic.APIStatusError) -> str:
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    return str(inner.get("message", "")) if isinstance(inner, dict) else error.message


def _dumped(record: BaseModel) -> bytes:
    return record.model_dump_json(indent=1).encode()
