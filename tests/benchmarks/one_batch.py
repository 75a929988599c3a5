"""The largest batch there is, made and read back: by the night's own steps, and by the plain SDK.

All of it lies in one shard: 100,000 requests, just under 256 MB.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.identities import document_id
from include.planning import Planner
from include.questions import questions_about
from include.request_index import RequestIndexWriter
from include.requests import RequestBuilder, content_sha256
from include.runs import RunFiles
from include.spec import FrozenSpec
from include.specs import load_catalog
from include.submission import Submitted
from tests.benchmarks import floors
from tests.benchmarks.corpus import text_of
from tests.benchmarks.job import BenchNight, Job

Work = Callable[[], Any]
_KNOWN = pa.schema({"request_id": pa.string(), "known": pa.string()})
MEAN_CHARACTERS = 640
LIMITS = {
    "max_requests_per_shard": 100_000,
    "max_requests_in_flight": 500_000,
    "max_shard_bytes": 256_000_000,
}


def _night(job: Job) -> BenchNight:
    return job.night("one-batch", **LIMITS)


def _texts(job: Job) -> Iterator[str]:
    return (text_of(number, mean_characters=MEAN_CHARACTERS) for number in range(job.size))


def prepare(job: Job) -> Work:
    """Write the texts for the SDK, and a planned shard for the night."""
    night = _night(job)
    spec = night.spec.freeze()

    def work() -> dict[str, Any]:
        texts = Path(job.folder, "texts.json")
        texts.write_text(json.dumps(list(_texts(job))))
        index_key = _write_index(job, night, spec)
        shard_id = _plan(night, spec, index_key)
        return {"texts": str(texts), "shard_id": shard_id}

    return work


def _write_index(job: Job, night: BenchNight, spec: FrozenSpec) -> str:
    files = RunFiles(spec.name, night.run_key)
    segment, index = night.work_dir / "segment", night.work_dir / "index.parquet"
    segment_key, index_key = files.key("requests/one.jsonl.zst"), files.key("requests/one.parquet")
    builder = RequestBuilder(spec)
    with RequestIndexWriter(segment, index, segment_key=segment_key) as writer:
        for number, text in enumerate(_texts(job)):
            (question,) = questions_about(text, spec, builder)
            row = {
                "document_id": document_id(f"s3://documents/{number}", "etag:1"),
                "content_sha256": content_sha256(text),
                "characters": len(text),
            }
            writer.add(question.index_columns() | row, question.request.line)
    night.store.upload(segment, segment_key)
    night.store.upload(index, index_key)
    return index_key


def _plan(night: BenchNight, spec: FrozenSpec, index_key: str) -> str:
    """Plan one shard, and approve it."""
    planner = Planner(
        spec=spec,
        run_key=night.run_key,
        round_number=0,
        ledger=night.ledger,
        store=night.store,
        settings=night.settings,
        work_dir=night.folder(),
        now=night.sweep().now,
    )
    night.ledger.read_open()
    known = night.work_dir / "known.parquet"
    pq.write_table(_KNOWN.empty_table(), known)
    night.store.upload(known, "known.parquet")
    plan = planner.plan([index_key], lambda: "known.parquet")
    (shard,) = plan.shards
    night.ledger.change(
        shard.shard_id, lambda entry: entry.model_copy(update={"approved_by": (night.run_key,)})
    )
    return shard.shard_id


def create(job: Job) -> Work:
    """Bring the shard to its batch: segments read, body made, checked, posted, written down."""
    night = _night(job)

    def work() -> int:
        submitted = night.submit_batch(job.made["prepare"]["shard_id"])
        assert isinstance(submitted, Submitted), submitted
        return night.ledger.read(job.made["prepare"]["shard_id"]).record.body_bytes

    return work


def answer(job: Job) -> Work:
    """Let the simulator answer: it does when results are first asked for, slower than any API."""
    night = _night(job)
    batch_id = night.ledger.read(job.made["prepare"]["shard_id"]).record.batch_id

    def work() -> None:
        for one in (batch_id, job.made["sdk_create"]):
            floors.download(job, f"/v1/messages/batches/{one}/results", Path(os.devnull))

    return work


def results(job: Job) -> Work:
    """Download the results, judge every answer, write Parquet, keep the raw lines."""
    night = _night(job)
    return lambda: night.collect_results(job.made["prepare"]["shard_id"])


def sdk_create(job: Job) -> Work:
    """Ask the same with the SDK, as its documentation does."""
    client = job.anthropic().with_options(timeout=3_600)
    params = load_catalog().specs["document_metadata"].freeze().request_params

    def work() -> str:
        texts = json.loads(Path(job.made["prepare"]["texts"]).read_text())
        batch = client.messages.batches.create(
            requests=[
                {
                    "custom_id": f"document-{number}",
                    "params": {
                        "max_tokens": 1_024,
                        "messages": [{"role": "user", "content": text}],
                        **params,
                    },
                }
                for number, text in enumerate(texts)
            ]
        )
        return batch.id

    return work


def sdk_results(job: Job) -> Work:
    """Iterate over the results with the SDK, parse each answer, and write Parquet."""
    client = job.anthropic().with_options(timeout=3_600)

    def work() -> None:
        rows = []
        for line in client.messages.batches.results(job.made["sdk_create"]):
            if line.result.type == "succeeded":
                (block,) = line.result.message.content
                assert block.type == "text"
                rows.append({"id": line.custom_id, **json.loads(block.text)})
        pq.write_table(pa.Table.from_pylist(rows), Path(job.folder, "sdk.parquet"))

    return work


def floor_create(job: Job) -> Work:
    """Send a body that lies ready, from disk."""
    (body,) = Path(job.folder).rglob(f"{job.made['prepare']['shard_id']}.json")
    return lambda: floors.send(job, body)


def floor_results(job: Job) -> Work:
    """Download the results, decode lines and answers once, write Parquet, keep the raw file."""
    night = _night(job)
    batch_id = night.ledger.read(job.made["prepare"]["shard_id"]).record.batch_id

    def work() -> None:
        spool = night.work_dir / "floor.jsonl"
        floors.download(job, f"/v1/messages/batches/{batch_id}/results", spool)
        floors.write_answers(spool, night.work_dir)

    return work


STEPS = (
    prepare,
    create,
    floor_create,
    sdk_create,
    answer,
    results,
    floor_results,
    sdk_results,
)
