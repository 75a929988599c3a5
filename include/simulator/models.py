"""The models that the simulator knows: limits, life cycle and batch prices."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Lifecycle = Literal["active", "deprecated", "retired"]

LONG_PROMPT_TOKENS = 100_000
"""Above it Haiku 5.5 costs five times as much. Source: model page, October 2026."""
_LONG_PROMPT_FACTOR = 5
_TOKENS_PER_PRICE = 1_000_000


_WRITE_5M_FACTOR = Decimal("1.25")
_WRITE_1H_FACTOR = 2
"""Of the price of input. Source: pricing page, August 2026."""


class Tokens(NamedTuple):
    """What is charged."""

    input: int
    """All of the prompts, with what was read from the cache or written to it."""
    output: int
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of the catalogue; prices are those of a batch, per million tokens."""

    model_id: str
    display_name: str
    line: str
    created_at: str
    input_usd: Decimal
    output_usd: Decimal
    lifecycle: Lifecycle = "active"
    retires_at: str | None = None
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    min_cacheable_tokens: int = 1_024
    """A shorter prefix is not cached, and nothing is said. [INFER] except for Haiku 5.5."""
    cache_read_factor: Decimal = Decimal("0.1")
    """Of the price of input."""
    has_long_prompt_price: bool = False
    has_budgeted_thinking: bool = False
    """Whether `thinking.type` may be `enabled`."""

    def cost_usd(self, tokens: Tokens, *, is_long: bool) -> Decimal:
        """Return the batch price of so many tokens, all of requests on one side of the step."""
        factor = _LONG_PROMPT_FACTOR if self.has_long_prompt_price and is_long else 1
        cached = tokens.read + tokens.write_5m + tokens.write_1h
        full = (
            tokens.input
            - cached
            + tokens.read * self.cache_read_factor
            + tokens.write_5m * _WRITE_5M_FACTOR
            + tokens.write_1h * _WRITE_1H_FACTOR
        )
        cost = full * self.input_usd + tokens.output * self.output_usd
        return factor * cost / _TOKENS_PER_PRICE


def _usd(text: str) -> Decimal:
    return Decimal(text)


CATALOGUE = {
    model.model_id: model
    for model in (
        Model(
            model_id="claude-fable-5-2",
            display_name="Claude Fable 5.2",
            line="fable",
            created_at="2026-11-09T00:00:00Z",
            input_usd=_usd("4"),
            output_usd=_usd("20"),
            cache_read_factor=Decimal("0.025"),
        ),
        Model(
            model_id="claude-haiku-5-5",
            display_name="Claude Haiku 5.5",
            line="haiku",
            created_at="2026-10-07T00:00:00Z",
            input_usd=_usd("0.05"),
            output_usd=_usd("0.25"),
            min_cacheable_tokens=512,
            has_long_prompt_price=True,
        ),
        Model(
            model_id="claude-opus-5-5",
            display_name="Claude Opus 5.5",
            line="opus",
            created_at="2026-10-07T00:00:00Z",
            input_usd=_usd("2"),
            output_usd=_usd("10"),
            cache_read_factor=Decimal("0.05"),
        ),
        Model(
            model_id="claude-sonnet-5-5",
            display_name="Claude Sonnet 5.5",
            line="sonnet",
            created_at="2026-10-07T00:00:00Z",
            input_usd=_usd("1"),
            output_usd=_usd("5"),
            cache_read_factor=Decimal("0.05"),
        ),
        Model(
            model_id="claude-opus-5",
            display_name="Claude Opus 5",
            line="opus",
            created_at="2026-07-01T00:00:00Z",
            input_usd=_usd("2.50"),
            output_usd=_usd("12.50"),
        ),
        Model(
            model_id="claude-opus-4-8",
            display_name="Claude Opus 4.8",
            line="opus",
            created_at="2026-05-01T00:00:00Z",
            input_usd=_usd("2.50"),
            output_usd=_usd("12.50"),
        ),
        Model(
            model_id="claude-sonnet-4-6",
            display_name="Claude Sonnet 4.6",
            line="sonnet",
            created_at="2026-02-17T00:00:00Z",
            input_usd=_usd("1.50"),
            output_usd=_usd("7.50"),
            has_budgeted_thinking=True,
        ),
        Model(
            model_id="claude-haiku-4-5",
            display_name="Claude Haiku 4.5",
            line="haiku",
            created_at="2025-10-15T00:00:00Z",
            input_usd=_usd("0.50"),
            output_usd=_usd("2.50"),
            min_cacheable_tokens=4_096,
            max_input_tokens=200_000,
            max_tokens=64_000,
            has_budgeted_thinking=True,
        ),
        Model(
            model_id="claude-sonnet-4-5",
            display_name="Claude Sonnet 4.5",
            line="sonnet",
            created_at="2025-09-29T00:00:00Z",
            input_usd=_usd("1.50"),
            output_usd=_usd("7.50"),
            lifecycle="deprecated",
            retires_at="2026-11-30T00:00:00Z",
            max_tokens=64_000,
            has_budgeted_thinking=True,
        ),
        Model(
            model_id="claude-3-5-haiku-20241022",
            display_name="Claude Haiku 3.5",
            line="haiku",
            created_at="2024-10-22T00:00:00Z",
            input_usd=_usd("0.40"),
            output_usd=_usd("2.00"),
            lifecycle="retired",
            retires_at="2026-02-19T00:00:00Z",
            max_input_tokens=200_000,
            max_tokens=8_192,
        ),
    )
}
"""Newest first. Source: model pages, October and November 2026; release days are approximate."""


def render(model: Model) -> dict[str, Any]:
    """Return the model as `GET /v1/models/{id}` shows it."""
    yes = {"supported": True}
    budgeted = {"supported": model.has_budgeted_thinking}
    levels = ("low", "medium", "high", "xhigh", "max")
    return {
        "id": model.model_id,
        "type": "model",
        "display_name": model.display_name,
        "created_at": model.created_at,
        "lifecycle": model.lifecycle,
        "deprecated_at": None if model.lifecycle == "active" else model.created_at,
        "retires_at": model.retires_at,
        "line": model.line,
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_tokens,
        "capabilities": {
            "batch": yes,
            "citations": yes,
            "code_execution": yes,
            "context_management": {"supported": True}
            | dict.fromkeys(
                ("clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112"), yes
            ),
            "effort": {"supported": True} | dict.fromkeys(levels, yes),
            "image_input": yes,
            "pdf_input": yes,
            "server_tools": {"supported": True, "code_execution": yes, "web_search": yes},
            "structured_outputs": yes,
            "thinking": {
                "supported": True,
                "types": {
                    "adaptive": yes,
                    "between_tools": yes,
                    "disabled": yes,
                    "enabled": budgeted,
                },
            },
        },
    }
