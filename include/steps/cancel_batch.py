"""A person stops a batch: noted in the ledger first, then asked of the API."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from include.entries import Entry
from include.errors import LedgerStateError
from include.ledger import Ledger, read_claim

if TYPE_CHECKING:
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)

CANCELLABLE = frozenset({"intent", "planned", "submitted"})
"""States of an entry whose batch may still run; `planned` and `intent` can hold surplus ones."""


class Canceler(Protocol):
    """What of the API is needed."""

    def cancel(self, batch_id: str) -> None:
        """Ask the API to stop a batch."""


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """One batch to stop, who wants it stopped, and why."""

    batch_id: str
    by: str
    reason: str
    store: "ObjectStore"
    now: Callable[[], dt.datetime]

    def carry_out(self, api: Canceler) -> Entry:
        """Stop the batch; what is answered stays paid and is collected, the rest is asked again.

        Raises:
            LedgerStateError: Nobody has proven which shard the batch is, or it has ended.
            TransientError: The API did not answer; the batch may run on, so try again.
        """
        claim = read_claim(self.store, self.batch_id)
        entry = Ledger(self.store, claim.spec).change(claim.shard_id, self._noted)
        api.cancel(self.batch_id)
        logger.info(
            "cancel asked shard=%s batch_id=%s by=%s", claim.shard_id, self.batch_id, self.by
        )
        return entry

    def _noted(self, entry: Entry) -> Entry:
        is_surplus = self.batch_id in entry.uncollected_surplus
        if not is_surplus and (entry.batch_id != self.batch_id or entry.state not in CANCELLABLE):
            msg = (
                f"batch {self.batch_id} of shard {entry.shard_id} has nothing left to stop: the "
                f"shard is {entry.state}, its batch {entry.batch_id or 'not submitted'}"
            )
            raise LedgerStateError(msg)
        note = f"cancel of {self.batch_id} asked: {self.reason}"
        return entry.moved(state=entry.state, by=self.by, at=self.now(), note=note)
