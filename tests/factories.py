"""Data for tests: each function makes one valid thing, changed as asked."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import anthropic
import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from include.batches import BatchesApi
from include.config import Settings
from include.entries import Entry
from include.forecast import RequestPricing
from include.ledger import Ledger
from include.owners import Owners
from include.planning import Planner, ShardPlan
from include.prices import PriceList
from include.questions import questions_about
from include.reports import NightReport
from include.request_index import RequestIndexWriter
from include.requests import RequestBuilder, content_sha256
from include.spec import FrozenSpec, Source, Spec
from include.storage import ObjectStore
from include.token_rates import OutputRate, TokenRates
from tests.fakes import START, FakeClock, FakeS3

RUN = "run-1"


class NoteAnswer(BaseModel):
    """A small answer."""

    topic: str = Field(max_length=40)
    mood: Literal["Good", "Bad"]


def make_settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "documents_bucket": "documents",
        "work_bucket": "work",
        "start_allowance_seconds": 60,
        "post_timeout_seconds": 100,
        "settling_seconds": 1_000,
        "submission_spacing_seconds": 0,
        "missing_recheck_seconds": 0,
    }
    return Settings(**(values | changes))


def make_spec(**changes: Any) -> Spec:
    values: dict[str, Any] = {
        "name": "notes",
        "answer": NoteAnswer,
        "prompt": "document_metadata.md",
        "source": Source(by="last_modified", prefix="notes/"),
    }
    return Spec(**(values | changes))


def make_frozen_spec(**changes: Any) -> FrozenSpec:
    return make_spec(**changes).freeze()


def make_store(s3: FakeS3) -> ObjectStore:
    client: Any = s3
    return ObjectStore(client, "work", "nightshift")


def make_api(transport: httpx2.MockTransport, settings: Settings) -> BatchesApi:
    """Return our API over a real client, which tries everything once."""
    client = anthropic.Anthropic(
        api_key="test",
        base_url="https://api.test",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    )
    return BatchesApi(client, settings)


def make_entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "shard_id": "shard-0",
        "spec": "notes",
        "state": "planned",
        "run_key": RUN,
        "round": 0,
        "prompt_version": "prompt-1",
        "model": "claude-haiku-5-5",
        "planning_attempt": "1",
        "request_count": 2,
        "body_bytes": 100,
        "estimate_usd": Decimal("0.01"),
        "list_estimate_usd": Decimal("0.02"),
    }
    return Entry(**(values | changes))


def make_report(**changes: Any) -> NightReport:
    values: dict[str, Any] = {
        "spec": "notes",
        "run_key": RUN,
        "run_id": RUN,
        "run_type": "scheduled",
        "night": START.date(),
        "window_start_at": START,
        "window_end_at": START + dt.timedelta(days=1),
        "started_at": START,
        "finished_at": START,
        "verdict": "green",
        "problems": (),
        "listed_count": 0,
        "documents": {"enriched": 0, "pending": 0},
        "reasons": (),
        "needed_count": 0,
        "known_count": 0,
        "joined_count": 0,
        "bought_count": 0,
        "outcomes": (),
        "batches": (),
        "forecast_usd": Decimal(0),
        "actual_usd": Decimal(0),
        "list_usd": Decimal(0),
        "failures": (),
    }
    return NightReport(**(values | changes))


def make_planner(
    store: ObjectStore, work_dir: Path, *, clock: FakeClock | None = None, **changes: Any
) -> Planner:
    values: dict[str, Any] = {
        "spec": make_frozen_spec(),
        "run_key": RUN,
        "round_number": 0,
        "ledger": Ledger(store, "notes"),
        "store": store,
        "settings": make_settings(),
        "work_dir": work_dir,
        "now": clock or FakeClock(),
    }
    return Planner(**(values | changes))


def write_index(
    store: ObjectStore, work_dir: Path, texts: Sequence[str], *, spec: FrozenSpec | None = None
) -> str:
    """Write the requests of some documents as `build_requests` does, and return the index's key."""
    spec = spec or make_frozen_spec()
    builder = RequestBuilder(spec)
    name = content_sha256("\n".join((spec.model_dump_json(), *texts)))[:8]
    index_key, segment_key = f"runs/{name}.parquet", f"runs/{name}.jsonl.zst"
    segment_path, index_path = work_dir / "segment", work_dir / "index.parquet"
    with RequestIndexWriter(segment_path, index_path, segment_key=segment_key) as index:
        for number, text in enumerate(texts):
            row = {
                "document_id": f"document-{number}",
                "content_sha256": content_sha256(text),
            }
            for question in questions_about(text, spec, builder):
                index.add(row | question.index_columns(), question.request.line)
    store.upload(segment_path, segment_key)
    store.upload(index_path, index_key)
    return index_key


def write_known(store: ObjectStore, work_dir: Path, request_ids: Iterable[str] = ()) -> str:
    """Write which requests the warehouse has the end of, and return the key."""
    path = work_dir / "known.parquet"
    shape = pa.schema([("request_id", pa.string()), ("known", pa.string())])
    rows = [{"request_id": one, "known": "answer"} for one in request_ids]
    pq.write_table(pa.Table.from_pylist(rows, schema=shape), path)
    store.upload(path, "runs/known.parquet")
    return "runs/known.parquet"


def request_ids(texts: Iterable[str], spec: FrozenSpec | None = None) -> list[str]:
    builder = RequestBuilder(spec or make_frozen_spec())
    return [builder.build(text).request_id for text in texts]


def plan_shards(
    store: ObjectStore, work_dir: Path, texts: Sequence[str], **changes: Any
) -> ShardPlan:
    """Plan the requests of some documents, of which the warehouse knows nothing."""
    planner = make_planner(store, work_dir, **changes)
    index_key = write_index(store, work_dir, texts, spec=planner.spec)
    return planner.plan([index_key], lambda: write_known(store, work_dir))


def open_shard(store: ObjectStore, work_dir: Path, texts: Sequence[str], **changes: Any) -> str:
    """Write and open one shard of new requests as a plan does, without asking what is known."""
    planner = make_planner(store, work_dir, **changes)
    write_index(store, work_dir, texts, spec=planner.spec)
    rows = pq.read_table(work_dir / "index.parquet").to_pylist()
    pricing = RequestPricing(
        planner.spec.model, TokenRates(any_output=OutputRate(100, 0, 0)), PriceList()
    )
    entry = planner._write_shard(planner._new_entry(rows, pricing, Decimal("1.1")), rows)
    assert planner._put_plan(planner.ledger.read_open(), [entry])
    return entry.shard_id


def approve(ledger: Ledger, shard_ids: Iterable[str], *run_keys: str) -> None:
    """Let runs submit shards."""
    for one in shard_ids:
        ledger.change(one, lambda entry: entry.model_copy(update={"approved_by": run_keys}))


def message(text: str = '{"topic": "rain", "mood": "Good"}', **changes: Any) -> dict[str, Any]:
    """Return a message as the API words it."""
    values: dict[str, Any] = {
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1_000, "output_tokens": 100},
    }
    return values | changes


def succeeded(custom_id: str, **changes: Any) -> dict[str, Any]:
    """Return a result line with an answer."""
    return {
        "custom_id": custom_id,
        "result": {"type": "succeeded", "message": message(**changes)},
    }


def make_owners(*request_ids: str, **columns: Sequence[Any]) -> Owners:
    """Return the owners of requests, each with a document of its own unless `columns` say more."""
    values: dict[str, Sequence[Any]] = {
        "request_id": request_ids,
        "document_id": [f"document-{one}" for one in request_ids],
        "enrichment_id": request_ids,
    }
    return Owners(pa.table(values | columns))


def errored(custom_id: str, error_type: str, text: str = "no") -> dict[str, Any]:
    """Return a result line with an error, wrapped twice as the API does."""
    error = {"type": "error", "error": {"type": error_type, "message": text}}
    return {"custom_id": custom_id, "result": {"type": "errored", "error": error}}


def later(seconds: float) -> dt.datetime:
    """Return a moment after the fake clock starts."""
    return START + dt.timedelta(seconds=seconds)
