"""Drives the steps of a night as the DAGs do, without Airflow, against real servers."""

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.batches import BatchesApi
from include.config import Settings
from include.errors import PipelineError
from include.ledger import Ledger
from include.plans import ROUNDS, Plan
from include.probes import Probes
from include.reports import NightReport
from include.runs import RunContext, RunFiles, RunManifest, RunParams, read_manifest
from include.spec import Spec
from include.specs import load_catalog
from include.spend_gate import SpendGate
from include.steps.approve_spend import Approval
from include.steps.build_requests import BuiltSlice, build_requests
from include.steps.collect_results import Collection
from include.steps.list_documents import NightListing
from include.steps.load_warehouse import RunLoading
from include.steps.plan_retries import RetryRequests, RetryRound, read_pointer
from include.steps.plan_shards import RoundPlanning
from include.steps.reconcile_run import Reconciliation
from include.steps.sweep_ledger import LedgerSweep
from include.storage import ObjectStore
from include.submission import Submission, Submitted, Waiting
from include.token_counting import ApiTokenCounter
from include.warehouse.session import Warehouse
from local_stack.errors import StackError

if TYPE_CHECKING:
    from anthropic import Anthropic
    from mypy_boto3_s3 import S3Client

DAY = dt.datetime(2026, 11, 10, 2, tzinfo=dt.UTC)
"""A night of the past: what is in its folder is there to be read."""
DEMO_SPEED: dict[str, Any] = {
    "start_allowance_seconds": 5,
    "post_timeout_seconds": 20,
    "settling_seconds": 1,
    "submission_spacing_seconds": 0,
    "count_spacing_seconds": 0,
    "missing_recheck_seconds": 0,
    "extraction_workers": 1,
    "max_documents_per_slice": 50,
}


def night_start(night: dt.date) -> dt.datetime:
    """Return when the window of a night begins."""
    return dt.datetime.combine(night, DAY.timetz())


def wall_clock() -> dt.datetime:
    """Return the time."""
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class NightDriver:
    """One run of one spec; `run_id` decides whether a second driver is the same run."""

    s3: "S3Client"
    anthropic: "Anthropic"
    warehouse: Warehouse
    settings: Settings
    work_dir: Path
    run_id: str = "scheduled__2026-11-11T02:00:00+00:00"
    run_type: str = "scheduled"
    night: dt.datetime = DAY
    params: RunParams = field(default_factory=RunParams)
    spec: Spec = field(default_factory=lambda: load_catalog().specs["document_metadata"])
    wait_for_batch: Callable[[str], None] = lambda batch_id: None
    _folders: Any = field(default_factory=count)

    @property
    def store(self) -> ObjectStore:
        """Where the ledger and the files of runs lie."""
        return ObjectStore(self.s3, self.settings.work_bucket, self.settings.work_prefix)

    @property
    def ledger(self) -> Ledger:
        """What is known of the shards of the spec."""
        return Ledger(self.store, self.spec.name)

    @property
    def api(self) -> BatchesApi:
        """The Message Batches API."""
        return BatchesApi(self.anthropic, self.settings)

    @property
    def context(self) -> RunContext:
        """What Airflow would know of the run."""
        return RunContext(
            dag_id=f"enrich_{self.spec.name}",
            run_id=self.run_id,
            run_type=self.run_type,
            run_after=self.night + dt.timedelta(days=1),
            started_at=wall_clock(),
            interval_start=self.night,
            interval_end=self.night + dt.timedelta(days=1),
            params=self.params,
        )

    @property
    def run_key(self) -> str:
        """The run as it stands in keys and tables."""
        return self.context.run_key

    @property
    def manifest(self) -> RunManifest:
        """The spec and the window as the listing found them."""
        return read_manifest(self.store, self.spec.name, self.run_key)

    def folder(self) -> Path:
        """Make a folder for one task."""
        path = self.work_dir / f"task-{next(self._folders)}"
        path.mkdir(parents=True)
        return path

    def list_documents(self) -> list[str]:
        """List the window and return the keys of its slices."""
        listing = NightListing(
            context=self.context,
            spec=self.spec,
            store=self.store,
            ledger=self.ledger,
            documents_client=self.s3,
            warehouse=self.warehouse,
            settings=self.settings,
            work_dir=self.folder(),
            now=wall_clock,
        )
        return [part.key for part in listing.list().slices]

    def build_requests(self, slice_key: str) -> BuiltSlice:
        """Read the documents of a slice."""
        return build_requests(
            manifest=self.manifest,
            slice_key=slice_key,
            store=self.store,
            documents_client=self.s3,
            settings=self.settings,
            work_dir=self.folder(),
        )

    @property
    def planning(self) -> RoundPlanning:
        """What plans the night and its retry rounds."""
        return RoundPlanning(
            manifest=self.manifest,
            store=self.store,
            ledger=self.ledger,
            warehouse=self.warehouse,
            settings=self.settings,
            work_dir=self.folder(),
            now=wall_clock,
            open_counter=lambda: nullcontext(ApiTokenCounter(self.anthropic)),
        )

    def plan_shards(self, built: Sequence[BuiltSlice]) -> Plan:
        """Decide what is bought."""
        return self.planning.plan_night(built)

    def approval(self, plan: Plan) -> Approval:
        """Return what approves or rejects a plan."""
        return Approval(self.run_key, plan, self.ledger, wall_clock)

    def probes(self) -> Probes:
        """Return what tries requests before a batch."""
        files = RunFiles(self.spec.name, self.run_key)
        return Probes(self.anthropic, self.store, self.manifest.spec, files)

    def gate(self, plan: Plan) -> SpendGate:
        """Return the gate before the spending of a plan."""
        return SpendGate(
            approval=self.approval(plan),
            spec=self.spec.name,
            run_budget_usd=self.params.budget_usd,
            day_budget_usd=self.settings.daily_budget_usd,
            store=self.store,
            warehouse=self.warehouse,
            now=wall_clock,
        )

    def submission(self, shard_id: str) -> Submission:
        """Return the submission of a shard."""
        return Submission(
            shard_id=shard_id,
            run_key=self.run_key,
            ledger=self.ledger,
            store=self.store,
            api=self.api,
            settings=self.settings,
            work_dir=self.folder(),
            now=wall_clock,
        )

    def submit_batch(self, shard_id: str) -> Submitted | Waiting:
        """Take the submission of a shard one step on."""
        return self.submission(shard_id).advance()

    def collect_results(self, shard_id: str) -> None:
        """Bring the results of a shard to the work bucket."""
        Collection(
            shard_id=shard_id,
            run_key=self.run_key,
            ledger=self.ledger,
            store=self.store,
            api=self.api,
            settings=self.settings,
            work_dir=self.folder(),
            now=wall_clock,
        ).collect()

    def run_shard(self, shard_id: str) -> None:
        """Submit a shard, wait for its batch and collect the results.

        Raises:
            StackError: It cannot be submitted now, and nothing would change that.
        """
        submitted = self.submit_batch(shard_id)
        if not isinstance(submitted, Submitted):
            msg = f"shard {shard_id} was not submitted: {submitted}"
            raise StackError(msg)
        self.wait_for_batch(submitted.batch_id)
        self.collect_results(shard_id)

    @property
    def loading(self) -> RunLoading:
        """What loads the night and its retries."""
        return RunLoading(
            manifest=self.manifest,
            store=self.store,
            ledger=self.ledger,
            warehouse=self.warehouse,
            work_dir=self.folder(),
            now=wall_clock,
        )

    @property
    def retries(self) -> RetryRequests:
        """What is to be asked again."""
        return RetryRequests(
            manifest=self.manifest,
            ledger=self.ledger,
            store=self.store,
            settings=self.settings,
            work_dir=self.folder(),
        )

    def retry_failures(self, pointer_key: str) -> None:
        """Run the child: three rounds, then one load."""
        for number in ROUNDS:
            retry_round = RetryRound(
                number, read_pointer(self.store, pointer_key), self.retries, self.planning
            )
            plan = retry_round.plan()
            if plan is None:
                break
            for shard_id in plan.shard_ids:
                self.run_shard(shard_id)
        self.loading.load_retries()

    def reconcile_run(self, failed_tasks: Sequence[str] = ()) -> NightReport:
        """Settle the run and report."""
        return Reconciliation(
            manifest=self.manifest,
            failed_tasks=failed_tasks,
            store=self.store,
            ledger=self.ledger,
            warehouse=self.warehouse,
            now=wall_clock,
        ).reconcile()

    def sweep(self, *, now: Callable[[], dt.datetime] = wall_clock) -> LedgerSweep:
        """Return the sweep of the ledger, which is a run of its own."""
        return LedgerSweep(
            spec=self.spec.name,
            run_key="sweep",
            ledger=self.ledger,
            store=self.store,
            warehouse=self.warehouse,
            api=self.api,
            settings=self.settings,
            work_dir=self.folder(),
            now=now,
        )

    def run(self) -> NightReport:
        """Run the whole night; a shard that breaks holds up no other."""
        failed: list[str] = []
        built = []
        for slice_key in self.list_documents():
            with suppress(PipelineError):
                built.append(self.build_requests(slice_key))
        plan = self.plan_shards(built)
        self.approval(plan).grant()
        for shard_id in plan.shard_ids:
            try:
                self.run_shard(shard_id)
            except PipelineError:
                failed.append("shard")
        self.loading.load_night()
        pointer_key = self.retries.point()
        if pointer_key:
            self.retry_failures(pointer_key)
        return self.reconcile_run(failed)

    def another(self, **changes: Any) -> "NightDriver":
        """Return a driver of another run, or of the same one again."""
        return replace(self, **changes)
