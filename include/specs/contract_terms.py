"""What contracts say: who, from when to when, for how much, and who has to do what."""

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from include.long_documents import LongDocuments
from include.spec import Source, Spec

CURRENCY = "^[A-Z]{3}$"


class Term(BaseModel):
    """How long it runs."""

    starts_on: dt.date | None = Field(description="First day on which it is in force")
    ends_on: dt.date | None = Field(description="Last day; null if it has none or does not tell")
    notice_days: int | None = Field(
        ge=0, le=3_650, description="Days of notice to end it; a month counts as 30"
    )
    renews_automatically: bool | None = Field(description="Whether it goes on unless it is ended")


class Party(BaseModel):
    """Who signs."""

    name: str = Field(max_length=200, description="The name as the contract spells it")
    role: str = Field(
        max_length=60, description="What the contract calls it, such as supplier, tenant or lender"
    )
    country: str | None = Field(pattern="^[A-Z]{2}$", description="ISO 3166 code of its seat")


class Payment(BaseModel):
    """What is paid."""

    purpose: str = Field(max_length=160, description="What it is paid for, in a few words")
    payer: str = Field(max_length=200, description="Which party pays; empty if it does not tell")
    amount: Decimal = Field(description="The amount, without its currency")
    currency: str = Field(pattern=CURRENCY, description="ISO 4217 code of the currency")
    every: Literal["once", "week", "month", "quarter", "year", "unit", "other"] = Field(
        description="How often it falls due"
    )


class Obligation(BaseModel):
    """Who has to do what."""

    party: str = Field(max_length=200, description="Who has to do it")
    duty: str = Field(max_length=300, description="What, in one sentence")
    due_on: dt.date | None = Field(description="The day by which, if the contract names one")
    is_penalized: bool = Field(description="Whether the contract names a penalty for failing")


class ContractTerms(BaseModel):
    """One row per contract, and one in the tables of its lists per party, payment and duty."""

    is_contract: bool = Field(
        description="Whether it is an agreement, such as a contract, lease, license or amendment"
    )
    contract_type: Literal[
        "sale",
        "services",
        "lease",
        "employment",
        "loan",
        "license",
        "confidentiality",
        "amendment",
        "other",
        "none",
    ] = Field(description="The kind of contract; none if it is no contract")
    title: str = Field(max_length=200, description="Its heading; empty if it has none")
    signed_on: dt.date | None = Field(description="The day on which it was signed")
    term: Term = Field(description="How long it runs")
    total_value: Decimal | None = Field(description="The value of it all, if the contract tells")
    currency: str | None = Field(pattern=CURRENCY, description="ISO 4217 code of that value")
    governing_law: str | None = Field(max_length=120, description="Whose law governs it")
    parties: list[Party] = Field(max_length=20, description="Everybody who signs")
    payments: list[Payment] = Field(max_length=40, description="Every payment that it names")
    obligations: list[Obligation] = Field(
        max_length=40, description="The main duties, the weightiest first"
    )
    summary: str = Field(max_length=600, description="What it settles, in two or three sentences")


SPEC = Spec(
    name="contract_terms",
    answer=ContractTerms,
    prompt="contract_terms.md",
    source=Source(by="date_prefix", prefix="contracts/dt={ds}/"),
    key_pattern=r"^contracts/dt=(?P<filed_on>[^/]+)/(?P<customer>[^/]+)/(?P<contract_number>[^/.]+)",
    schedule="20 2 * * *",
    max_output_tokens=4_096,
    max_output_tokens_limit=16_384,
    long_documents=LongDocuments(
        mode="split",
        max_parts=10,
        overlap_characters=2_000,
        merge={
            "is_contract": "any",
            "contract_type": "most_common",
            "title": "first",
            "signed_on": "first",
            "term": "first",
            "total_value": "first",
            "currency": "first",
            "governing_law": "first",
            "parties": "union",
            "payments": "union",
            "obligations": "union",
            "summary": "concat",
        },
    ),
)
