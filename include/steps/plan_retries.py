"""Tasks `plan_retry` and `plan_round_<n>`: what failed in a way that another try may change."""

import datetime as dt
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from include.approvals import find_decision
from include.errors import ConfigurationError
from include.plans import ROUNDS, Plan, find_plan, read_plan
from include.request_index import INDEX_SCHEMA, RequestIndexWriter
from include.requests import escalate, is_beyond, revise
from include.runs import RunFiles, RunManifest
from include.scratch import open_scratch
from include.segments import Place, read_lines
from include.steps.approve_spend import Approval
from include.steps.plan_shards import RoundPlanning
from include.turns import Turn, Turns

if TYPE_CHECKING:
    from include.config import Settings
    from include.ledger import Ledger
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)

_NOTE_FAILURES = """
insert into failed
select request_id, outcome, coalesce(error_message, ''), 1
from read_parquet($failures)
where followup = 'retry'
qualify row_number() over (partition by request_id order by attempt desc) = 1
"""
"""What a round brought: its lines are asked differently once more."""
_NOTE_GIVEN_UP = """
insert into given_up select request_id from read_parquet($failures) where followup = 'dead_letter'
"""
_NOTE_PAID = """
insert into failed
select request_id, reason, coalesce(error_message, ''), attempts
from read_parquet($known)
where known = 'failed'
"""
"""What earlier runs paid for in vain: the first question is changed as often as it was asked."""
_RETRYABLE = """
select n.*, f.outcome, f.complaint, f.revision_count
from read_parquet($indexes) as n
join failed as f on f.request_id = n.request_id
where
    n.fixed_state is null
    and n.enrichment_id not in (
        select i.enrichment_id
        from read_parquet($indexes) as i
        join given_up as g on g.request_id = i.request_id
    )
qualify row_number() over (partition by n.request_id order by n.document_id) = 1
order by n.segment_key, n.frame_start, n.line_start
"""
"""Each failed request once, in the order of the segments. A part is not asked again for a document
of which another part was given up."""


class RetryPointer(BaseModel):
    """`retry.json`: what the child run is told; rewritten whenever the night plans anew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    spec: str
    run_key: str
    retryable_count: int
    start_until: dt.datetime
    """No round starts later."""


def read_pointer(store: "ObjectStore", key: object) -> RetryPointer:
    """Return the pointer that a child run was started with.

    Raises:
        ConfigurationError: The run was started without one, by hand perhaps.
    """
    advice = (
        "retry_failures is started by a night's plan_retry, with the key of its retry.json as "
        "conf['pointer']; to ask again by hand, run the night's DAG with the requeue param"
    )
    if not isinstance(key, str) or not key:
        msg = f"the run has no pointer: {advice}"
        raise ConfigurationError(msg)
    stored = store.read(key)
    if stored is None:
        msg = f"there is no {store.uri(key)}: {advice}"
        raise ConfigurationError(msg)
    try:
        return RetryPointer.model_validate_json(stored.data)
    except ValidationError:
        msg = f"{store.uri(key)} is no pointer: {advice}"
        raise ConfigurationError(msg) from None


@dataclass(frozen=True, kw_only=True)
class RetryRequests:
    """The requests of one run that failed, and how they are asked again."""

    manifest: RunManifest
    ledger: "Ledger"
    store: "ObjectStore"
    settings: "Settings"
    work_dir: Path

    @property
    def files(self) -> RunFiles:
        """Where the run's files lie."""
        return RunFiles(self.manifest.spec.name, self.manifest.run_key)

    def point(self) -> str | None:
        """Write the pointer to what round 0 left to retry, and return its key; None for nothing."""
        count = sum(len(rows) for rows in self._failed(0))
        if count == 0:
            return None
        window = dt.timedelta(seconds=self.settings.retry_window_seconds)
        pointer = RetryPointer(
            spec=self.manifest.spec.name,
            run_key=self.manifest.run_key,
            retryable_count=count,
            start_until=self.manifest.started_at + window,
        )
        key = self.files.key("retry.json")
        self.store.write(key, pointer.model_dump_json(indent=1).encode())
        return key

    def build_round(self, round_number: int) -> str | None:
        """Write what a round asks, and return the index's key; None when nothing is left."""
        name = f"round-{round_number}-{secrets.token_hex(4)}"
        segment_key, index_key = (
            self.files.key(f"requests/{name}.{suffix}") for suffix in ("jsonl.zst", "parquet")
        )
        segment_path, index_path = self.work_dir / "segment", self.work_dir / "index.parquet"
        with RequestIndexWriter(segment_path, index_path, segment_key=segment_key) as index:
            for rows in self._failed(round_number - 1):
                lines = read_lines(self.store, map(Place.of, rows))
                for row, line in zip(rows, lines, strict=True):
                    index.add(*self._asked_again(row, line, is_last=round_number == ROUNDS[-1]))
        if index.row_count == 0:
            return None
        self.store.upload(segment_path, segment_key)
        self.store.upload(index_path, index_key)
        return index_key

    def _asked_again(
        self, row: dict[str, Any], line: bytes, *, is_last: bool
    ) -> tuple[dict[str, Any], bytes]:
        """Return the index row and the line of a request as the next round asks it."""
        spec, outcome = self.manifest.spec, row["outcome"]
        sent = asked = line
        for _ in range(row["revision_count"]):
            sent, asked = asked, revise(asked, spec, outcome=outcome, complaint=row["complaint"])
        model = None
        if is_last and spec.escalation_model and is_beyond(sent, spec, outcome=outcome):
            asked, model = escalate(asked, spec), spec.escalation_model
        kept = {name: row[name] for name in INDEX_SCHEMA.names}
        longer = len(asked.decode()) - len(line.decode())
        characters = row["prompt_characters"] + longer
        return kept | {"prompt_characters": characters, "model": model}, asked

    def _failed(self, after_round: int) -> Iterator[list[dict[str, Any]]]:
        """Yield what a round left to retry, in parts: its index rows, with what came back."""
        plan = read_plan(self.store, self.files, after_round)
        indexes = [
            str(self.store.download(key, self.work_dir / f"index-{n}.parquet"))
            for n, key in enumerate(plan.index_keys)
        ]
        if not indexes:
            return
        with closing(open_scratch(self.work_dir)) as database:
            self._note_failed(database, plan)
            relation = database.sql(_RETRYABLE, params={"indexes": indexes})
            reader: Any = relation.to_arrow_reader(1_000)
            for batch in reader:
                yield batch.to_pylist()

    def _note_failed(self, database: duckdb.DuckDBPyConnection, plan: Plan) -> None:
        database.execute(
            "create table failed "
            "(request_id text, outcome text, complaint text, revision_count bigint)"
        )
        database.execute("create table given_up (request_id text)")
        failures = self._failure_files(plan)
        if failures:
            database.execute(_NOTE_FAILURES, {"failures": failures})
            database.execute(_NOTE_GIVEN_UP, {"failures": failures})
        if plan.round == 0:
            known = self.store.download(plan.known_key, self.work_dir / "known.parquet")
            database.execute(_NOTE_PAID, {"known": str(known)})

    def _failure_files(self, plan: Plan) -> Sequence[str]:
        outputs = (self.ledger.read(one).record.output for one in plan.shard_ids)
        return [
            str(self.store.download(output.failures_key, self.work_dir / f"failures-{n}.parquet"))
            for n, output in enumerate(outputs)
            if output is not None
        ]


@dataclass(frozen=True)
class RetryRound:
    """One retry round of one night."""

    round_number: int
    pointer: RetryPointer
    requests: RetryRequests
    planning: RoundPlanning

    @property
    def spec(self) -> str:
        """Name of the spec."""
        return self.pointer.spec

    @property
    def run_key(self) -> str:
        """The night that is retried."""
        return self.pointer.run_key

    def plan(self) -> Plan | None:
        """Ask again what the round before left; None when nothing is, or when it may not be asked.

        A round asks nobody for approval: it spends from the sum that was approved for the night.
        What lies beyond that, or begins too late, stays pending.
        """
        now = self.planning.now
        if now() > self.pointer.start_until:
            logger.warning("too late run=%s round=%d", self.run_key, self.round_number)
            return None
        index_key = self.requests.build_round(self.round_number)
        if index_key is None:
            return None
        plan = self.planning.plan_retries(self.round_number, index_key)
        covered = self._covered(plan)
        refused = plan.without(covered.shard_ids)
        if refused.shard_ids:
            logger.warning("beyond the approved sum run=%s round=%d", self.run_key, plan.round)
            self._approval(refused).refuse(by=self.run_key)
        if not covered.shard_ids:
            return None
        approval = self._approval(covered)
        waiting = tuple(approval.waiting_shard_ids)
        if waiting:
            turn = Turn(run_key=self.run_key, spec=self.spec, shard_ids=waiting)
            Turns(self.planning.store).take(turn)
        approval.grant()
        return covered

    def _approval(self, plan: Plan) -> Approval:
        return Approval(self.run_key, plan, self.planning.ledger, self.planning.now)

    def _covered(self, plan: Plan) -> Plan:
        """Return as much of a plan as the approved sum covers.

        The stronger model is what costs most: without it the rest may still be covered.
        """
        decision = find_decision(self.planning.store, self.planning.files)
        total_usd = self._total_usd()
        if decision is None or decision.covers(total_usd):
            return plan
        escalated = [
            shard
            for shard in plan.shards.shards
            if shard.model == self.requests.manifest.spec.escalation_model
        ]
        total_usd -= sum(
            (one.estimate_usd for one in escalated if one.shard_id in plan.own_shard_ids),
            Decimal(0),
        )
        is_rest_covered = bool(escalated) and decision.covers(total_usd)
        left_out = escalated if is_rest_covered else plan.shards.shards
        return plan.without([shard.shard_id for shard in left_out])

    def _total_usd(self) -> Decimal:
        """Return what the night and its rounds so far cost by estimate."""
        store, files = self.planning.store, self.planning.files
        plans = (find_plan(store, files, number) for number in range(self.round_number + 1))
        return sum((plan.forecast_usd for plan in plans if plan), Decimal(0))
