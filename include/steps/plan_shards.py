"""Task `plan_shards`, and the planning of retry rounds: what is bought, and what it will cost."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import LedgerStateError
from include.forecast import Forecast
from include.forecast_lines import log_line
from include.forecasting import Forecasting
from include.planning import Planner, ShardPlan
from include.plans import Plan, find_plan, write_plan
from include.prices import PriceList
from include.runs import ListingManifest, RunFiles, RunManifest, read_model
from include.token_sampling import OpenCounter
from include.warehouse.known_requests import read_known_requests
from include.warehouse.ledgers import read_ledger
from include.warehouse.past_usage import PAST_USED, read_past_usage
from include.warehouse.staging import NEEDED

if TYPE_CHECKING:
    from include.config import Settings
    from include.ledger import Ledger
    from include.steps.build_requests import BuiltSlice
    from include.storage import ObjectStore
    from include.warehouse.session import Warehouse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RoundPlanning:
    """What planning one round of a run needs."""

    manifest: RunManifest
    store: "ObjectStore"
    ledger: "Ledger"
    warehouse: "Warehouse"
    settings: "Settings"
    work_dir: Path
    now: Callable[[], dt.datetime]
    open_counter: OpenCounter | None = None
    """Opens what counts the tokens of a sample, should the warehouse know too few answers."""

    @property
    def files(self) -> RunFiles:
        """Where the run's files lie."""
        return RunFiles(self.manifest.spec.name, self.manifest.run_key)

    def plan_night(self, built: Sequence["BuiltSlice"]) -> Plan:
        """Plan round 0 from the slices that could be built; the others stay pending."""
        listing = read_model(self.store, self.files.listing_key, ListingManifest)
        built_keys = {one.slice_key for one in built}
        unbuilt = tuple(part.key for part in listing.slices if part.key not in built_keys)
        if unbuilt:
            logger.error("unbuilt spec=%s slices=%d", self.manifest.spec.name, len(unbuilt))
        return self._plan(0, tuple(one.index_key for one in built), unbuilt)

    def plan_retries(self, round_number: int, index_key: str) -> Plan:
        """Plan a retry round from the requests that were built for it."""
        return self._plan(round_number, (index_key,), ())

    def _plan(
        self, round_number: int, index_keys: tuple[str, ...], unbuilt: tuple[str, ...]
    ) -> Plan:
        self.store.check_conditional_writes(f"ledger/{self.manifest.spec.name}/probe")
        is_dry_run = self.manifest.params.plan_only
        earlier = find_plan(self.store, self.files, round_number)
        if earlier and earlier.is_dry_run:
            earlier = None
        planner = Planner(
            spec=self.manifest.spec,
            run_key=self.manifest.run_key,
            round_number=round_number,
            ledger=self.ledger,
            store=self.store,
            settings=self.settings,
            work_dir=self.work_dir,
            now=self.now,
            forecasting=self._forecasting(),
            forecast_before=frozenset(earlier.own_shard_ids if earlier else ()),
        )
        shards = planner.plan(
            index_keys, lambda: self._write_known(round_number, index_keys), dry_run=is_dry_run
        )
        own = self._own_estimates(earlier, shards)
        plan = Plan(
            round=round_number,
            index_keys=index_keys,
            known_key=self._known_key(round_number),
            unbuilt_slice_keys=unbuilt,
            is_dry_run=is_dry_run,
            forecast_usd=sum(own.values(), Decimal(0)),
            forecast=_whole_forecast(earlier, shards, own),
            own_shard_ids=tuple(own),
            shards=shards,
        )
        write_plan(self.store, self.files, plan)
        logger.info(
            "planned spec=%s round=%d needed=%d known=%d joined=%d bought=%d split=%d truncated=%d "
            "shards=%d %s",
            self.manifest.spec.name,
            round_number,
            plan.shards.needed_count,
            plan.shards.known_count,
            plan.shards.joined_count,
            plan.shards.bought_count,
            plan.shards.split_count,
            plan.shards.truncated_count,
            len(plan.shards.shards),
            log_line(plan.forecast),
        )
        return plan

    def _forecasting(self) -> Forecasting:
        spec = self.manifest.spec
        since = self.now() - PAST_USED
        with self.warehouse.session(read_only=True) as session:
            past = read_past_usage(
                session,
                spec=spec.name,
                model=spec.model,
                escalation_model=spec.escalation_model,
                since=since,
            )
        return Forecasting(
            prices=PriceList(self.settings.price_overrides),
            past=past,
            open_counter=self.open_counter,
            spacing_seconds=self.settings.count_spacing_seconds,
            caching=self.manifest.caching,
        )

    def _own_estimates(self, earlier: Plan | None, plan: ShardPlan) -> dict[str, Decimal]:
        """Return what this run buys, by shard: now, by its earlier plans, or by one that died."""
        entries = (
            self.ledger.read(one).record
            for one in (
                *(earlier.own_shard_ids if earlier else ()),
                *(shard.shard_id for shard in plan.shards if shard.is_joined),
            )
        )
        kept = {
            entry.shard_id: entry.estimate_usd
            for entry in entries
            if entry.run_key == self.manifest.run_key and entry.state != "abandoned"
        }
        new = {s.shard_id: s.estimate_usd for s in plan.shards if not s.is_joined}
        return kept | new

    def _write_known(self, round_number: int, index_keys: Sequence[str]) -> str:
        """Write which requests the warehouse knows the end of, and return the key."""
        spec = self.manifest.spec
        path = self.work_dir / "known.parquet"
        needed = pa.RecordBatchReader.from_batches(NEEDED, self._needed(index_keys))
        # The ledger first: what it calls loaded was in the warehouse before that.
        held = self.ledger.read_open().record
        with self.warehouse.session(read_only=True) as session:
            loaded = read_ledger(session, spec=spec.name)
            if loaded.ledger_id != held.ledger_id or loaded.shard_count < held.loaded_count:
                msg = (
                    f"the warehouse knows {loaded.shard_count} shards of ledger "
                    f"{loaded.ledger_id}, the ledger {held.ledger_id} has loaded "
                    f"{held.loaded_count}; run `make rebuild-warehouse` before anything is bought"
                )
                raise LedgerStateError(msg)
            known = read_known_requests(
                session, spec=spec.name, prompt_version=spec.prompt_version, needed=needed
            )
            with pq.ParquetWriter(path, known.schema) as writer:
                for batch in known:
                    # A retry round asks differently: a paid failure does not stand against it.
                    is_failed = pc.equal(batch.column("known"), "failed")
                    writer.write_batch(
                        batch.filter(pc.invert(is_failed)) if round_number else batch
                    )
        key = self._known_key(round_number)
        self.store.upload(path, key)
        return key

    def _known_key(self, round_number: int) -> str:
        return self.files.key(f"known-{round_number}.parquet")

    def _needed(self, index_keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for key in index_keys:
            path = self.store.download(key, self.work_dir / "needed.parquet")
            for batch in pq.ParquetFile(path).iter_batches(columns=NEEDED.names):
                asked = batch.filter(pc.is_valid(batch.column("request_id")))
                yield asked.select(NEEDED.names).cast(NEEDED)


def _whole_forecast(
    earlier: Plan | None, plan: ShardPlan, own: Mapping[str, Decimal]
) -> Forecast | None:
    """Return the forecast of all that a run buys: what is left of its earlier plan's, and this."""
    if earlier is None or earlier.forecast is None or not earlier.forecast_usd:
        return plan.forecast
    kept = sum((own[one] for one in earlier.own_shard_ids if one in own), Decimal(0))
    before = earlier.forecast.scaled(kept / earlier.forecast_usd)
    return before if plan.forecast is None else before + plan.forecast
