"""Task `resolve_shard`: a person decides about an entry that cannot move by itself."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from include.batches import Batch
from include.entries import Action, Entry
from include.errors import LedgerStateError
from include.owners import read_owners
from include.params import Params

if TYPE_CHECKING:
    from include.batches import BatchesApi
    from include.ledger import Ledger
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)

DECIDABLE = frozenset({"planned", "intent", "submitted"})
"""States a person may decide about: what has results is collected and loaded instead."""


class ResolveParams(Params):
    """What a person decides, and why."""

    refusal = "the decision is not complete"

    spec: str
    shard_id: str = Field(min_length=1)
    action: Action
    batch_id: str | None = None
    reason: str = Field(min_length=10, pattern=r"\S{2}")

    @model_validator(mode="after")
    def _batch_goes_with_adopt(self) -> Self:
        if (self.action == "adopt") != (self.batch_id is not None):
            msg = "batch_id goes with the action adopt, and only with that"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision over one entry: one conditional put, kept in its history."""

    params: ResolveParams
    by: str
    ledger: "Ledger"
    store: "ObjectStore"
    api: "BatchesApi"
    work_dir: Path
    now: Callable[[], dt.datetime]

    def carry_out(self) -> Entry:
        """Change the entry as decided.

        Raises:
            LedgerStateError: The entry is past deciding, or the batch is not this shard's.
        """
        held = self.ledger.read(self.params.shard_id)
        if held.record.state not in DECIDABLE:
            msg = (
                f"shard {self.params.shard_id} is {held.record.state}; a person decides only about "
                f"entries that are {', '.join(sorted(DECIDABLE))}"
            )
            raise LedgerStateError(msg)
        entry = self.ledger.put(held, self._decided(held.record)).record
        if entry.state == "abandoned":
            self.ledger.close(entry.shard_id)
        logger.info("resolved shard=%s action=%s", entry.shard_id, self.params.action)
        return entry

    def _decided(self, entry: Entry) -> Entry:
        note = f"{self.params.action}: {self.params.reason}"
        if self.params.action == "abandon":
            return entry.moved(state="abandoned", by=self.by, at=self.now(), note=note)
        if self.params.action == "submit_anew":
            self._refuse_if_alive(entry)
            old = (entry.batch_id,) if entry.batch_id else ()
            return entry.moved(
                state="planned",
                by=self.by,
                at=self.now(),
                note=note,
                intent=None,
                batch_id=None,
                struck_batch_ids=(*entry.struck_batch_ids, *old),
                surplus_batch_ids=(*entry.surplus_batch_ids, *old),
            )
        batch = self._proven_batch(entry)
        return entry.moved(
            state="submitted",
            by=self.by,
            at=self.now(),
            note=note,
            batch_id=batch.batch_id,
            is_adopted=True,
            batch_created_at=batch.created_at,
            batch_expires_at=batch.expires_at,
        )

    def _refuse_if_alive(self, entry: Entry) -> None:
        """Stop a second purchase of what a known batch answers."""
        batch = self.api.retrieve(entry.batch_id) if entry.batch_id else None
        if batch is not None and batch.archived_at is None:
            msg = (
                f"batch {batch.batch_id} of shard {entry.shard_id} is {batch.status}: its results "
                "are or will be there; clear wait_for_batch, or let the sweep collect them"
            )
            raise LedgerStateError(msg)

    def _proven_batch(self, entry: Entry) -> Batch:
        """Return the batch to adopt, after its results have shown that it is this shard."""
        batch_id = self.params.batch_id or ""
        batch = self.api.retrieve(batch_id)
        if batch is None or not batch.is_ended:
            msg = f"batch {batch_id} has not ended; its results must prove it before it is adopted"
            raise LedgerStateError(msg)
        owners = read_owners(self.store, entry, self.work_dir).row_of
        if batch.request_count != len(owners) or self.api.first_result_id(batch_id) not in owners:
            msg = f"batch {batch_id} is not shard {entry.shard_id}: its requests are others"
            raise LedgerStateError(msg)
        claim = self.ledger.claim(batch_id, entry.shard_id, now=self.now())
        if claim.shard_id != entry.shard_id:
            msg = f"batch {batch_id} is claimed for shard {claim.shard_id}"
            raise LedgerStateError(msg)
        return batch
