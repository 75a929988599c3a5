"""Turns: in which order runs of all specs look at the day's budget.

One small object, changed only by conditional puts. It holds no sums: what a run may cost is read
from the entries of its shards, so nothing is reserved, and nothing leaks when a run dies.
"""

from collections.abc import Callable, Collection
from typing import Self

from pydantic import BaseModel, ConfigDict

from include.entries import Record
from include.errors import LedgerConflictError
from include.records import read_record, write_record
from include.storage import ObjectStore

KEY = "ledger/turns.json"
_TRIES = 40


class Turn(BaseModel):
    """A run that spends, or waits to hear whether it may."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_key: str
    spec: str
    shard_ids: tuple[str, ...]

    def is_of(self, run_key: str, spec: str) -> bool:
        """Return whether it is a turn of this run."""
        return (self.run_key, self.spec) == (run_key, spec)

    def without(self, shard_ids: Collection[str]) -> Self:
        """Return the turn for its other shards."""
        left = tuple(one for one in self.shard_ids if one not in shard_ids)
        return self.model_copy(update={"shard_ids": left})


class TurnList(Record):
    """`ledger/turns.json`: turns in the order in which they were taken."""

    turns: tuple[Turn, ...] = ()

    def until(self, run_key: str, spec: str) -> frozenset[str]:
        """Return the shards of a run, and of all turns that were taken before its last one."""
        mine = [n for n, one in enumerate(self.turns) if one.is_of(run_key, spec)]
        counted = self.turns[: mine[-1] + 1] if mine else self.turns
        return frozenset(shard_id for one in counted for shard_id in one.shard_ids)


class Turns:
    """The turns of one work bucket."""

    def __init__(self, store: ObjectStore) -> None:
        """Keep the turns in `store`."""
        self._store = store

    def take(self, turn: Turn) -> TurnList:
        """Take a turn after all others with those shards that the run has no turn for yet.

        What the run had stays where it is: others have counted it.

        Raises:
            LedgerConflictError: Others kept taking turns at the same time.
        """

        def step(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
            had = {
                shard_id
                for one in turns
                if one.is_of(turn.run_key, turn.spec)
                for shard_id in one.shard_ids
            }
            new = tuple(one for one in turn.shard_ids if one not in had)
            return (*turns, turn.model_copy(update={"shard_ids": new})) if new else turns

        return self._change(step)

    def give_up(self, turn: Turn) -> None:
        """Let shards of a run count no longer, while a person decides or after one said no."""

        def step(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
            left = (
                one.without(turn.shard_ids) if one.is_of(turn.run_key, turn.spec) else one
                for one in turns
            )
            return tuple(one for one in left if one.shard_ids)

        self._change(step)

    def drop_closed(self, known: TurnList, open_shard_ids: Collection[str]) -> None:
        """Forget turns of which no shard is open any more.

        Args:
            known: Turns as they were read, before the open shards were: a turn is taken for shards
                that are open.
            open_shard_ids: Of all specs.
        """
        open_ids = set(open_shard_ids)
        stale = [one for one in known.turns if open_ids.isdisjoint(one.shard_ids)]
        if stale:
            self._change(lambda turns: tuple(one for one in turns if one not in stale))

    def _change(self, step: Callable[[tuple[Turn, ...]], tuple[Turn, ...]]) -> TurnList:
        for _ in range(_TRIES):
            held = read_record(self._store, KEY, TurnList)
            now = held.record if held else TurnList()
            turns = step(now.turns)
            if turns == now.turns:
                return now
            try:
                changed = now.model_copy(update={"turns": turns})
                return write_record(self._store, KEY, changed, held).record
            except LedgerConflictError:
                continue
        msg = f"{KEY} was changed by others {_TRIES} times in a row"
        raise LedgerConflictError(msg)
