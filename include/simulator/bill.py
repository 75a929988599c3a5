"""What all batches cost, and what was bought twice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import resources
from typing import Any

from include.simulator.models import CATALOGUE, LONG_PROMPT_TOKENS, Tokens
from include.simulator.store import Store
from include.simulator.world import World


@dataclass
class Account:
    """What was bought, of one batch or of all."""

    batch_id: str
    workspace: str
    requests: int = 0
    succeeded: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = field(default_factory=Decimal)


@dataclass(frozen=True)
class Duplicate:
    """One question that was bought more than once."""

    workspace: str
    custom_id: str
    prompt_digest: str
    batch_ids: Sequence[str]
    """In the order of the purchases."""


def answer_all(world: World) -> None:
    """Answer what nobody has downloaded yet: only then is it known what it costs."""
    for batch in world.store.batches("ended_at IS NOT NULL AND succeeded > 0"):
        world.results.ensure_written(batch)


def accounts(store: Store) -> list[Account]:
    """Return what each batch has cost so far."""
    found: dict[str, Account] = {}
    with store.read() as connection:
        rows = connection.execute(_sql("purchases"), {"long_prompt_tokens": LONG_PROMPT_TOKENS})
        for row in rows:
            account = found.setdefault(row["batch_id"], Account(row["batch_id"], row["workspace"]))
            account.requests += row["requests"]
            account.succeeded += row["succeeded"]
            account.input_tokens += row["input_tokens"]
            account.output_tokens += row["output_tokens"]
            if model := CATALOGUE.get(row["model"]):
                sold = Tokens(
                    row["input_tokens"],
                    row["output_tokens"],
                    row["read_tokens"],
                    row["write_5m_tokens"],
                    row["write_1h_tokens"],
                )
                account.cost_usd += model.cost_usd(sold, is_long=row["is_long"])
    return list(found.values())


def duplicates(store: Store) -> list[Duplicate]:
    """Return what was bought more than once."""
    found: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    with store.read() as connection:
        for row in connection.execute(_sql("duplicates")):
            batch_ids = found[row["workspace"], row["custom_id"], row["prompt_digest"]]
            batch_ids |= {row["earlier_batch_id"]: None, row["later_batch_id"]: None}
    return [Duplicate(*question, list(batch_ids)) for question, batch_ids in found.items()]


def bill(store: Store) -> dict[str, Any]:
    """Return the whole bill, as the control plane shows it."""
    by_batch, twice, messages = accounts(store), duplicates(store), store.messages()
    batches_usd = sum((account.cost_usd for account in by_batch), Decimal())
    messages_usd = sum((Decimal(one.cost_usd) for one in messages), Decimal())
    return {
        "requests": sum(account.requests for account in by_batch),
        "succeeded": sum(account.succeeded for account in by_batch),
        "input_tokens": sum(account.input_tokens for account in by_batch),
        "output_tokens": sum(account.output_tokens for account in by_batch),
        "cost_usd": batches_usd + messages_usd,
        "messages": len(messages),
        "messages_usd": messages_usd,
        "batches": by_batch,
        "bought_twice": len(twice),
        "duplicates": twice,
    }


def _sql(name: str) -> str:
    return resources.files("include.simulator").joinpath(f"{name}.sql").read_text("utf-8")
