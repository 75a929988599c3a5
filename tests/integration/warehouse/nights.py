"""Nights of a small spec, told in a few words: what is listed, and what comes of it."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, Field

from include.answers import AnswerSchema
from include.warehouse.listings import Listing, ListingResult, record_listing
from include.warehouse.loading import LoadSummary, NightLoad, PromptVersion, load
from include.warehouse.runs import RunCounts, RunRow, settle_run
from include.warehouse.staging import (
    BATCHES,
    DOCUMENTS,
    FAILURES,
    LISTED,
    RESULTS,
    enrichments_schema,
)
from tests.integration.databases import Database

SPEC = "notes"
PROMPT = "prompt-1"
MONDAY = dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Term(BaseModel):
    title: str
    amount: Decimal | None


class Answer(BaseModel):
    topic: str = Field(description="What the note's about.")
    tags: list[str]
    terms: list[Term]
    due: dt.date | None


SCHEMA = AnswerSchema.from_model(Answer)


@dataclass(frozen=True)
class Version:
    """One version of an object; its content is its own unless said otherwise."""

    key: str
    number: int = 1
    content: str = ""

    @property
    def uri(self) -> str:
        return f"s3://inbox/{self.key}"

    @property
    def document_id(self) -> str:
        return f"{self.key}@{self.number}"

    @property
    def content_sha256(self) -> str:
        return hashlib.sha256((self.content or self.document_id).encode()).hexdigest()

    def request_id(self, prompt_version: str = PROMPT) -> str:
        return f"{prompt_version}:{self.content_sha256[:12]}"


class Nights:
    """A warehouse, and the runs that fill it."""

    def __init__(self, database: Database, spec: str = SPEC) -> None:
        self.database = database
        self.spec = spec
        self.warehouse = database.open()

    def list_versions(
        self, run: str, *versions: Version, at: dt.datetime = MONDAY, **how: Any
    ) -> tuple[ListingResult, list[str]]:
        """Record a listing; return its counts and the ids of the documents taken up."""
        listing = Listing(spec=self.spec, run_key=run, now=at, **{"prompt_version": PROMPT, **how})
        rows = [
            {
                "document_id": version.document_id,
                "document_uri": version.uri,
                "bucket": "inbox",
                "object_key": version.key,
                "object_version": f"v:{version.number}",
                "size_bytes": 100,
                "last_modified_at": MONDAY - 10 * DAY + version.number * HOUR,
                "storage_class": "STANDARD",
            }
            for version in versions
        ]
        with self.warehouse.session() as session:
            result = record_listing(session, listing, reader(rows, LISTED))
            taken = result.documents.read_all()["document_id"].to_pylist()
        return result, taken

    def load(
        self,
        run: str,
        outcomes: Mapping[Version, str] | Sequence[tuple[Version, str]],
        *,
        at: dt.datetime = MONDAY + HOUR,
        prompt: str = PROMPT,
        bought_by: str | None = None,
        **how: Any,
    ) -> LoadSummary:
        """Load what became of documents.

        An outcome is `answered`, `asked` (no answer yet), `failed <reason>`, `failing <reason>`,
        or a fixed state with its reason, such as `skipped empty`. Requests of equal content were
        bought for the first document named.
        """
        pairs = list(outcomes.items() if isinstance(outcomes, Mapping) else outcomes)
        values: dict[str, Any] = {
            "spec": self.spec,
            "run_key": run,
            "prompt_version": prompt,
            "schema": SCHEMA,
            "now": at,
            "documents": reader([_document(*pair, prompt) for pair in pairs], DOCUMENTS),
            "results": reader(_results(pairs, prompt, bought_by or run), RESULTS),
            "enrichments": reader(_enrichments(pairs, prompt), enrichments_schema(SCHEMA)),
            "failures": reader(_failures(pairs, prompt), FAILURES),
            "batches": reader(_batches(pairs, bought_by or run), BATCHES),
            "prompt": PromptVersion(
                model="claude", prompt_text="Read.", output_schema="{}", asked_at=at
            ),
        }
        night = NightLoad(**(values | how))
        with self.warehouse.session() as session:
            return load(session, night)

    def settle(self, run: str, listing: ListingResult, **changes: Any) -> RunCounts:
        row = {
            "spec": self.spec,
            "run_key": run,
            "dag_id": "enrich_notes",
            "run_id": run,
            "run_type": "scheduled",
            "night": "2026-03-01",
            "window_start_at": MONDAY - DAY,
            "window_end_at": MONDAY,
            "prompt_version": PROMPT,
            "listed_count": listing.taken_count + listing.unchanged_count,
            "unchanged_count": listing.unchanged_count,
            "forecast_usd": Decimal("0.25"),
            "is_complete": True,
            "verdict": "complete",
            "started_at": MONDAY,
            "finished_at": MONDAY + 2 * HOUR,
        }
        with self.warehouse.session() as session:
            return settle_run(session, RunRow(**(row | changes)))

    def rows(self, text: str) -> list[dict[str, Any]]:
        """Return what a query finds."""
        return self.database.rows(text)

    def states(self, run: str) -> dict[str, str]:
        """Return how a run left its documents: state, and reason if there is one."""
        return self._states(f"nightshift.document_states where run_key = '{run}'")

    def latest(self) -> dict[str, str]:
        """Return the latest state of every document."""
        return self._states("nightshift.documents")

    def letters(self) -> dict[str, str]:
        """Return every dead letter's resolution, or that it is open."""
        rows = self.rows("select document_id, resolution from nightshift.dead_letters")
        return {row["document_id"]: row["resolution"] or "open" for row in rows}

    def everything(self) -> dict[str, Counter[str]]:
        """Return all rows of all tables and views, in no order."""
        return self.database.everything()

    def _states(self, source: str) -> dict[str, str]:
        rows = self.rows(f"from {source}")
        return {
            row["document_id"]: " ".join(filter(None, (row["state"], row["state_reason"])))
            for row in rows
        }


def reader(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatchReader:
    """Return rows as they are handed to the warehouse."""
    return pa.Table.from_pylist(list(rows), schema=schema).to_reader()


def _document(version: Version, outcome: str, prompt: str) -> dict[str, Any]:
    state, _, reason = outcome.partition(" ")
    row: dict[str, Any] = {
        "document_id": version.document_id,
        "content_sha256": version.content_sha256,
        "media_type": "text/plain",
        "extraction_outcome": "text",
        "characters": 12,
    }
    if state in {"answered", "asked", "failed", "failing"}:
        return row | {"enrichment_id": version.request_id(prompt)}
    return row | {"fixed_state": state, "fixed_reason": reason}


def _results(pairs: Sequence[tuple[Version, str]], prompt: str, run: str) -> list[dict[str, Any]]:
    bought = {
        version.request_id(prompt): (version, outcome)
        for version, outcome in reversed(pairs)
        if outcome.startswith(("answered", "fail"))
    }
    return [
        {
            "batch_id": f"batch-{run}",
            "request_id": request_id,
            "enrichment_id": request_id,
            "document_id": version.document_id,
            "run_key": run,
            "attempt": 1,
            "outcome": "succeeded" if outcome == "answered" else outcome.partition(" ")[2],
            "model": "claude",
            "input_tokens": 100,
            "output_tokens": 10,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "thinking_tokens": 2,
            "prompt_characters": 251,
            "token_class": "plain-short",
            "cost_usd": Decimal("0.01"),
            "list_cost_usd": Decimal("0.02"),
        }
        for request_id, (version, outcome) in bought.items()
    ]


def _enrichments(pairs: Sequence[tuple[Version, str]], prompt: str) -> list[dict[str, Any]]:
    return [
        {
            "enrichment_id": version.request_id(prompt),
            "prompt_version": prompt,
            "answer_model": "claude",
            "is_simulated": True,
            "topic": version.key,
            "tags": ["first", "second"],
            "terms": [{"title": version.document_id, "amount": Decimal("1.50")}, {"title": "b"}],
            "due": None,
        }
        for version, outcome in pairs
        if outcome == "answered"
    ]


def _failures(pairs: Sequence[tuple[Version, str]], prompt: str) -> list[dict[str, Any]]:
    return [
        {
            "request_id": version.request_id(prompt),
            "reason": outcome.partition(" ")[2],
            "error_type": "model",
            "error_message": "no",
            "attempts": 1,
            "last_batch_id": "batch-last",
            "is_final": outcome.startswith("failed"),
        }
        for version, outcome in pairs
        if outcome.startswith("fail")
    ]


def _batches(pairs: Sequence[tuple[Version, str]], run: str) -> list[dict[str, Any]]:
    if not any(outcome.startswith(("answered", "fail")) for _, outcome in pairs):
        return []
    return [
        {
            "batch_id": f"batch-{run}",
            "shard_id": f"shard-{run}",
            "run_key": run,
            "round": 0,
            "state": "ended",
            "request_count": len(pairs),
            "body_bytes": 1000,
            "is_adopted": False,
            "created_at": MONDAY,
            "collected_at": MONDAY + HOUR,
        }
    ]
