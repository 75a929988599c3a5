"""What support tickets are about, how urgent they are, and who should see them first."""

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from include.long_documents import LongDocuments
from include.spec import Source, Spec


class SupportTicketTriage(BaseModel):
    """One row per ticket."""

    is_ticket: bool = Field(
        description="Whether somebody needs something, such as help, support, repair or refund"
    )
    category: Literal[
        "outage", "bug", "how_to", "account", "billing", "feature_request", "other", "none"
    ] = Field(description="What it is about; none if it is no ticket")
    team: Literal["support", "engineering", "billing", "security", "sales"] = Field(
        description="Who should see it first; support if in doubt"
    )
    product_area: str = Field(
        max_length=60, description="The feature or product concerned, in a few words"
    )
    urgency: int = Field(
        ge=1, le=5, description="From 1, can wait, to 5, the customer's business stands still"
    )
    sentiment: float = Field(ge=-1, le=1, description="From -1, furious, to 1, delighted")
    confidence: float = Field(ge=0, le=1, description="How sure you are of category and team")
    is_blocked: bool = Field(description="Whether the customer cannot go on working")
    mentions_security: bool = Field(
        description="Whether it speaks of a leak, an intrusion or a vulnerability"
    )
    wants_refund: bool = Field(description="Whether the customer asks for money back")
    refund_amount: Decimal | None = Field(description="How much, if the ticket says so")
    refund_currency: str | None = Field(
        pattern="^[A-Z]{3}$", description="ISO 4217 code of that amount"
    )
    began_at: dt.datetime | None = Field(
        description="When the trouble began, if the ticket gives day and time"
    )
    language: str = Field(
        pattern="^[a-z]{2,3}$", description="ISO 639 code of the language it is written in"
    )
    requests: list[str] = Field(max_length=5, description="What the customer asks for, one each")
    summary: str = Field(max_length=300, description="The trouble in one sentence, without names")


SPEC = Spec(
    name="support_ticket_triage",
    answer=SupportTicketTriage,
    prompt="support_ticket_triage.md",
    source=Source(by="date_prefix", prefix="tickets/dt={ds}/"),
    key_pattern=r"^tickets/dt=(?P<received_on>[^/]+)/(?P<queue>[^/]+)/(?P<ticket_number>[^/.]+)",
    schedule="40 2 * * *",
    max_characters=40_000,
    long_documents=LongDocuments(mode="truncate"),
)
