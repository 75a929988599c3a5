"""Two nights that never change, on which the queries of `docs/queries.md` are run.

The first was a trial against the simulator; the second asked the API.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from include.specs import load_catalog
from include.warehouse.keys import record_keys
from include.warehouse.listings import Listing, mark_deleted, record_listing
from include.warehouse.loading import NightLoad, PromptVersion, load
from include.warehouse.runs import RunRow, settle_run
from include.warehouse.staging import (
    BATCHES,
    DOCUMENTS,
    FAILURES,
    LISTED,
    LISTED_URIS,
    PART_ANSWERS,
    PARTS,
    RESULTS,
    enrichments_schema,
)
from include.warehouse.tables import ensure_tables
from tests.integration.warehouse.nights import reader

if TYPE_CHECKING:
    import pyarrow as pa

    from include.warehouse.session import Session, Warehouse

SPEC = replace(
    load_catalog().specs["document_metadata"],
    key_pattern=r"^documents/dt=(?P<received_on>[^/]+)/(?P<customer>[^/]+)/",
).freeze()
SCHEMA = SPEC.schema_of_answer
INBOX = "inbox"
USD_PER_INPUT_TOKEN = Decimal("0.00000005")
USD_PER_OUTPUT_TOKEN = Decimal("0.00000025")


@dataclass(frozen=True, kw_only=True)
class Document:
    """One version of an object, and what a night makes of it."""

    key: str
    number: int = 1
    content: str = ""
    topic: str = ""
    kind: str = ""
    mood: str = "neutral"
    entities: tuple[str, ...] = ()
    tokens: int = 1000
    state: str = ""
    """With its reason, where there is no answer: `skipped image_only`."""
    parts: int = 0
    attempts: int = 1
    """The answer came with the last of them; those before were truncated."""

    @property
    def uri(self) -> str:
        return f"s3://{INBOX}/{self.key}"

    @property
    def document_id(self) -> str:
        return _digest(self.key, str(self.number))

    @property
    def enrichment_id(self) -> str:
        return _digest(SPEC.prompt_version, self.content or self.document_id)

    @property
    def request_ids(self) -> list[str]:
        if not self.parts:
            return [self.enrichment_id]
        return [_digest(self.enrichment_id, str(part)) for part in range(self.parts)]

    @property
    def answer(self) -> dict[str, Any]:
        return {
            "main_topic": self.topic,
            "document_type": self.kind,
            "sentiment": self.mood,
            "key_entities": list(self.entities),
            "language": "en",
            "summary": f"A {self.kind} about {self.topic}.",
        }


@dataclass(frozen=True, kw_only=True)
class Night:
    """What one night listed."""

    run_key: str
    began_at: dt.datetime
    is_simulated: bool
    documents: tuple[Document, ...]
    unchanged: tuple[Document, ...] = ()
    forecast_usd: Decimal


_COMPLAINT = Document(
    key="documents/dt=2026-11-09/acme/complaint.txt",
    content="The pump leaks.",
    topic="leaking pumps",
    kind="mail",
    mood="negative",
    entities=("Acme", "P-200 pump"),
    tokens=400,
)
_CONTRACT = Document(
    key="documents/dt=2026-11-09/acme/contract.pdf",
    topic="pump maintenance",
    kind="contract",
    entities=("Acme", "Nordwerk"),
    tokens=9_000,
)
_OFFER = Document(
    key="documents/dt=2026-11-09/globex/offer.txt",
    topic="pump maintenance",
    kind="offer",
    mood="positive",
    entities=("Globex", "Nordwerk"),
    tokens=700,
)
FIRST = Night(
    run_key="scheduled__2026-11-10",
    began_at=dt.datetime(2026, 11, 10, 2, tzinfo=dt.UTC),
    is_simulated=True,
    forecast_usd=Decimal("0.001200"),
    documents=(
        _COMPLAINT,
        _CONTRACT,
        _OFFER,
        Document(
            key="documents/dt=2026-11-09/globex/complaint (copy).txt", content=_COMPLAINT.content
        ),
        Document(
            key="documents/dt=2026-11-09/initech/minutes.txt",
            topic="spare parts",
            kind="minutes",
            entities=("Initech",),
        ),
        Document(key="documents/dt=2026-11-09/initech/scan.pdf", state="skipped image_only"),
        Document(key="documents/dt=2026-11-09/initech/survey.txt", state="dead_letter refused"),
    ),
)
SECOND = Night(
    run_key="scheduled__2026-11-11",
    began_at=dt.datetime(2026, 11, 11, 2, tzinfo=dt.UTC),
    is_simulated=False,
    forecast_usd=Decimal("0.009000"),
    unchanged=(_COMPLAINT, _CONTRACT),
    documents=(
        Document(
            key="documents/dt=2026-11-09/initech/minutes.txt", number=2, state="pending unanswered"
        ),
        Document(
            key="documents/dt=2026-11-10/acme/handbook.pdf",
            topic="pump installation",
            kind="manual",
            entities=("Acme", "P-200 pump"),
            tokens=60_000,
            parts=2,
        ),
        Document(
            key="documents/dt=2026-11-10/globex/thanks.txt",
            topic="pump maintenance",
            kind="mail",
            mood="positive",
            entities=("Globex",),
            attempts=2,
        ),
        Document(key="documents/dt=2026-11-10/initech/letter.txt", state="pending fetch_failed"),
        Document(
            key="documents/dt=2026-11-10/initech/log.txt", state="dead_letter context_exceeded"
        ),
    ),
)


def fill(warehouse: "Warehouse") -> None:
    """Run both nights."""
    for night in (FIRST, SECOND):
        with warehouse.session() as session:
            ensure_tables(session, SPEC.name, SCHEMA, SPEC.key_groups)
            _run(session, night)


def _run(session: "Session", night: Night) -> None:
    listing = Listing(
        spec=SPEC.name,
        run_key=night.run_key,
        prompt_version=SPEC.prompt_version,
        now=night.began_at,
    )
    seen = (*night.unchanged, *night.documents)
    listed = reader([_listed(one, night) for one in seen], LISTED)
    result = record_listing(session, listing, listed)
    result.documents.read_all()
    record_keys(session, SPEC.name, SPEC.key_pattern)
    mark_deleted(
        session,
        spec=SPEC.name,
        prefixes=[(INBOX, "documents/")],
        listed_uris=reader([{"document_uri": one.uri} for one in _present(night)], LISTED_URIS),
        listed_at=night.began_at,
    )
    load(session, _load(night))
    settle_run(
        session,
        RunRow(
            spec=SPEC.name,
            run_key=night.run_key,
            dag_id="enrich_document_metadata",
            run_id=night.run_key,
            run_type="scheduled",
            night=f"{night.began_at - dt.timedelta(days=1):%Y-%m-%d}",
            window_start_at=night.began_at - dt.timedelta(days=1),
            window_end_at=night.began_at,
            prompt_version=SPEC.prompt_version,
            listed_count=result.taken_count + result.unchanged_count,
            unchanged_count=result.unchanged_count,
            forecast_usd=night.forecast_usd,
            is_complete=True,
            verdict="green",
            started_at=night.began_at,
            finished_at=night.began_at + dt.timedelta(hours=2),
        ),
    )


def _present(night: Night) -> list[Document]:
    """Return what lies in the bucket: in the second night, the offer is gone."""
    if night is FIRST:
        return [*FIRST.documents]
    return [*(one for one in FIRST.documents if one is not _OFFER), *SECOND.documents]


def _load(night: Night) -> NightLoad:
    asked = [one for one in night.documents if one.topic]
    return NightLoad(
        spec=SPEC.name,
        run_key=night.run_key,
        prompt_version=SPEC.prompt_version,
        schema=SCHEMA,
        now=night.began_at + dt.timedelta(hours=1),
        documents=reader([_document(one) for one in night.documents], DOCUMENTS),
        parts=reader([row for one in asked for row in _parts(one)], PARTS),
        results=reader(_results(night), RESULTS),
        enrichments=_answers([one for one in asked if not one.parts], night),
        part_answers=reader(
            [row for one in asked if one.parts for row in _part_answers(one, night)], PART_ANSWERS
        ),
        merger=SPEC.long_documents.merger(SCHEMA),
        failures=reader(_failures(night), FAILURES),
        batches=reader(_batches(night), BATCHES),
        prompt=PromptVersion(
            model=SPEC.model,
            prompt_text=SPEC.prompt_text,
            output_schema=json.dumps(SCHEMA.output_schema),
            asked_at=night.began_at,
        ),
    )


def _listed(document: Document, night: Night) -> dict[str, Any]:
    written_at = FIRST.began_at if document in FIRST.documents else night.began_at
    return {
        "document_id": document.document_id,
        "document_uri": document.uri,
        "bucket": INBOX,
        "object_key": document.key,
        "object_version": f"v{document.number}",
        "size_bytes": document.tokens * 4,
        "last_modified_at": written_at - dt.timedelta(hours=12),
        "storage_class": "STANDARD",
    }


def _document(document: Document) -> dict[str, Any]:
    state, _, reason = document.state.partition(" ")
    row: dict[str, Any] = {
        "document_id": document.document_id,
        "content_sha256": _digest(document.content or document.document_id),
        "media_type": "text/plain" if document.key.endswith("txt") else "application/pdf",
        "extraction_outcome": "image_only" if "image_only" in reason else "text",
        "characters": document.tokens * 3,
        "part_count": document.parts or None,
        "enrichment_id": document.enrichment_id,
    }
    if state in {"skipped", "pending"}:
        row |= {"fixed_state": state, "fixed_reason": reason, "enrichment_id": None}
    return row


def _parts(document: Document) -> list[dict[str, Any]]:
    return [
        {
            "enrichment_id": document.enrichment_id,
            "part_number": number,
            "part_count": document.parts,
            "request_id": request_id,
        }
        for number, request_id in enumerate(document.request_ids, 1)
        if document.parts
    ]


def _results(night: Night) -> list[dict[str, Any]]:
    bought = [one for one in night.documents if one.topic or one.state.startswith("dead_letter")]
    rows = [
        {
            "batch_id": _batch_id(night, attempt - 1),
            "request_id": request_id,
            "enrichment_id": document.enrichment_id,
            "part_number": part + 1 if document.parts else None,
            "part_count": document.parts or None,
            "document_id": document.document_id,
            "run_key": night.run_key,
            "attempt": attempt,
            "outcome": _outcome(document, attempt),
            "stop_reason": "end_turn",
            "model": SPEC.model,
            **_usage(document),
        }
        for document in bought
        for part, request_id in enumerate(document.request_ids)
        for attempt in range(1, document.attempts + 1)
    ]
    return [*rows, _tried_message(night)] if night is SECOND else rows


def _tried_message(night: Night) -> dict[str, Any]:
    """Return what was tried before the first batch, at list price."""
    usage = _usage(Document(key="", tokens=400))
    return {
        "batch_id": "msg_1111",
        "request_id": "tried",
        "run_key": night.run_key,
        "attempt": 0,
        "outcome": "preflight",
        "model": SPEC.model,
        **usage,
        "cost_usd": usage["list_cost_usd"],
    }


def _outcome(document: Document, attempt: int) -> str:
    if attempt < document.attempts:
        return "truncated"
    return document.state.partition(" ")[2] or "succeeded"


def _usage(document: Document) -> dict[str, Any]:
    cost = 160 * USD_PER_OUTPUT_TOKEN + document.tokens * USD_PER_INPUT_TOKEN
    return {
        "input_tokens": document.tokens,
        "output_tokens": 160,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "cost_usd": cost,
        "list_cost_usd": 2 * cost,
    }


def _described(night: Night) -> dict[str, Any]:
    return {
        "prompt_version": SPEC.prompt_version,
        "answer_model": SPEC.model,
        "is_simulated": night.is_simulated,
    }


def _answers(documents: Sequence[Document], night: Night) -> "pa.RecordBatchReader":
    rows = [
        {"enrichment_id": one.enrichment_id, **_described(night), **one.answer} for one in documents
    ]
    return reader(rows, enrichments_schema(SCHEMA))


def _part_answers(document: Document, night: Night) -> list[dict[str, Any]]:
    return [
        {"request_id": one, "answer": json.dumps(document.answer), **_described(night)}
        for one in document.request_ids
    ]


def _failures(night: Night) -> list[dict[str, Any]]:
    return [
        {
            "request_id": one.enrichment_id,
            "reason": one.state.partition(" ")[2],
            "attempts": 1,
            "last_batch_id": _batch_id(night, 0),
            "is_final": True,
        }
        for one in night.documents
        if one.state.startswith("dead_letter")
    ]


def _batches(night: Night) -> list[dict[str, Any]]:
    results = _results(night)
    rounds = sorted({row["attempt"] - 1 for row in results if row["attempt"]})
    return [
        {
            "batch_id": _batch_id(night, number),
            "shard_id": f"shard-{night.began_at:%m%d}-{number}",
            "run_key": night.run_key,
            "round": number,
            "state": "loaded",
            "request_count": sum(row["attempt"] == number + 1 for row in results),
            "body_bytes": 40_000,
            "is_adopted": False,
            "created_at": night.began_at + dt.timedelta(minutes=5 + 20 * number),
            "expires_at": night.began_at + dt.timedelta(days=1, minutes=5 + 20 * number),
            "ended_at": night.began_at + dt.timedelta(minutes=20 + 25 * number),
            "collected_at": night.began_at + dt.timedelta(minutes=21 + 25 * number),
        }
        for number in rounds
    ]


def _batch_id(night: Night, number: int) -> str:
    return f"msgbatch_{night.began_at:%m%d}_{number}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
