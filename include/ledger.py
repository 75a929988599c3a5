"""The ledger: which shard went into which batch, so that nothing is paid twice.

One small object per shard, changed only by conditional writes. `open.json` names the entries that
are not closed yet, and its `plan_number` decides between two plans at once.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Iterator
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from include.entries import Entry, Record
from include.errors import LedgerConflictError, LedgerStateError
from include.records import Held, read_record, write_record
from include.storage import ObjectStore

logger = logging.getLogger(__name__)

CHANGE_TRIES = 12
"""How often a change is applied anew to an entry that others keep changing."""


class OpenShard(BaseModel):
    """What planning needs to know of an open entry without reading it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_count: int
    estimate_usd: Decimal
    upper_usd: Decimal | None = None
    """The upper end of the forecast's interval; entries of older versions have none."""

    @property
    def most_usd(self) -> Decimal:
        """The most that the shard will probably cost."""
        return self.estimate_usd if self.upper_usd is None else self.upper_usd


class OpenLedger(Record):
    """`open.json`: the entries that are not closed, and the number of the last plan."""

    ledger_id: str
    plan_number: int = 0
    loaded_count: int = 0
    """Shards that the warehouse has; it must never know fewer."""
    shards: dict[str, OpenShard] = Field(default_factory=dict)
    surplus: dict[str, str] = Field(default_factory=dict)
    """Surplus batches whose costs the warehouse has not seen yet, each with its shard."""


class BatchClaim(Record):
    """`ledger/batches/<batch_id>.json`: proof of which shard a batch is."""

    batch_id: str
    spec: str
    shard_id: str
    claimed_at: dt.datetime


class Ledger:
    """The ledger of one spec."""

    def __init__(self, store: ObjectStore, spec: str) -> None:
        """Keep the ledger of `spec` in `store`."""
        self._store = store
        self.spec = spec

    @property
    def open_key(self) -> str:
        """Where `open.json` lies."""
        return f"ledger/{self.spec}/open.json"

    def entry_key(self, shard_id: str) -> str:
        """Return where the entry of a shard lies."""
        return f"ledger/{self.spec}/{shard_id}.json"

    def find(self, shard_id: str) -> Held[Entry] | None:
        """Return the entry of a shard, or None when there is none."""
        return read_record(self._store, self.entry_key(shard_id), Entry)

    def read(self, shard_id: str) -> Held[Entry]:
        """Return the entry of a shard.

        Raises:
            LedgerStateError: There is none.
        """
        held = self.find(shard_id)
        if held is None:
            msg = f"no ledger entry {self._store.uri(self.entry_key(shard_id))}"
            raise LedgerStateError(msg)
        return held

    def create(self, entry: Entry) -> Held[Entry]:
        """Write the first revision of an entry.

        Raises:
            LedgerConflictError: The shard has an entry that somebody else wrote.
        """
        return write_record(self._store, self.entry_key(entry.shard_id), entry, None)

    def put(self, held: Held[Entry], changed: Entry) -> Held[Entry]:
        """Write the next revision of an entry.

        Raises:
            LedgerConflictError: Somebody else changed it first.
        """
        return write_record(self._store, self.entry_key(changed.shard_id), changed, held)

    def change(self, shard_id: str, step: Callable[[Entry], Entry | None]) -> Entry:
        """Apply a step to an entry, anew whenever somebody else was faster.

        Args:
            step: Returns the changed entry, or None when there is nothing (left) to do. It must
                decide from its argument alone.
        """
        for _ in range(CHANGE_TRIES):
            held = self.read(shard_id)
            changed = step(held.record)
            if changed is None:
                return held.record
            try:
                return self.put(held, changed).record
            except LedgerConflictError:
                continue
        msg = f"entry {shard_id} was changed by others {CHANGE_TRIES} times in a row"
        raise LedgerConflictError(msg)

    def find_open(self) -> OpenLedger | None:
        """Return `open.json` without making one, for whoever only looks."""
        held = read_record(self._store, self.open_key, OpenLedger)
        return held.record if held else None

    def read_open(self) -> Held[OpenLedger]:
        """Return `open.json`, made when the ledger is new.

        Raises:
            LedgerStateError: It is missing although entries exist.
        """
        held = read_record(self._store, self.open_key, OpenLedger)
        if held is not None:
            return held
        if self._store.has_any(f"ledger/{self.spec}/"):
            held = read_record(self._store, self.open_key, OpenLedger)
            if held is not None:  # made by somebody else in between
                return held
            msg = (
                f"{self._store.uri(self.open_key)} is missing although entries exist; rebuild it "
                "from the entries before anything is bought (docs/runbook.md)"
            )
            raise LedgerStateError(msg)
        try:
            return self.put_open(None, OpenLedger(ledger_id=secrets.token_hex(16)))
        except LedgerConflictError:
            return self.read_open()

    def put_open(self, held: Held[OpenLedger] | None, changed: OpenLedger) -> Held[OpenLedger]:
        """Write the next revision of `open.json`.

        Raises:
            LedgerConflictError: Somebody else changed it first.
        """
        return write_record(self._store, self.open_key, changed, held)

    def close(self, shard_id: str) -> None:
        """Take a closed entry out of `open.json`; nothing happens when it is out already."""
        entry = self.read(shard_id).record

        def step(ledger: OpenLedger) -> OpenLedger | None:
            if shard_id not in ledger.shards:
                return None
            shards = {k: v for k, v in ledger.shards.items() if k != shard_id}
            surplus = ledger.surplus | dict.fromkeys(entry.uncollected_surplus, shard_id)
            loaded_count = ledger.loaded_count + (entry.state == "loaded")
            return ledger.model_copy(
                update={"shards": shards, "surplus": surplus, "loaded_count": loaded_count}
            )

        self._change_open(step)

    def note_surplus(self, entry: Entry) -> None:
        """Let the sweep know of the surplus batches of an entry, open or closed."""

        def step(ledger: OpenLedger) -> OpenLedger | None:
            surplus = ledger.surplus | dict.fromkeys(entry.uncollected_surplus, entry.shard_id)
            if surplus == ledger.surplus:
                return None
            return ledger.model_copy(update={"surplus": surplus})

        self._change_open(step)

    def settle_surplus(self, batch_id: str) -> None:
        """Take a surplus batch out of `open.json`: its costs are loaded, or gone."""

        def step(ledger: OpenLedger) -> OpenLedger | None:
            if batch_id not in ledger.surplus:
                return None
            surplus = {k: v for k, v in ledger.surplus.items() if k != batch_id}
            return ledger.model_copy(update={"surplus": surplus})

        self._change_open(step)

    def _change_open(self, step: Callable[[OpenLedger], OpenLedger | None]) -> None:
        for _ in range(CHANGE_TRIES):
            held = self.read_open()
            changed = step(held.record)
            if changed is None:
                return
            try:
                self.put_open(held, changed)
            except LedgerConflictError:
                continue
            return
        msg = f"open.json was changed by others {CHANGE_TRIES} times in a row"
        raise LedgerConflictError(msg)

    def find_claim(self, batch_id: str) -> BatchClaim | None:
        """Return which shard a batch is proven to be, or None."""
        held = read_record(self._store, claim_key(batch_id), BatchClaim)
        return held.record if held else None

    def claimed_batches(self) -> Iterator[str]:
        """Yield every batch that is proven to be a shard, of any spec."""
        for key in self._store.list_keys(claim_key("").removesuffix(".json")):
            yield key.rsplit("/", 1)[-1].removesuffix(".json")

    def claim(self, batch_id: str, shard_id: str, *, now: dt.datetime) -> BatchClaim:
        """Write down, once, that a batch is a shard; an earlier claim is returned as it stands."""
        claim = BatchClaim(batch_id=batch_id, spec=self.spec, shard_id=shard_id, claimed_at=now)
        try:
            return write_record(self._store, claim_key(batch_id), claim, None).record
        except LedgerConflictError:
            earlier = self.find_claim(batch_id)
            if earlier is None:
                raise
            return earlier


def list_ledgers(store: ObjectStore) -> list[str]:
    """Return the specs that have a ledger, by the key of its open entries."""
    names = store.list_folders("ledger/")
    return sorted(name for name in names if store.has_any(f"ledger/{name}/open.json"))


def claim_key(batch_id: str) -> str:
    """Return where the claim of a batch lies, whatever its spec."""
    return f"ledger/batches/{batch_id}.json"


def read_claim(store: ObjectStore, batch_id: str) -> BatchClaim:
    """Return which shard a batch is proven to be.

    Raises:
        LedgerStateError: Nobody has claimed it.
    """
    held = read_record(store, claim_key(batch_id), BatchClaim)
    if held is None:
        msg = f"batch {batch_id} is not proven to be any shard"
        raise LedgerStateError(msg)
    return held.record
