"""The stages of a night, each as it is measured: open first, then work."""

from collections import deque
from collections.abc import Callable
from typing import Any

from include.documents.extraction import ExtractionLimits
from include.documents.fetching import fetch_and_extract
from include.documents.pool import ExtractionPool
from include.plans import read_plan
from include.runs import RunFiles
from include.steps.build_requests import BuiltSlice
from include.steps.listed_rows import read_listed
from include.submission import Submitted
from tests.benchmarks.job import Job

Work = Callable[[], Any]


def list_documents(job: Job) -> Work:
    """List the bucket, and cut what is new into slices."""
    return job.night("list").list_documents


def fetch(job: Job) -> Work:
    """Fetch and extract alone; it is a part of `build`."""
    night = job.night("fetch")

    def work() -> None:
        for key in job.made["list_documents"]:
            path = night.store.download(key, night.folder() / "slice.parquet")
            objects = (listed for _, listed in read_listed(path))
            settings = night.settings
            with ExtractionPool(
                ExtractionLimits.of(settings), workers=settings.extraction_workers
            ) as pool:
                found = fetch_and_extract(
                    night.s3, objects, pool, fetch_threads=settings.fetch_threads
                )
                deque(found, maxlen=0)

    return work


def build(job: Job) -> Work:
    """Fetch, extract, and write the requests with their index."""
    night = job.night("build")

    def work() -> list[list[str]]:
        built = [night.build_requests(key) for key in job.made["list_documents"]]
        return [[one.slice_key, one.index_key] for one in built]

    return work


def plan(job: Job) -> Work:
    """Decide what is bought, and approve it."""
    night = job.night("plan")

    def work() -> list[str]:
        made = night.plan_shards([BuiltSlice(*one) for one in job.made["build"]])
        night.approval(made).grant()
        return list(made.shard_ids)

    return work


def submit(job: Job) -> Work:
    """Bring every shard to its batch."""
    night = job.night("submit")

    def work() -> int:
        for one in job.made["plan"]:
            submitted = night.submit_batch(one)
            assert isinstance(submitted, Submitted), submitted
        plan = read_plan(night.store, RunFiles(night.spec.name, night.run_key))
        return sum(shard.body_bytes for shard in plan.shards.shards)

    return work


def answer(job: Job) -> Work:
    """Let the simulator answer: it does when results are first asked for, slower than any API."""
    night = job.night("answer")

    def work() -> None:
        for one in job.made["plan"]:
            batch_id = night.ledger.read(one).record.batch_id
            with night.api.results(str(batch_id)) as chunks:
                deque(chunks, maxlen=0)

    return work


def collect(job: Job) -> Work:
    """Download, judge and write down every shard's results."""
    night = job.night("collect")

    def work() -> None:
        for one in job.made["plan"]:
            night.collect_results(one)

    return work


def load(job: Job) -> Work:
    """Load everything in one transaction."""
    night = job.night("load")

    def work() -> None:
        night.loading.load_night()

    return work


def reconcile(job: Job) -> Work:
    """Count everything, and say how the night went."""
    night = job.night("reconcile")

    def work() -> dict[str, Any]:
        report = night.reconcile_run()
        assert report.verdict == "green", report
        return {"listed": report.listed_count}

    return work


STAGES = (list_documents, fetch, build, plan, submit, answer, collect, load, reconcile)
