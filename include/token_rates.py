"""Token rates: how many tokens requests will be, by what was counted, and how sure that is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TokenSource = Literal["actuals", "sample", "usual"]
"""Answers of earlier nights; a sample that the API counted; or nothing but the documentation."""
OutputSource = Literal["actuals", "other_prompt", "schema"]

UNSEEN_ERROR = 0.25
"""Relative error (one standard deviation) of what was never counted."""
_UNSEEN_OUTPUT_ERROR = 0.4
"""The same of answers of which nothing is known but the schema: models fill it as they like."""


@dataclass(frozen=True, slots=True)
class TokenSums:
    """Sums over requests of one class that were counted: `usual` tokens, and tokens."""

    count: float = 0
    usual: float = 0
    tokens: float = 0
    usual_squared: float = 0
    product: float = 0
    tokens_squared: float = 0

    def __add__(self, other: "TokenSums") -> "TokenSums":
        return TokenSums(
            self.count + other.count,
            self.usual + other.usual,
            self.tokens + other.tokens,
            self.usual_squared + other.usual_squared,
            self.product + other.product,
            self.tokens_squared + other.tokens_squared,
        )

    def __mul__(self, weight: float) -> "TokenSums":
        return TokenSums(
            self.count * weight,
            self.usual * weight,
            self.tokens * weight,
            self.usual_squared * weight,
            self.product * weight,
            self.tokens_squared * weight,
        )

    @classmethod
    def of(cls, usual: float, tokens: float) -> "TokenSums":
        """Return the sums of one request."""
        return cls(1, usual, tokens, usual**2, usual * tokens, tokens**2)

    def rate(self) -> "InputRate":
        """Return the ratio of the sums, and how far it, and one request, may be off.

        Source: the ratio estimator and its variance, any textbook on sampling.
        """
        factor = self.tokens / self.usual
        residuals = self.tokens_squared - 2 * factor * self.product + factor**2 * self.usual_squared
        deviation = math.sqrt(max(residuals, 0) / max(self.count - 1, 1))
        spread = deviation * self.count / self.tokens
        return InputRate(factor, spread / math.sqrt(self.count), spread)


@dataclass(frozen=True, slots=True)
class InputRate:
    """Tokens for each `usual` token."""

    factor: float = 1
    error: float = UNSEEN_ERROR
    """Of the factor; relative, one standard deviation."""
    spread: float = UNSEEN_ERROR
    """Of one request; relative, one standard deviation."""


@dataclass(frozen=True, slots=True)
class OutputRate:
    """Tokens of an answer, thinking included."""

    mean: float
    error: float
    """Of the mean; relative, one standard deviation."""
    spread: float
    """Of one answer; relative, one standard deviation."""


def unseen_output(mean: float) -> OutputRate:
    """Return the rate of answers that were never seen."""
    return OutputRate(mean, _UNSEEN_OUTPUT_ERROR, UNSEEN_ERROR)


@dataclass(frozen=True, kw_only=True)
class TokenRates:
    """What a forecast knows of the requests of one spec and model."""

    source: TokenSource = "usual"
    counted_count: int = 0
    """Requests whose tokens were counted."""
    inputs: Mapping[str, InputRate] = field(default_factory=dict)
    """By token class."""
    any_input: InputRate = InputRate()
    """For classes that were not counted."""
    input_error: float = 0
    """Common to all classes: what one night differs from another."""
    output_source: OutputSource = "schema"
    outputs: Mapping[str, OutputRate] = field(default_factory=dict)
    any_output: OutputRate
    output_error: float = 0
    retry_share: float | None = None
    """What retry rounds cost, for each dollar of the night itself; None when never seen."""

    def input_of(self, token_class: str | None) -> InputRate:
        """Return the rate of a class of requests."""
        return self.inputs.get(token_class or "", self.any_input)

    def output_of(self, token_class: str | None) -> OutputRate:
        """Return the rate of the answers to a class of requests."""
        return self.outputs.get(token_class or "", self.any_output)
