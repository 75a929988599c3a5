"""The plan of one round of a run, as it lies in the work bucket."""

from collections.abc import Collection
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from include.forecast import CostBand, Forecast
from include.planning import ShardPlan
from include.runs import RunFiles, read_model
from include.storage import ObjectStore

ROUNDS = (1, 2, 3)
"""Retry rounds after the night's own submission."""


class Plan(BaseModel):
    """`plan.json`, and `plan-<round>.json` of the retry rounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    round: int
    index_keys: tuple[str, ...]
    """Parquet files that say which document became which request."""
    known_key: str
    """Parquet: requests that the warehouse had the end of, and how it ended."""
    unbuilt_slice_keys: tuple[str, ...] = ()
    """Slices of the listing that no task could build."""
    is_dry_run: bool = False
    forecast_usd: Decimal
    """What the run buys in this round, by estimate: the sum over `own_shard_ids`."""
    forecast: Forecast | None = None
    """The same with its interval, and the retry rounds that may follow; None in older plans."""
    own_shard_ids: tuple[str, ...] = ()
    """Shards that this run buys, those of its earlier plans included."""
    shards: ShardPlan

    @property
    def cost_usd(self) -> CostBand:
        """What the run will pay, its retry rounds included."""
        if self.forecast is not None:
            return self.forecast.cost_usd
        same = self.forecast_usd
        return CostBand(expected=same, lower=same, upper=same)

    @property
    def shard_ids(self) -> list[str]:
        """The shards that the run submits and waits for."""
        return [] if self.is_dry_run else [shard.shard_id for shard in self.shards.shards]

    def without(self, shard_ids: Collection[str]) -> Self:
        """Return the plan without some of its shards."""
        kept = tuple(one for one in self.shards.shards if one.shard_id not in shard_ids)
        return self.model_copy(update={"shards": self.shards.model_copy(update={"shards": kept})})


def write_plan(store: ObjectStore, files: RunFiles, plan: Plan) -> None:
    """Keep the plan of a round; a run that plans again replaces it."""
    store.write(files.plan_key(plan.round), plan.model_dump_json(indent=1).encode())


def read_plan(store: ObjectStore, files: RunFiles, round_number: int = 0) -> Plan:
    """Return the plan of a round.

    Raises:
        PermanentError: There is none: planning has not succeeded.
    """
    return read_model(store, files.plan_key(round_number), Plan)


def find_plan(store: ObjectStore, files: RunFiles, round_number: int) -> Plan | None:
    """Return the plan of a round, or None when that round was not planned."""
    stored = store.read(files.plan_key(round_number))
    return Plan.model_validate_json(stored.data) if stored else None
