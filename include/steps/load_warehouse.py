"""Tasks `load_warehouse` and `load_retries`: what the rounds brought, in one transaction."""

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from include.entries import ACCOUNT_NOTE, Entry
from include.load_inputs import LoadInputs, PendingReason
from include.paid_probes import PaidProbe, read_paid
from include.plans import ROUNDS, Plan, find_plan, read_plan
from include.result_columns import NANO
from include.runs import RunFiles, RunManifest
from include.scratch import open_scratch
from include.shard_loading import batch_rows, close_loaded, download_parts, lags_of
from include.shards import download_request_ids
from include.warehouse.loading import LoadSummary, NightLoad, PromptVersion, load
from include.warehouse.staging import RESULTS

if TYPE_CHECKING:
    from include.answers import AnswerSchema
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
        parts = download_parts(self.store, entries, self.work_dir)
        with closing(open_scratch(self.work_dir)) as database:
            inputs = LoadInputs(database, parts, is_last=is_last)
            self._note_waiting(inputs, plans[0], entries)
            with self.warehouse.session() as session:
                summary = load(session, self._night_load(inputs, plans[0], entries))
        close_loaded(self.ledger, entries, by=self.manifest.run_key, now=self.now)
        return replace(summary, lags=lags_of(entries, now=self.now()))

    def _note_waiting(self, inputs: LoadInputs, plan: Plan, entries: Iterable[Entry]) -> None:
        """Say why requests without a result have none; where nothing is said they are in flight."""
        if plan.is_dry_run:
            inputs.note_all_waiting(self._indexes(plan), "spend_rejected")
        for entry in entries:
            reason = waiting_reason(entry)
            if reason is not None:
                path = download_request_ids(self.store, entry, self.work_dir / "waiting.parquet")
                inputs.note_all_waiting([str(path)], reason)

    def _night_load(self, inputs: LoadInputs, plan: Plan, entries: Sequence[Entry]) -> NightLoad:
        spec = self.manifest.spec
        schema = spec.schema_of_answer
        slices = [
            str(self.store.download(key, self.work_dir / f"slice-{n}.parquet"))
            for n, key in enumerate(plan.unbuilt_slice_keys)
        ]
        indexes = self._indexes(plan)
        return NightLoad(
            spec=spec.name,
            run_key=self.manifest.run_key,
            prompt_version=spec.prompt_version,
            schema=schema,
            now=self.now(),
            documents=inputs.documents(indexes, slices),
            parts=inputs.parts(indexes),
            results=self._results(inputs),
            enrichments=inputs.enrichments(schema),
            part_answers=inputs.part_answers(),
            merger=spec.long_documents.merger(schema),
            failures=inputs.failures(),
            batches=batch_rows(entries),
            prompt=None if plan.is_dry_run else self._prompt_version(schema),
        )

    def _prompt_version(self, schema: "AnswerSchema") -> PromptVersion:
        """Return what this run asks, which becomes active; one that only plans asks nothing."""
        spec = self.manifest.spec
        return PromptVersion(
            model=spec.model,
            prompt_text=spec.prompt_text,
            output_schema=json.dumps(schema.output_schema, sort_keys=True),
            asked_at=self.manifest.started_at,
        )

    def _results(self, inputs: LoadInputs) -> pa.RecordBatchReader | None:
        """Stream what was paid: in batches, and for trying requests before them."""
        bought = inputs.results()
        probes = read_paid(self.store, self._files)
        if not probes:
            return bought
        tried = probe_rows(probes, run_key=self.manifest.run_key).to_batches()
        return pa.RecordBatchReader.from_batches(RESULTS, chain(bought or (), tried))

    def _indexes(self, plan: Plan) -> list[str]:
        return [
            str(self.store.download(key, self.work_dir / f"index-{n}.parquet"))
            for n, key in enumerate(plan.index_keys)
        ]


def probe_rows(probes: Iterable[PaidProbe], *, run_key: str) -> pa.Table:
    """Return the rows of `results` of messages that were tried before a run's first batch."""
    rows = [
        {
            "batch_id": probe.message_id,
            "request_id": probe.message_id,
            "run_key": run_key,
            "attempt": 0,
            "outcome": "preflight",
            "cost_usd": probe.cost_usd.quantize(NANO),
            "list_cost_usd": probe.cost_usd.quantize(NANO),
            **probe.model_dump(exclude={"message_id", "cost_usd"}),
        }
        for probe in probes
    ]
    return pa.Table.from_pylist(rows, schema=RESULTS)


def waiting_reason(entry: Entry) -> PendingReason | None:
    """Return why the requests of a shard without results have none, where it can be said."""
    if entry.output is not None:
        return None
    note = entry.history[-1].note if entry.history else ""
    if entry.state == "abandoned" and note == "spend_rejected":
        return "spend_rejected"
    return "account" if note == ACCOUNT_NOTE else None
