"""What becomes of one request, decided from the request alone when its batch is accepted."""

import msgspec

from include.simulator.batches import ResultType
from include.simulator.caching import CacheUse, use_of
from include.simulator.faults import Fault
from include.simulator.models import CATALOGUE
from include.simulator.tokens import input_tokens
from include.simulator.validation import Params, params_problem

_ERROR_TYPES = {"server_error": "api_error", "overloaded": "overloaded_error"}


class Fate(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a request ends unless its batch ends first."""

    kind: str = "answer"
    """`answer`, or the kind of the fault that hit it."""
    error_type: str = ""
    message: str = ""
    with_text: bool = False
    cache: CacheUse = CacheUse()

    @property
    def result_type(self) -> ResultType:
        """The type of its result."""
        if self.error_type:
            return "errored"
        return "expired" if self.kind == "expired" else "succeeded"

    @property
    def is_charged(self) -> bool:
        """Whether its tokens cost anything: a refusal without output is free."""
        is_free = self.kind == "refusal" and not self.with_text
        return self.result_type == "succeeded" and not is_free


def decide(
    params: Params, fault: Fault | None, *, api_version: str, is_cache_hit: bool = False
) -> Fate:
    """Return what becomes of a request that `fault`, if any, has hit."""
    if problem := params_problem(params, api_version=api_version) or length_problem(params):
        return Fate("errored", "invalid_request_error", problem)
    fate = _struck(fault) if fault else Fate()
    if fate.result_type != "succeeded":
        return fate
    return msgspec.structs.replace(fate, cache=use_of(params, is_hit=is_cache_hit))


def _struck(fault: Fault) -> Fate:
    if fault.kind == "errored":
        return Fate("errored", fault.error_type or "invalid_request_error", fault.message)
    error_type = _ERROR_TYPES.get(fault.kind, "")
    return Fate(fault.kind, error_type, fault.message if error_type else "", fault.with_text)


def length_problem(params: Params) -> str | None:
    """Return what the API says of a prompt that is longer than its model reads, or None."""
    tokens, limit = input_tokens(params), CATALOGUE[params["model"]].max_input_tokens
    return f"prompt is too long: {tokens} tokens > {limit} maximum" if tokens > limit else None
