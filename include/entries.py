"""What is known of one shard: the entry that the ledger keeps of it."""

import datetime as dt
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

State = Literal["planned", "intent", "submitted", "ended", "collected", "loaded", "abandoned"]
OPEN_STATES: frozenset[State] = frozenset({"planned", "intent", "submitted", "ended", "collected"})
ACCOUNT_NOTE = "account"
"""In the history of an entry that waits for an account that the API refuses."""
Action = Literal["adopt", "submit_anew", "abandon"]
"""What a person may decide about an entry that cannot move by itself."""


class Record(BaseModel):
    """Base of what lies in the ledger: refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    revision: int = 0
    nonce: str = ""
    """Who wrote this revision: a lost answer is told from a lost race by it."""


class Step(BaseModel):
    """One line of an entry's history."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: dt.datetime
    state: State
    by: str
    note: str = ""
    times: int = 1
    """How often in a row; `at` is the last time."""


class Intent(BaseModel):
    """The right to POST once. All times are the API's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    t0: dt.datetime
    look_until: dt.datetime
    nonce: str


class Output(BaseModel):
    """The keys that count among those that attempts at collecting have written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt: str
    collected_at: dt.datetime
    results_key: str
    enrichments_key: str
    failures_key: str
    enrichment_count: int
    failure_count: int


class SurplusBatch(BaseModel):
    """A second batch of a shard whose results were collected: paid in vain, and accounted for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    created_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None
    output: Output


class Entry(Record):
    """What is known of one shard."""

    shard_id: str
    spec: str
    state: State
    run_key: str
    """The run that planned it."""
    round: int
    prompt_version: str
    model: str
    planning_attempt: str
    """Whose list of requests counts: each attempt at planning writes its own."""
    request_count: int
    body_bytes: int
    estimate_usd: Decimal
    list_estimate_usd: Decimal
    upper_usd: Decimal | None = None
    """The estimate at the upper end of the forecast's interval, retry rounds included."""
    approved_by: tuple[str, ...] = ()
    """Runs whose approval covers this shard."""
    intent: Intent | None = None
    first_t0: dt.datetime | None = None
    """`t0` of the first intent: nothing created an hour before it can be ours."""
    batch_id: str | None = None
    """The batch that is proven to be this shard."""
    is_adopted: bool = False
    """The batch was found, not answered."""
    batch_created_at: dt.datetime | None = None
    batch_expires_at: dt.datetime | None = None
    batch_ended_at: dt.datetime | None = None
    surplus_batch_ids: tuple[str, ...] = ()
    """Batches that are this shard too, beside `batch_id`."""
    surplus_batches: dict[str, SurplusBatch] = {}
    """Those of them whose results were collected."""
    struck_batch_ids: tuple[str, ...] = ()
    """Candidates whose results showed that they are strangers."""
    download_times: tuple[dt.datetime, ...] = ()
    """When a complete download lacked lines."""
    output: Output | None = None
    history: tuple[Step, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the shard still needs something done."""
        return self.state in OPEN_STATES

    @property
    def uncollected_surplus(self) -> list[str]:
        """Surplus batches whose results are still to be collected."""
        return [one for one in self.surplus_batch_ids if one not in self.surplus_batches]

    def moved(
        self, *, state: State, by: str, at: dt.datetime, note: str = "", **changes: Any
    ) -> Self:
        """Return this entry one step on, with the step in its history."""
        step = Step(at=at, state=state, by=by, note=note)
        return self.model_copy(update={"state": state, "history": (*self.history, step), **changes})

    def withdrawn(self, *, by: str, at: dt.datetime, reason: str) -> Self:
        """Return this entry as planned again, after an intent that created nothing.

        The step takes the intent's place, and that of an earlier step alike: an API that refuses
        for hours must not make the entry grow.
        """
        before = self.history[:-1]
        times = 1
        if before and (before[-1].state, before[-1].note) == ("planned", reason):
            times += before[-1].times
            before = before[:-1]
        step = Step(at=at, state="planned", by=by, note=reason, times=times)
        return self.model_copy(
            update={"state": "planned", "intent": None, "history": (*before, step)}
        )

    def noting_account(self, *, by: str, at: dt.datetime) -> Self | None:
        """Return this entry with a note that the account was refused; None when it has one."""
        if self.history and self.history[-1].note == ACCOUNT_NOTE:
            return None
        return self.moved(state=self.state, by=by, at=at, note=ACCOUNT_NOTE)
