"""Negotiated prices: what a contract says instead of the price list."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Price = Annotated[Decimal, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NegotiatedPrices(_Part):
    """USD per million tokens, for prompts of every length."""

    input: _Price
    output: _Price
    cache_read: _Price
    cache_write: _Price
    cache_write_1h: _Price


class PriceOverride(_Part):
    """One model's prices: a share off the price list, or prices of their own."""

    discount: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    """Share taken off every price of the price list: 0.1 for ten per cent."""
    standard: NegotiatedPrices | None = None
    batch: NegotiatedPrices | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.standard is None) != (self.batch is None):
            msg = "standard and batch prices go together"
            raise ValueError(msg)
        if bool(self.discount) == (self.standard is not None):
            msg = "name a discount above 0, or standard and batch prices"
            raise ValueError(msg)
        return self
