"""Load what a night, or a part of it, brought: stage, merge, check, in one transaction."""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal

import pyarrow as pa

from include.answers import AnswerSchema
from include.merging import PartMerger
from include.warehouse.part_answers import merged_answers
from include.warehouse.session import Session, Value, check
from include.warehouse.spec_checks import check_enums_in_range, check_items_new
from include.warehouse.spec_tables import define_spec_enrichments, insert_enrichments
from include.warehouse.staging import (
    BATCHES,
    DOCUMENTS,
    FAILURES,
    PART_ANSWERS,
    PARTS,
    RESULTS,
    stage_enrichments,
    stage_rows,
)

logger = logging.getLogger(__name__)

CHECKS = (
    "check_results_of_batches",
    "check_results_complete",
    "check_enrichments_paid",
    "check_documents_known",
    "check_documents_settled",
    "check_enrichments_found",
    "check_enriched_have_enrichments",
    "check_dead_letters_found",
)
"""What must hold after a merge; each returns the rows that must not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    """What was asked under a prompt version."""

    model: str
    prompt_text: str
    output_schema: str
    """As JSON."""
    asked_at: dt.datetime
    """When the run took it up: the run's start. The version that was taken up last is active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightLoad:
    """What is to be loaded; the columns of each reader are in `staging`."""

    spec: str
    run_key: str
    prompt_version: str
    schema: AnswerSchema
    now: dt.datetime
    documents: pa.RecordBatchReader
    """Documents that this load may settle, each once. `fixed_state` and `fixed_reason` say what is
    settled without an answer; a fixed `pending` only says why, should there be no answer."""
    parts: pa.RecordBatchReader | None = None
    """The requests of those of them that were split."""
    results: pa.RecordBatchReader | None = None
    enrichments: pa.RecordBatchReader | None = None
    """Answers about whole documents."""
    part_answers: pa.RecordBatchReader | None = None
    merger: PartMerger | None = None
    """Makes one answer of those about the parts of a document; None where no document is split."""
    failures: pa.RecordBatchReader | None = None
    """Requests that failed; one that `is_final` makes a dead letter, the others stay pending."""
    batches: pa.RecordBatchReader | None = None
    prompt: PromptVersion | None = None
    pending_reason: str = "in_flight"


@dataclass(frozen=True, slots=True)
class PaidResults:
    """Results that a load found new, of one outcome and model: what was asked, and paid."""

    outcome: str
    model: str | None
    """None where the API named none."""
    result_count: int
    input_tokens: int
    """Those read from the cache or written to it not included."""
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """How many rows a load added or changed; all 0 when it was loaded before."""

    result_count: int
    batch_count: int
    enrichment_count: int
    settled_count: int
    """Documents whose state in this run changed, from one pending reason to another included."""
    paid: tuple[PaidResults, ...] = field(default=(), repr=False)
    """The new results."""
    lags: tuple[dt.timedelta, ...] = field(default=(), repr=False)
    """How long ago each batch ended that was loaded for the first time."""

    @property
    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {
            "result_count": self.result_count,
            "batch_count": self.batch_count,
            "enrichment_count": self.enrichment_count,
            "settled_count": self.settled_count,
        }


def load(session: Session, night: NightLoad) -> LoadSummary:
    """Stage, merge and check; loading the same again changes no row.

    Answers are stored whoever asked. States change only for the documents of this load: a document
    of another run that waits for one of these answers finds it there when its own run loads.

    Raises:
        CountMismatchError: A check found rows that must not be; the session must be rolled back.
    """
    values: dict[str, Value] = {
        "spec": night.spec,
        "run_key": night.run_key,
        "prompt_version": night.prompt_version,
        "now": night.now,
        "pending_reason": night.pending_reason,
    }
    define_spec_enrichments(session, night.spec)
    _stage(session, night)
    check(session, "check_documents_once")
    _merge_prompt_version(session, night)
    paid = session.read("read_new_results").read_all().to_pylist()
    results = session.run("insert_results", **values)
    batches = session.run("merge_batches", **values)
    session.run("insert_past_usage", **values)
    session.run("insert_part_answers", **values)
    session.run("insert_enrichment_parts", **values)
    stage_enrichments(session, _answers(session, night), night.schema, night.now)
    session.derive("new_enrichments", **values)
    check_items_new(session, night.spec, night.schema)
    insert_enrichments(session, night.spec, night.schema)
    check_enums_in_range(session, night.spec, night.schema)
    settled = _settle_documents(session, values)
    for statement in CHECKS:
        check(session, statement, **values)
    summary = LoadSummary(
        results,
        batches,
        _count(session, "new_enrichments"),
        settled,
        paid=tuple(PaidResults(**row) for row in paid),
    )
    logger.info("loaded spec=%s run_key=%s %s", night.spec, night.run_key, summary)
    return summary


def _stage(session: Session, night: NightLoad) -> None:
    stage_rows(session, "documents", night.documents, DOCUMENTS)
    stage_rows(session, "results", night.results, RESULTS)
    stage_rows(session, "failures", night.failures, FAILURES)
    stage_rows(session, "batches", night.batches, BATCHES)
    stage_rows(session, "parts", night.parts, PARTS)
    stage_rows(session, "part_answers", night.part_answers, PART_ANSWERS)


def _answers(session: Session, night: NightLoad) -> Iterator[pa.RecordBatch]:
    """Yield the answers about whole documents, then those made of answers about parts."""
    yield from night.enrichments or ()
    if night.merger is not None:
        yield from merged_answers(session, night.merger, spec=night.spec)


def _merge_prompt_version(session: Session, night: NightLoad) -> None:
    if night.prompt is None:
        return
    values: dict[str, Value] = {
        "spec": night.spec,
        "prompt_version": night.prompt_version,
        **asdict(night.prompt),
    }
    session.run("insert_prompt_versions", **values)
    session.run("update_prompt_versions_activated", **values)


def _settle_documents(session: Session, values: dict[str, Value]) -> int:
    """Decide the state of each document and write down those that changed in this run."""
    session.run("update_documents_content", **values)
    session.run("insert_document_enrichments", **values)
    session.derive("outcomes", **values)
    session.derive("settled", **values)
    settled = session.run("merge_document_states", **values)
    session.run("update_documents_settled", **values)
    session.run("merge_dead_letters", **values)
    session.run("update_dead_letters_resolved", **values)
    return settled


def _count(session: Session, stage: str) -> int:
    return int(session.read(f"count_{stage}").read_all()["row_count"][0].as_py())
