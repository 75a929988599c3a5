"""Preflight: what can be known to be wrong before the first batch of a run is submitted."""

import datetime as dt
from typing import TYPE_CHECKING

from include.batches import BATCH_LIFE, NotKnownError, translated
from include.errors import ConfigurationError
from include.prices import read_rates
from include.vision import MAX_PAGES_SHORT_CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import anthropic
    from anthropic.types import ModelInfo

    from include.spec import FrozenSpec

_LONG_CONTEXT_TOKENS = 1_000_000


def check_model(
    client: "anthropic.Anthropic", spec: "FrozenSpec", model_id: str, *, now: dt.datetime
) -> None:
    """Ask the API whether a model can answer a spec's requests in a batch.

    Raises:
        ConfigurationError: The model is unknown, has no known price, is retired or about to be,
            has no batches or no structured outputs, cannot think as asked, answers with fewer
            tokens than the spec may ask for, or cannot take the files that the spec may send.
        AccountError: The API refuses the account.
        TransientError: The API did not answer.
    """
    read_rates(model_id, in_batch=True, is_long_prompt=False)
    try:
        with translated(f"read model {model_id}"):
            model = client.models.retrieve(model_id)
    except NotKnownError:
        msg = f"spec {spec.name}: the API does not know model {model_id!r}"
        raise ConfigurationError(msg) from None
    problems = []
    if model.lifecycle == "retired" or (model.retires_at and model.retires_at < now + BATCH_LIFE):
        problems.append(f"it is {model.lifecycle} and retires at {model.retires_at}")
    if model.capabilities and not model.capabilities.batch.supported:
        problems.append("it has no batches")
    if model.capabilities and not model.capabilities.structured_outputs.supported:
        problems.append("it has no structured outputs")
    problems.extend(_thinking_problems(model, spec))
    if model.max_tokens and spec.max_output_tokens_limit > model.max_tokens:
        problems.append(
            f"max_output_tokens_limit is {spec.max_output_tokens_limit}, it answers with at most "
            f"{model.max_tokens}"
        )
    if spec.vision:
        problems.extend(_vision_problems(model, spec))
    if problems:
        msg = f"spec {spec.name}: model {model_id} cannot be used: {'; '.join(problems)}"
        raise ConfigurationError(msg)


def _thinking_problems(model: "ModelInfo", spec: "FrozenSpec") -> "Iterator[str]":
    """Yield what the model lacks: a truncated answer is asked for again without thinking."""
    kinds = dict.fromkeys((spec.request_params["thinking"]["type"], "disabled"))
    thinking = model.capabilities.thinking if model.capabilities else None
    for kind in kinds:
        if thinking and not getattr(thinking.types, kind).supported:
            yield f"it does not take thinking {kind!r}"


def _vision_problems(model: "ModelInfo", spec: "FrozenSpec") -> "Iterator[str]":
    seen = model.capabilities
    if seen and not (seen.image_input.supported and seen.pdf_input.supported):
        yield "the spec has vision, and it takes no images or no PDFs"
    is_short = model.max_input_tokens is not None and model.max_input_tokens < _LONG_CONTEXT_TOKENS
    if is_short and spec.max_pages > MAX_PAGES_SHORT_CONTEXT:
        yield f"max_pages is {spec.max_pages}, it reads at most {MAX_PAGES_SHORT_CONTEXT}"
