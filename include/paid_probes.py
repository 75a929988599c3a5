"""What a run paid for trying requests before its first batch."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from include.costs import cost_of
from include.results import Message
from include.runs import RunFiles
from include.storage import ObjectStore


class Told(Message, frozen=True):
    """A message with its id."""

    id: str = ""


class PaidProbe(BaseModel):
    """One message that was paid for, at list price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_id: str
    model: str
    stop_reason: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal


class PaidProbes(BaseModel):
    """`preflight.json`: what a run paid before its first batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    messages: tuple[PaidProbe, ...] = ()


def paid_for(told: Told, model: str) -> PaidProbe:
    """Return what a message cost."""
    usage = told.usage
    return PaidProbe(
        message_id=told.id,
        model=model,
        stop_reason=told.stop_reason,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        cache_write_tokens=usage.cache_creation_input_tokens or 0,
        cost_usd=cost_of(model, usage).list_usd,
    )


def read_paid(store: ObjectStore, files: RunFiles) -> tuple[PaidProbe, ...]:
    """Return the messages that a run paid for before its first batch."""
    stored = store.read(files.preflight_key)
    return PaidProbes.model_validate_json(stored.data).messages if stored else ()


def add_paid(store: ObjectStore, files: RunFiles, paid: PaidProbe) -> None:
    """Keep what was paid, for the load; only one task of a run pays at a time."""
    messages = (*read_paid(store, files), paid)
    store.write(
        files.preflight_key, PaidProbes(messages=messages).model_dump_json(indent=1).encode()
    )
