"""Tasks `load_warehouse` and `load_retries`: what the rounds brought, in one transaction."""

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from include.ledger import ACCOUNT_NOTE, Entry
from include.load_inputs import LoadInputs, PendingReason, ShardParts
from include.plans import Plan, find_plan, read_plan
from include.runs import RunFiles, RunManifest
from include.shards import ShardFiles
from include.steps.plan_retries import ROUNDS
from include.warehouse.loading import LoadSummary, NightLoad, PromptVersion, load
from include.warehouse.staging import BATCHES

if TYPE_CHECKING:
    from include.ledger import Ledger
    from include.storage import ObjectStore
    from include.warehouse.session import Warehouse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunLoading:
    """What loading one run needs."""

    manifest: RunManifest
    store: "ObjectStore"
    ledger: "Ledger"
    warehouse: "Warehouse"
    work_dir: Path
    now: Callable[[], dt.datetime]

    def load_night(self) -> LoadSummary:
        """Load round 0; what may be retried stays pending."""
        return self._load([read_plan(self.store, self._files)], is_last=False)

    def load_retries(self) -> LoadSummary:
        """Load all rounds; what no round could answer ends as a dead letter, or stays pending."""
        rounds = (find_plan(self.store, self._files, n) for n in ROUNDS)
        plans = [read_plan(self.store, self._files), *(plan for plan in rounds if plan)]
        return self._load(plans, is_last=True)

    @property
    def _files(self) -> RunFiles:
        return RunFiles(self.manifest.spec.name, self.manifest.run_key)

    def _load(self, plans: Sequence[Plan], *, is_last: bool) -> LoadSummary:
        ids = dict.fromkeys(one for plan in plans for one in plan.shard_ids)
        entries = [self.ledger.read(one).record for one in ids]
        parts = self._download(entries)
        with closing(duckdb.connect(config={"temp_directory": str(self.work_dir)})) as database:
            inputs = LoadInputs(database, parts, is_last=is_last)
            self._note_waiting(inputs, plans[0], entries)
            with self.warehouse.session() as session:
                summary = load(session, self._night_load(inputs, plans[0], entries))
        self._close(entries)
        return summary

    def _download(self, entries: Iterable[Entry]) -> ShardParts:
        parts = ShardParts()
        for number, entry in enumerate(entries):
            if entry.output is None:
                continue
            for kind, key, paths in (
                ("enrichments", entry.output.enrichments_key, parts.enrichments),
                ("failures", entry.output.failures_key, parts.failures),
            ):
                path = self.work_dir / f"{kind}-{number}.parquet"
                paths.append(str(self.store.download(key, path)))
        return parts

    def _note_waiting(self, inputs: LoadInputs, plan: Plan, entries: Iterable[Entry]) -> None:
        """Say why requests without a result have none; where nothing is said they are in flight."""
        if plan.is_dry_run:
            inputs.note_all_waiting(self._indexes(plan), "spend_rejected")
        for entry in entries:
            reason = waiting_reason(entry)
            if reason is not None:
                key = ShardFiles(entry.spec, entry.shard_id).request_ids_key
                path = self.store.download(key, self.work_dir / "waiting.parquet")
                inputs.note_all_waiting([str(path)], reason)

    def _night_load(self, inputs: LoadInputs, plan: Plan, entries: Sequence[Entry]) -> NightLoad:
        spec = self.manifest.spec
        schema = spec.schema_of_answer
        slices = [
            str(self.store.download(key, self.work_dir / f"slice-{n}.parquet"))
            for n, key in enumerate(plan.unbuilt_slice_keys)
        ]
        return NightLoad(
            spec=spec.name,
            run_key=self.manifest.run_key,
            prompt_version=spec.prompt_version,
            schema=schema,
            now=self.now(),
            documents=inputs.documents(self._indexes(plan), slices),
            results=inputs.results(),
            enrichments=inputs.enrichments(schema),
            failures=inputs.failures(),
            batches=_batches(entries),
            prompt=PromptVersion(
                model=spec.model,
                prompt_text=spec.prompt_text,
                output_schema=json.dumps(schema.output_schema, sort_keys=True),
                asked_at=self.manifest.started_at,
            ),
        )

    def _indexes(self, plan: Plan) -> list[str]:
        return [
            str(self.store.download(key, self.work_dir / f"index-{n}.parquet"))
            for n, key in enumerate(plan.index_keys)
        ]

    def _close(self, entries: Iterable[Entry]) -> None:
        """Let the ledger know what the warehouse has; a crash before this repeats a merge."""

        def step(entry: Entry) -> Entry | None:
            if entry.state != "collected":
                return None
            return entry.moved(state="loaded", by=self.manifest.run_key, at=self.now())

        for entry in entries:
            if entry.state == "collected":
                self.ledger.change(entry.shard_id, step)
            if entry.output is not None:
                self.ledger.close(entry.shard_id)


def waiting_reason(entry: Entry) -> PendingReason | None:
    """Return why the requests of a shard without results have none, where it can be said."""
    if entry.output is not None:
        return None
    note = entry.history[-1].note if entry.history else ""
    if entry.state == "abandoned" and note == "spend_rejected":
        return "spend_rejected"
    return "account" if note == ACCOUNT_NOTE else None


def _batches(entries: Iterable[Entry]) -> pa.RecordBatchReader:
    rows = [
        {
            "batch_id": entry.batch_id,
            "shard_id": entry.shard_id,
            "run_key": entry.run_key,
            "round": entry.round,
            "state": "loaded" if entry.output else entry.state,
            "request_count": entry.request_count,
            "body_bytes": entry.body_bytes,
            "is_adopted": entry.is_adopted,
            "created_at": entry.batch_created_at,
            "expires_at": entry.batch_expires_at,
            "ended_at": entry.batch_ended_at,
            "collected_at": entry.output.collected_at if entry.output else None,
        }
        for entry in entries
        if entry.batch_id is not None
    ]
    return pa.Table.from_pylist(rows, schema=BATCHES).to_reader()
