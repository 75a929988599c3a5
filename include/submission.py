"""The submit protocol: intent, one POST, and a look before anything is paid again."""

import datetime as dt
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from include.batches import (
    Batch,
    BatchesApi,
    BatchRefusedError,
    Listing,
    Posted,
    Throttled,
)
from include.entries import Entry, Intent
from include.errors import AccountError, LedgerConflictError, LedgerStateError, TransientError
from include.ledger import Ledger
from include.owners import read_owners
from include.records import Held
from include.segments import WrittenBody
from include.shards import make_body
from include.storage import ObjectStore

if TYPE_CHECKING:
    from include.config import Settings

logger = logging.getLogger(__name__)

LOOK_BACK = dt.timedelta(hours=1)
"""How long before an entry's first `t0` a batch may have been created and still be its own: more
than the API's clock and the listing's order can be off by."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The shard has a batch."""

    batch_id: str
    origin: Literal["posted", "adopted", "known"] = field(default="known", compare=False)
    """Whether this call made the batch, or found it after a lost answer, or the ledger knew it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing can be done right now; come back later."""

    reason: str
    wait_seconds: float = 0
    """What the API asked for; 0 leaves it to the caller."""


@dataclass(frozen=True)
class Submission:
    """One worker's hands on one shard."""

    shard_id: str
    run_key: str
    ledger: Ledger
    store: ObjectStore
    api: BatchesApi
    settings: "Settings"
    work_dir: Path
    now: Callable[[], dt.datetime]
    """Wall clock, for the history only: decisions use the API's clock."""
    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def advance(self) -> Submitted | Waiting:
        """Move the shard towards its batch, as far as that goes without waiting.

        Raises:
            LedgerStateError: The shard is not this run's to submit; nothing is bought.
            AccountError: The API refuses the account.
            BatchRefusedError: The API refuses the body.
        """
        held = self.ledger.read(self.shard_id)
        if held.record.surplus_batch_ids:
            self.ledger.note_surplus(held.record)  # unless a worker died before it could
        if held.record.batch_id is not None:
            return Submitted(held.record.batch_id)
        self._check_may_submit(held.record)
        try:
            return self._advance(held)
        except AccountError:
            self._note_account()
            raise

    def _advance(self, held: Held[Entry]) -> Submitted | Waiting:
        found = self._look(held.record, self._list(held.record))
        if found is not None:
            return found
        body = self._make_body(held.record)
        # The body may have taken minutes: `t0` must be now, and a lost batch may have turned up.
        # The start allowance counts from before the listing, as `t0` is the time of its first page.
        listed_at, listing = self.monotonic(), self._list(held.record)
        found = self._look(held.record, listing)
        if found is not None:
            return found
        return self._submit(held, listing, listed_at, body)

    def _list(self, entry: Entry) -> Listing:
        return self.api.list_since(entry.first_t0 - LOOK_BACK if entry.first_t0 else self.now())

    def _check_may_submit(self, entry: Entry) -> None:
        if not entry.is_open:
            why = entry.history[-1].note if entry.history else ""
            msg = f"shard {self.shard_id} is {entry.state} ({why}); nothing is bought"
            raise LedgerStateError(msg)
        if self.shard_id not in self.ledger.read_open().record.shards:
            msg = f"shard {self.shard_id} is not in open.json: its plan was overtaken; plan again"
            raise LedgerStateError(msg)
        if self.run_key not in entry.approved_by:
            msg = f"run {self.run_key} has no approval for shard {self.shard_id}"
            raise LedgerStateError(msg)

    def _make_body(self, entry: Entry) -> WrittenBody:
        body = make_body(self.store, entry, self.work_dir)
        if (body.request_count, body.byte_count) != (entry.request_count, entry.body_bytes):
            msg = (
                f"shard {self.shard_id}: the body has {body.request_count} requests and "
                f"{body.byte_count} bytes, planned were {entry.request_count} and "
                f"{entry.body_bytes}; nothing is bought"
            )
            raise LedgerStateError(msg)
        return body

    def _submit(
        self, held: Held[Entry], listing: Listing, listed_at: float, body: WrittenBody
    ) -> Submitted | Waiting:
        """Write the intent, then use it: at most one POST."""
        try:
            held = self._write_intent(held, listing.server_time)
        except LedgerConflictError:
            return Waiting("another worker moved this shard")
        self.pause(self.settings.submission_spacing_seconds)
        if self.monotonic() - listed_at > self.settings.start_allowance_seconds:
            self._withdraw(held, "the POST did not start in time")
            return Waiting("the POST did not start in time")
        logger.info(
            "submitting shard=%s requests=%d bytes=%d",
            self.shard_id,
            body.request_count,
            body.byte_count,
        )
        try:
            answer = self.api.post(body.path)
        except (AccountError, BatchRefusedError):
            self._withdraw(held, "the API refused")
            raise
        if isinstance(answer, Posted):
            return self._record(answer.batch, is_adopted=False)
        if isinstance(answer, Throttled):
            self._withdraw(held, f"throttled: {answer.reason}")
            return Waiting(f"throttled: {answer.reason}", answer.wait_seconds)
        logger.warning("unanswered shard=%s reason=%s", self.shard_id, answer.reason)
        return Waiting(f"no answer ({answer.reason}); looking before paying again")

    def _write_intent(self, held: Held[Entry], t0: dt.datetime) -> Held[Entry]:
        settings = self.settings
        allowed = (
            settings.start_allowance_seconds
            + settings.post_timeout_seconds
            + settings.settling_seconds
        )
        intent = Intent(
            t0=t0, look_until=t0 + dt.timedelta(seconds=allowed), nonce=secrets.token_hex(8)
        )
        changed = held.record.moved(
            state="intent",
            by=self.run_key,
            at=self.now(),
            intent=intent,
            first_t0=held.record.first_t0 or t0,
        )
        return self.ledger.put(held, changed)

    def _withdraw(self, held: Held[Entry], reason: str) -> None:
        """Give the intent back: this worker knows that its POST created nothing."""
        try:
            self.ledger.put(
                held, held.record.withdrawn(by=self.run_key, at=self.now(), reason=reason)
            )
        except TransientError:
            # The intent stays: the next worker looks until `look_until`, then pays. Only slower.
            logger.warning("kept intent shard=%s reason=%s", self.shard_id, reason)

    def _note_account(self) -> None:
        """Let the load tell why these requests have no answer."""

        def step(entry: Entry) -> Entry | None:
            if entry.batch_id is not None:
                return None
            return entry.noting_account(by=self.run_key, at=self.now())

        self.ledger.change(self.shard_id, step)

    def _look(self, entry: Entry, listing: Listing) -> Submitted | Waiting | None:
        """Say what stands against paying now; None when nothing does."""
        found = self._look_for_lost(entry, entry.intent, listing) if entry.intent else None
        if found is not None:
            return found
        if listing.unfinished_requests + entry.request_count > self.settings.max_requests_in_flight:
            return Waiting(f"no room: {listing.unfinished_requests} requests are in flight")
        return None

    def _look_for_lost(
        self, entry: Entry, intent: Intent, listing: Listing
    ) -> Submitted | Waiting | None:
        """Look for a batch that an earlier POST may have made."""
        undecided = 0
        for batch in self._candidates(entry, listing):
            claim = self.ledger.find_claim(batch.batch_id)
            if claim is None and not batch.is_ended:
                undecided += 1
            elif claim is None:
                if self._is_ours(entry, self.api.first_result_id(batch.batch_id)):
                    return self._record(batch, is_adopted=True)
                self._strike(batch)
            elif claim.shard_id == self.shard_id:
                return self._record(batch, is_adopted=True)
        if undecided:
            return Waiting(f"{undecided} batches may be this shard; their results will tell")
        if listing.server_time <= intent.look_until:
            return Waiting(f"a lost POST may still land until {intent.look_until:%H:%M:%S} UTC")
        return None

    def _candidates(self, entry: Entry, listing: Listing) -> list[Batch]:
        since = (entry.first_t0 or listing.server_time) - LOOK_BACK
        return [
            batch
            for batch in listing.batches
            if batch.created_at >= since
            and batch.request_count == entry.request_count
            and batch.batch_id not in entry.struck_batch_ids
        ]

    def _is_ours(self, entry: Entry, request_id: str) -> bool:
        return request_id in read_owners(self.store, entry, self.work_dir).row_of

    def _strike(self, batch: Batch) -> None:
        logger.info("struck batch=%s shard=%s", batch.batch_id, self.shard_id)

        def step(entry: Entry) -> Entry | None:
            if batch.batch_id in entry.struck_batch_ids:
                return None
            struck = (*entry.struck_batch_ids, batch.batch_id)
            return entry.model_copy(update={"struck_batch_ids": struck})

        self.ledger.change(self.shard_id, step)

    def _record(self, batch: Batch, *, is_adopted: bool) -> Submitted | Waiting:
        """Write down a batch that is proven to be this shard, whatever the entry says by now."""
        claim = self.ledger.claim(batch.batch_id, self.shard_id, now=self.now())
        if claim.shard_id != self.shard_id:
            msg = f"batch {batch.batch_id} is claimed for shard {claim.shard_id}"
            raise LedgerStateError(msg)

        def step(entry: Entry) -> Entry | None:
            if batch.batch_id in (entry.batch_id, *entry.surplus_batch_ids):
                return None
            if entry.batch_id is not None or not entry.is_open:
                surplus = (*entry.surplus_batch_ids, batch.batch_id)
                return entry.model_copy(update={"surplus_batch_ids": surplus})
            return entry.moved(
                state="submitted",
                by=self.run_key,
                at=self.now(),
                note="adopted" if is_adopted else "",
                batch_id=batch.batch_id,
                is_adopted=is_adopted,
                batch_created_at=batch.created_at,
                batch_expires_at=batch.expires_at,
            )

        entry = self.ledger.change(self.shard_id, step)
        if batch.batch_id in entry.surplus_batch_ids:
            logger.warning("surplus batch=%s shard=%s", batch.batch_id, self.shard_id)
            self.ledger.note_surplus(entry)
            self.api.cancel(batch.batch_id)
        logger.info(
            "recorded batch=%s shard=%s adopted=%s", batch.batch_id, self.shard_id, is_adopted
        )
        if entry.batch_id is None:
            msg = f"shard {self.shard_id} is {entry.state}; batch {batch.batch_id} is surplus"
            raise LedgerStateError(msg)
        if entry.batch_id != batch.batch_id:
            return Submitted(entry.batch_id)
        return Submitted(entry.batch_id, "adopted" if is_adopted else "posted")
