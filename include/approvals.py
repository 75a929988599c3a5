"""`approval.json`: what was decided about a run's spend, and up to which sum."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from include.runs import RunFiles

if TYPE_CHECKING:
    from include.storage import ObjectStore

_RETRY_ALLOWANCE = Decimal("1.1")
"""What is answered badly is asked again: rarely more than a tenth of a night."""


class SpendDecision(BaseModel):
    """Who let a run submit its shards, or did not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    is_granted: bool
    limit_usd: Decimal | None
    """Most that the run may spend by estimate, its retry rounds included; None without a budget."""
    estimate_usd: Decimal
    by: str
    at: dt.datetime

    def covers(self, estimate_usd: Decimal) -> bool:
        """Return whether so much was approved."""
        return self.is_granted and (self.limit_usd is None or estimate_usd <= self.limit_usd)


def with_retries(estimate_usd: Decimal) -> Decimal:
    """Return the sum that an approval of an estimate stands for."""
    return estimate_usd * _RETRY_ALLOWANCE


def write_decision(store: "ObjectStore", files: RunFiles, decision: SpendDecision) -> None:
    """Keep the decision over the run's last plan."""
    store.write(files.approval_key, decision.model_dump_json(indent=1).encode())


def find_decision(store: "ObjectStore", files: RunFiles) -> SpendDecision | None:
    """Return the decision over a run, or None when nobody has decided."""
    stored = store.read(files.approval_key)
    return SpendDecision.model_validate_json(stored.data) if stored else None
