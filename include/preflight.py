"""Preflight: what can be known to be wrong before the first batch of a run is submitted."""

import datetime as dt
from typing import TYPE_CHECKING

from include.batches import BATCH_LIFE, NotKnownError, translated
from include.errors import ConfigurationError

if TYPE_CHECKING:
    import anthropic

    from include.spec import FrozenSpec


def check_model(client: "anthropic.Anthropic", spec: "FrozenSpec", *, now: dt.datetime) -> None:
    """Ask the API whether it can answer a spec's requests in a batch.

    Raises:
        ConfigurationError: The model is unknown, retired or about to be, has no batches or no
            structured outputs, or answers with fewer tokens than the spec may ask for.
        AccountError: The API refuses the account.
        TransientError: The API did not answer.
    """
    try:
        with translated(f"read model {spec.model}"):
            model = client.models.retrieve(spec.model)
    except NotKnownError:
        msg = f"spec {spec.name}: the API does not know model {spec.model!r}"
        raise ConfigurationError(msg) from None
    problems = []
    if model.lifecycle == "retired" or (model.retires_at and model.retires_at < now + BATCH_LIFE):
        problems.append(f"it is {model.lifecycle} and retires at {model.retires_at}")
    if model.capabilities and not model.capabilities.batch.supported:
        problems.append("it has no batches")
    if model.capabilities and not model.capabilities.structured_outputs.supported:
        problems.append("it has no structured outputs")
    if model.max_tokens and spec.max_output_tokens_limit > model.max_tokens:
        problems.append(
            f"max_output_tokens_limit is {spec.max_output_tokens_limit}, it answers with at most "
            f"{model.max_tokens}"
        )
    if problems:
        msg = f"spec {spec.name}: model {spec.model} cannot be used: {'; '.join(problems)}"
        raise ConfigurationError(msg)
