"""Task `reconcile_run`: proves that every document is accounted for, reports, and judges."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from include.entries import Entry
from include.errors import PermanentError
from include.night_index import note_night
from include.plans import ROUNDS, Plan, find_plan, read_plan
from include.reports import (
    FAILURES_SHOWN,
    FailureLine,
    ModelSpend,
    NightReport,
    OutcomeCount,
    StateCount,
    batch_lines,
    reason_lines,
    savings_of,
    summary_lines,
)
from include.runs import ListingManifest, RunFiles, RunManifest, read_model
from include.warehouse.reports import (
    read_failures,
    read_given_up_again,
    read_open_dead_letters,
    read_reuse,
    read_spend,
    read_spend_by_model,
    read_states,
)
from include.warehouse.runs import RunCounts, RunRow, settle_run

if TYPE_CHECKING:
    from include.ledger import Ledger
    from include.storage import ObjectStore
    from include.warehouse.session import Session, Warehouse

logger = logging.getLogger(__name__)


class RedRunError(PermanentError):
    """The night did not go as it should; its documents are accounted for all the same."""


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """What reconciling one run needs."""

    manifest: RunManifest
    failed_tasks: Sequence[str]
    """Tasks of the run that failed, or that could not run because others had."""
    store: "ObjectStore"
    ledger: "Ledger"
    warehouse: "Warehouse"
    now: Callable[[], dt.datetime]

    def reconcile(self) -> NightReport:
        """Settle the run's row, and write and log its report.

        Raises:
            CountMismatchError: Documents are missing from the counts, or counted twice.
            RedRunError: Tasks failed before there was anything to count.
        """
        try:
            listing = read_model(self.store, self._files.listing_key, ListingManifest)
            plan = read_plan(self.store, self._files)
        except PermanentError:
            raise_if_failed(self.failed_tasks)
            raise
        with self.warehouse.session() as session:
            spec, run_key = self.manifest.spec.name, self.manifest.run_key
            reasons = reason_lines(read_states(session, spec=spec, run_key=run_key).to_pylist())
            problems = (
                *self._task_problems(),
                *rate_problems(
                    reasons,
                    given_up_again=self._given_up_again(session),
                    limit=self.manifest.spec.max_dead_letter_rate,
                ),
                *_account_problems(reasons),
            )
            counts = settle_run(session, self._row(plan, listing, problems))
            report = self._report(session, plan, counts, reasons, problems)
        self.store.write(self._files.report_key, report.model_dump_json(indent=1).encode())
        note_night(self.store, report)
        for line in summary_lines(report):
            logger.info("report %s", line)
        return report

    @property
    def _files(self) -> RunFiles:
        return RunFiles(self.manifest.spec.name, self.manifest.run_key)

    def _row(self, plan: Plan, listing: ListingManifest, problems: Sequence[str]) -> RunRow:
        manifest = self.manifest
        return RunRow(
            spec=manifest.spec.name,
            run_key=manifest.run_key,
            dag_id=manifest.dag_id,
            run_id=manifest.run_id,
            run_type=manifest.run_type,
            night=manifest.night.isoformat(),
            window_start_at=manifest.window_start_at,
            window_end_at=manifest.window_end_at,
            prompt_version=manifest.spec.prompt_version,
            listed_count=listing.listed_count,
            unchanged_count=listing.unchanged_count,
            forecast_usd=plan.cost_usd.expected,
            forecast_lower_usd=plan.cost_usd.lower,
            forecast_upper_usd=plan.cost_usd.upper,
            is_complete=not self.failed_tasks and manifest.params.is_whole,
            verdict=f"red: {'; '.join(problems)}" if problems else "green",
            started_at=manifest.started_at,
            finished_at=self.now(),
        )

    def _task_problems(self) -> list[str]:
        if not self.failed_tasks:
            return []
        return [f"tasks failed: {', '.join(self.failed_tasks)}"]

    def _given_up_again(self, session: "Session") -> int:
        return read_given_up_again(
            session,
            spec=self.manifest.spec.name,
            run_key=self.manifest.run_key,
            started_at=self.manifest.started_at,
        )

    def _report(
        self,
        session: "Session",
        plan: Plan,
        counts: RunCounts,
        reasons: tuple[StateCount, ...],
        problems: tuple[str, ...],
    ) -> NightReport:
        spec, run_key = self.manifest.spec.name, self.manifest.run_key
        outcomes = tuple(
            OutcomeCount(**row)
            for row in read_spend(session, spec=spec, run_key=run_key).to_pylist()
        )
        models = tuple(
            ModelSpend(**row)
            for row in read_spend_by_model(session, spec=spec, run_key=run_key).to_pylist()
        )
        (reuse,) = read_reuse(session, spec=spec, run_key=run_key).to_pylist()
        failures = read_failures(session, spec=spec, run_key=run_key, limit=FAILURES_SHOWN)
        return NightReport(
            spec=spec,
            run_key=run_key,
            run_id=self.manifest.run_id,
            run_type=self.manifest.run_type,
            night=self.manifest.night,
            window_start_at=self.manifest.window_start_at,
            window_end_at=self.manifest.window_end_at,
            started_at=self.manifest.started_at,
            finished_at=self.now(),
            verdict="red" if problems else "green",
            problems=problems,
            listed_count=counts.listed_count,
            documents={
                "enriched": counts.enriched_count,
                "reused": counts.reused_count,
                "unchanged": counts.unchanged_count,
                "skipped": counts.skipped_count,
                "dead_letter": counts.dead_letter_count,
                "pending": counts.pending_count,
            },
            reasons=reasons,
            open_dead_letters=reason_lines(read_open_dead_letters(session, spec=spec).to_pylist()),
            needed_count=plan.shards.needed_count,
            known_count=plan.shards.known_count,
            joined_count=plan.shards.joined_count,
            bought_count=plan.shards.bought_count,
            split_count=plan.shards.split_count,
            truncated_count=plan.shards.truncated_count,
            outcomes=outcomes,
            models=models,
            savings=savings_of(models, self.manifest.caching, reuse),
            batches=batch_lines(self._entries(plan), run_key),
            forecast_usd=plan.cost_usd.expected,
            forecast=plan.forecast,
            actual_usd=counts.actual_usd,
            list_usd=sum((line.list_cost_usd for line in outcomes), Decimal(0)),
            failures=tuple(
                FailureLine(**{name: row[name] for name in FailureLine.model_fields})
                for row in failures.to_pylist()
            ),
        ).compared()

    def _entries(self, plan: Plan) -> list[Entry]:
        rounds = (find_plan(self.store, self._files, number) for number in ROUNDS)
        ids = dict.fromkeys(
            one for each in (plan, *rounds) if each is not None for one in each.shard_ids
        )
        return [self.ledger.read(one).record for one in ids]


def rate_problems(reasons: Sequence[StateCount], *, given_up_again: int, limit: float) -> list[str]:
    """Judge the rate of dead letters among the documents that a run worked on.

    Args:
        reasons: Documents by state; unchanged ones are not among them.
        given_up_again: Dead letters that were some before, and were requeued: they are no news, and
            count neither way.
        limit: The rate that is still fine, from 0 to 1.
    """
    worked_on = sum(line.document_count for line in reasons) - given_up_again
    dead = sum(line.document_count for line in reasons if line.state == "dead_letter")
    dead -= given_up_again
    # As a decimal: in binary, 29 of 100 are above a limit of 0.29.
    if dead <= Decimal(str(limit)) * worked_on:
        return []
    return [f"{dead} of {worked_on} documents are dead letters, above max_dead_letter_rate {limit}"]


def _account_problems(reasons: Sequence[StateCount]) -> list[str]:
    waiting = sum(line.document_count for line in reasons if line.state_reason == "account")
    if not waiting:
        return []
    return [f"{waiting} documents wait for the account: the API refuses its key, credit or limit"]


def raise_if_failed(failed_tasks: Sequence[str]) -> None:
    """Fail a run whose tasks failed.

    Raises:
        RedRunError: Tasks failed; they are named.
    """
    if failed_tasks:
        msg = f"tasks failed: {', '.join(failed_tasks)}"
        raise RedRunError(msg)


def raise_if_red(report: NightReport) -> None:
    """Fail the run, after everything is written down.

    Raises:
        RedRunError: The report has problems.
    """
    if report.verdict == "red":
        msg = "; ".join(report.problems)
        raise RedRunError(msg)
