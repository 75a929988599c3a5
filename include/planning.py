"""Planning: which requests are bought, which are waited for, and which are answered already.

One function decides, for nights and retry rounds alike. Its put of `open.json` is the decision;
what a crash leaves before that put is never submitted.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from include.entries import Entry
from include.errors import LedgerConflictError, LimitExceededError
from include.forecast import Forecast, RequestPricing
from include.forecasting import Forecasting
from include.identities import shard_digest, shard_id
from include.joins import RequestJoins
from include.ledger import CHANGE_TRIES, Ledger, OpenLedger, OpenShard
from include.packing import IndexRow, ShardLimits, pack
from include.records import Held
from include.segments import Place, body_bytes
from include.shards import REQUEST_IDS_SCHEMA, ShardFiles, ShardSchema, download_request_ids
from include.spec import FrozenSpec
from include.storage import ObjectStore

if TYPE_CHECKING:
    from include.config import Settings

logger = logging.getLogger(__name__)

MAX_SHARDS = 1_000
"""Most shards of one run: mapped tasks end at 1,024 (`core.max_map_length`)."""
SAMPLES_PER_SHAPE = 2
"""The first may be damaged in itself."""


class RequestSample(BaseModel):
    """A request of one shape, to be tried before all others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: Literal["text", "part", "truncated", "document", "image"]
    place: Place


class PlannedShard(BaseModel):
    """A shard that a run waits for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard_id: str
    request_count: int
    body_bytes: int
    estimate_usd: Decimal
    list_estimate_usd: Decimal
    is_joined: bool
    """Another run, or an earlier try of this one, planned it."""
    model: str | None = None
    """Which model it asks."""


class ShardPlan(BaseModel):
    """What a plan decided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan_number: int
    needed_count: int
    """Distinct requests that documents of the run need an answer to."""
    known_count: int
    """Of these: answered, or dead letters, in the warehouse."""
    joined_count: int
    """Of these: in a shard that is open already."""
    bought_count: int
    """Of these: bought by this plan."""
    split_count: int = 0
    """Documents that are asked about in parts."""
    truncated_count: int = 0
    """Documents of which only the beginning is asked about."""
    samples: tuple[RequestSample, ...] = ()
    """The smallest requests of each shape."""
    forecast: Forecast | None = None
    """Of what is bought, and of shards that a plan of the run bought before it died."""
    shards: tuple[PlannedShard, ...]

    @property
    def estimate_usd(self) -> Decimal:
        """What the shards of the plan that are not joined will cost."""
        return sum((s.estimate_usd for s in self.shards if not s.is_joined), Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Planner:
    """What planning needs, for one spec and round."""

    spec: FrozenSpec
    run_key: str
    round_number: int
    ledger: Ledger
    store: ObjectStore
    settings: "Settings"
    work_dir: Path
    now: Callable[[], dt.datetime]
    forecasting: Forecasting = field(default_factory=Forecasting)
    forecast_before: frozenset[str] = frozenset()
    """Shards that an earlier forecast of the run counts."""

    def plan(
        self, index_keys: Sequence[str], write_known: Callable[[], str], *, dry_run: bool = False
    ) -> ShardPlan:
        """Decide what is bought.

        Args:
            index_keys: Parquet files of `INDEX_SCHEMA` with the requests needed.
            write_known: Returns the key of a Parquet file with the `request_id` of each that the
                warehouse has the end of. Called after `open.json` was read, every time: a shard
                that is loaded and closed in between would otherwise be in neither.
            dry_run: Decide, but plan nothing.

        Raises:
            LimitExceededError: The night would need more than `MAX_SHARDS` shards.
            LedgerConflictError: Others kept planning at the same time.
        """
        paths = [
            self.store.download(key, self.work_dir / f"index-{number}.parquet")
            for number, key in enumerate(index_keys)
        ]
        pricing: RequestPricing | None = None
        for _ in range(CHANGE_TRIES):
            held = self._without_closed(self.ledger.read_open())
            known = self.store.download(write_known(), self.work_dir / "known-requests.parquet")
            with self._joins(paths, known, held.record) as joins:
                pricing = pricing or self.forecasting.price(
                    self.spec, joins, self.store, self.now()
                )
                plan, entries = self._decide(joins, held.record, pricing, dry_run=dry_run)
            if dry_run or not entries or self._put_plan(held, entries):
                return plan
            logger.info("overtaken spec=%s plan_number=%d", self.spec.name, plan.plan_number)
        msg = f"other runs of {self.spec.name} planned {CHANGE_TRIES} times in between; try again"
        raise LedgerConflictError(msg)

    def _without_closed(self, held: Held[OpenLedger]) -> Held[OpenLedger]:
        """Finish what a crash left: entries that were closed but not taken out of `open.json`."""
        closed = [one for one in held.record.shards if not self.ledger.read(one).record.is_open]
        for one in closed:
            self.ledger.close(one)
        return self.ledger.read_open() if closed else held

    def _joins(self, paths: Sequence[Path], known: Path, open_ledger: OpenLedger) -> RequestJoins:
        joins = RequestJoins(self.work_dir, paths, known)
        for one in open_ledger.shards:
            entry = self.ledger.read(one).record
            if entry.output is None:
                path = self.work_dir / "joined.parquet"
                joins.add_open(one, download_request_ids(self.store, entry, path))
            else:
                joins.add_open(one, self._fetch(entry.output.enrichments_key))
                joins.add_failed(
                    one,
                    self._fetch(entry.output.failures_key),
                    asked_alike=entry.round >= self.round_number,
                )
        return joins

    def _fetch(self, key: str) -> Path:
        return self.store.download(key, self.work_dir / "joined.parquet")

    def _decide(
        self,
        joins: RequestJoins,
        open_ledger: OpenLedger,
        pricing: RequestPricing,
        *,
        dry_run: bool,
    ) -> tuple[ShardPlan, list[Entry]]:
        limits = ShardLimits(self.settings.max_requests_per_shard, self.settings.max_shard_bytes)
        taken = {shard.request_count for shard in open_ledger.shards.values()}
        joined = [self._joined(one) for one in joins.joined_shards()]
        self._check_count(len(joined))
        forecast = self._forecast(joins, pricing)
        shards, entries = [], []
        # A shard asks one model: its estimate and its results have one price.
        groups = groupby(joins.to_buy(), key=itemgetter("model"))
        packed = (pack(rows, limits, taken_counts=taken) for _, rows in groups)
        for rows in chain.from_iterable(packed):
            entry = self._new_entry(rows, pricing, forecast.upper_share)
            shards.append(_planned(entry, is_joined=False))
            self._check_count(len(shards) + len(joined))
            if not dry_run:
                entries.append(self._write_shard(entry, rows))
        if entries:
            shards = [
                shard.model_copy(update={"shard_id": entry.shard_id})
                for shard, entry in zip(shards, entries, strict=True)
            ]
        counts = joins.counts()
        plan = ShardPlan(
            plan_number=open_ledger.plan_number + 1,
            **counts,
            samples=tuple(map(_sample, joins.samples(SAMPLES_PER_SHAPE))),
            forecast=forecast,
            shards=(*joined, *shards),
        )
        return plan, entries

    def _forecast(self, joins: RequestJoins, pricing: RequestPricing) -> Forecast:
        entries = (self.ledger.read(one).record for one in joins.joined_shards())
        own = [
            entry.shard_id
            for entry in entries
            if entry.run_key == self.run_key and entry.shard_id not in self.forecast_before
        ]
        return pricing.forecast(joins.loads(own), lambda limits: joins.loads_above(own, limits))

    def _check_count(self, shard_count: int) -> None:
        if shard_count > MAX_SHARDS:
            msg = (
                f"{self.spec.name} needs more than {MAX_SHARDS} shards; raise "
                "max_requests_per_shard or max_shard_bytes, or use the limit param"
            )
            raise LimitExceededError(msg)

    def _joined(self, one: str) -> PlannedShard:
        entry = self.ledger.read(one).record
        return _planned(entry, is_joined=True)

    def _new_entry(
        self, rows: list[IndexRow], pricing: RequestPricing, upper_share: Decimal
    ) -> Entry:
        """Return the entry of new rows, under the id it has when its digest was never used."""
        line_bytes = sum(row["line_length"] for row in rows)
        model = rows[0]["model"] or self.spec.model
        cost = pricing.of_model(model).cost_of(rows)
        ids = sorted(row["request_id"] for row in rows)
        entry = Entry(
            shard_id=shard_id(shard_digest(ids, self.round_number), 0),
            spec=self.spec.name,
            state="planned",
            run_key=self.run_key,
            round=self.round_number,
            prompt_version=self.spec.prompt_version,
            model=model,
            planning_attempt=secrets.token_hex(4),
            request_count=len(rows),
            body_bytes=body_bytes(line_bytes, len(rows)),
            estimate_usd=cost.batch_usd,
            list_estimate_usd=cost.list_usd,
            upper_usd=(cost.batch_usd * upper_share).quantize(cost.batch_usd),
        )
        return entry.moved(state="planned", by=self.run_key, at=self.now())

    def _write_shard(self, entry: Entry, rows: list[IndexRow]) -> Entry:
        """Write what the shard needs, then its entry; an entry left by a crash is taken over."""
        for closed_count in range(CHANGE_TRIES**2):
            one = shard_id(entry.shard_id.rsplit("-", 1)[0], closed_count)
            mine = entry.model_copy(update={"shard_id": one})
            held = self.ledger.find(one)
            if held is not None and (held.record.output or not held.record.is_open):
                continue
            if held is not None and held.record.state != "planned":
                msg = f"shard {one} was submitted by a plan made at the same time"
                raise LedgerConflictError(msg)
            self._write_files(mine, rows)
            if held is None:
                return self.ledger.create(mine).record
            return self.ledger.put(held, self._taken_over(held.record, mine)).record
        msg = f"shard digest of {entry.shard_id} was closed {CHANGE_TRIES**2} times"
        raise LimitExceededError(msg)

    def _taken_over(self, left: Entry, mine: Entry) -> Entry:
        """Return a planned entry as this run's; what was learnt of its batches stays."""
        return left.moved(
            state="planned",
            by=self.run_key,
            at=self.now(),
            note="taken over",
            run_key=self.run_key,
            planning_attempt=mine.planning_attempt,
            model=mine.model,
            body_bytes=mine.body_bytes,
            estimate_usd=mine.estimate_usd,
            list_estimate_usd=mine.list_estimate_usd,
            upper_usd=mine.upper_usd,
        )

    def _write_files(self, entry: Entry, rows: list[IndexRow]) -> None:
        files = ShardFiles(entry.spec, entry.shard_id)
        path = self.work_dir / "request_ids.parquet"
        columns = {name: [row[name] for row in rows] for name in REQUEST_IDS_SCHEMA.names}
        table = pa.table(columns, schema=REQUEST_IDS_SCHEMA)
        pq.write_table(table, path)
        self.store.upload(path, files.request_ids_key(entry.planning_attempt))
        schema = ShardSchema(
            prompt_version=self.spec.prompt_version,
            model=entry.model,
            answer_schema=self.spec.answer_schema,
        )
        self.store.write(files.schema_key, schema.model_dump_json().encode())

    def _put_plan(self, held: Held[OpenLedger], entries: Iterable[Entry]) -> bool:
        """Add the entries to `open.json`: the decision. False when another plan was faster."""
        added = {
            entry.shard_id: OpenShard(
                request_count=entry.request_count,
                estimate_usd=entry.estimate_usd,
                upper_usd=entry.upper_usd,
            )
            for entry in entries
        }
        plan_number = held.record.plan_number
        for _ in range(CHANGE_TRIES):
            changed = held.record.model_copy(
                update={"plan_number": plan_number + 1, "shards": held.record.shards | added}
            )
            try:
                self.ledger.put_open(held, changed)
            except LedgerConflictError:
                held = self.ledger.read_open()
                if held.record.plan_number != plan_number:
                    return False
                continue  # only closers wrote: merge, and put again
            return True
        return False


def _sample(row: dict[str, Any]) -> RequestSample:
    return RequestSample(
        shape=row["shape"],
        place=Place(**{name: value for name, value in row.items() if name != "shape"}),
    )


def _planned(entry: Entry, *, is_joined: bool) -> PlannedShard:
    return PlannedShard(
        shard_id=entry.shard_id,
        request_count=entry.request_count,
        body_bytes=entry.body_bytes,
        estimate_usd=entry.estimate_usd,
        list_estimate_usd=entry.list_estimate_usd,
        is_joined=is_joined,
        model=entry.model,
    )
