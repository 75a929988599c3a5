"""Task `erase_document`: what a document said, and what was answered about it, goes everywhere.

The order is such that a process that dies half way leaves something that erasing again finishes,
and that no night takes up: first what is to be done is written down, then nothing can be planned
for the document any more, then the warehouse forgets, then the files.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from include.entries import Entry
from include.erasures import Erasure, Holdings, find_erasure, write_erasure
from include.errors import PermanentError
from include.holdings import HoldingsFinder
from include.ledger import Ledger
from include.owners import read_owners
from include.params import Params
from include.runs import RunFiles
from include.scrubbing import DocumentStates, Scrubber
from include.steps.sweep_ledger import RESULTS_LIFE
from include.warehouse.erasing import (
    DocumentRun,
    erase_rows,
    read_document_runs,
    read_document_versions,
    read_erased_sharers,
    read_usage,
    scrub_files,
)
from include.warehouse.tables import ensure_fixed_tables

if TYPE_CHECKING:
    from include.storage import ObjectStore
    from include.warehouse.session import Session, Warehouse

logger = logging.getLogger(__name__)


class ErasureRefusedError(PermanentError):
    """A document is unknown, or somebody is still asking about it."""


class ErasureParams(Params):
    """What an operator asks for, and why."""

    refusal = "nothing was erased"

    uri: str = Field(pattern=r"^s3://[^/]+/.+$")
    spec: str | None = None
    """None for every spec that knows the document."""
    reason: str = Field(min_length=10, pattern=r"\S{2}")


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What was erased for one spec, and what stayed."""

    spec: str
    version_count: int
    request_count: int
    """Requests of which no text is left."""
    enrichment_count: int
    """Answers deleted from the warehouse; 0 when an earlier try had done it."""
    kept: Mapping[str, str]
    """Requests that stay, each with a document of the same content that is not erased."""
    batch_ids: tuple[str, ...]
    """Batches of which the API still has prompts and answers, until 29 days after their begin."""
    remarks: str = ""
    """What was done about the database's files, or remains to be done."""


@dataclass(frozen=True, kw_only=True)
class DocumentErasure:
    """What erasing one document needs."""

    params: ErasureParams
    by: str
    store: "ObjectStore"
    warehouse: "Warehouse"
    work_dir: Path
    now: Callable[[], dt.datetime]

    def erase(self) -> list[ErasureReport]:
        """Erase all versions of a document for one spec, or for all that know it.

        Raises:
            ErasureRefusedError: No spec knows the document, or one is asking about it; of a spec
                that was refused, nothing was erased.
        """
        with self.warehouse.session() as session:
            ensure_fixed_tables(session)
            versions = read_document_versions(session, self.params.uri)
        if self.params.spec is not None:
            versions = {k: v for k, v in versions.items() if k == self.params.spec}
        if not versions:
            msg = (
                f"{self.params.uri} is no document of {self.params.spec or 'any spec'}; write it "
                "as in nightshift.documents.document_uri"
            )
            raise ErasureRefusedError(msg)
        # Nothing is touched before every spec agrees.
        erasures = [self._prepare(spec, ids) for spec, ids in versions.items()]
        reports = [self._erase(erasure) for erasure in erasures]
        remarks = scrub_files(self.warehouse)
        reports = [replace(report, remarks=remarks) for report in reports]
        for line in summary_lines(reports):
            logger.info("erasure %s", line)
        return reports

    def _prepare(self, spec: str, document_ids: Sequence[str]) -> Erasure:
        """Find where the document lies, and refuse when it is in somebody's hands."""
        with self.warehouse.session() as session:
            runs = self._read_runs(session, spec, document_ids)
        finder = HoldingsFinder(self.store, spec, self.work_dir)
        erasure = Erasure(
            spec=spec,
            document_uri=self.params.uri,
            document_ids=tuple(document_ids),
            reason=self.params.reason,
            by=self.by,
            erased_at=self.now(),
            holdings=finder.find(dict.fromkeys(run.run_key for run in runs), document_ids),
        ).after(find_erasure(self.store, spec, self.params.uri))
        self._refuse_open(erasure)
        return erasure

    def _erase(self, erasure: Erasure) -> ErasureReport:
        write_erasure(self.store, erasure)
        sharers = self._sharers(erasure)
        ids = [one for each in (erasure, *sharers) for one in each.document_ids]
        holdings = erasure.holdings
        for sharer in sharers:
            holdings = holdings.merged(sharer.holdings)
        with self.warehouse.session() as session:
            states = _states_by_run(self._read_runs(session, erasure.spec, ids))
            usage = read_usage(
                session, spec=erasure.spec, document_ids=ids, asked=holdings.requests
            )
        scrubber = Scrubber(self.store, self.work_dir, frozenset(ids), usage.forgotten)
        for run in holdings.runs:
            for key in run.index_keys:
                scrubber.scrub_index(key, states.get(run.run_key, {}))
        self._refuse_open(erasure)
        self._erase_rows(erasure, ids, holdings)
        ledger = Ledger(self.store, erasure.spec)
        entries = [ledger.read(shard_id).record for shard_id in usage.shard_ids]
        for entry in entries:
            scrubber.scrub_shard(entry)
        uris = {each.document_uri for each in (erasure, *sharers)}
        for run in holdings.runs:
            scrubber.scrub_run(RunFiles(erasure.spec, run.run_key), uris)
        blanked = sum(
            scrubber.scrub_segment(key) for run in holdings.runs for key in run.segment_keys
        )
        write_erasure(self.store, erasure.model_copy(update={"finished_at": self.now()}))
        logger.info(
            "erased spec=%s versions=%d requests=%d kept=%d enrichments=%d lines=%d shards=%d",
            erasure.spec,
            len(erasure.document_ids),
            len(usage.forgotten),
            len(usage.kept),
            usage.unused_count,
            blanked,
            len(entries),
        )
        return ErasureReport(
            spec=erasure.spec,
            version_count=len(erasure.document_ids),
            request_count=len(usage.forgotten),
            enrichment_count=usage.unused_count,
            kept=usage.kept,
            batch_ids=tuple(_batches_kept(entries, now=self.now())),
        )

    def _read_runs(
        self, session: "Session", spec: str, document_ids: Iterable[str]
    ) -> list[DocumentRun]:
        """Return the runs of documents.

        Raises:
            ErasureRefusedError: One of them may still ask.
        """
        runs = read_document_runs(session, spec=spec, document_ids=document_ids, now=self.now())
        busy = sorted({run.run_key for run in runs if run.is_busy})
        if busy:
            msg = (
                f"run {', '.join(busy)} of {spec} is not done with {self.params.uri}; erase it "
                "when the run has ended (a run that died lets go of its documents after 26 hours)"
            )
            raise ErasureRefusedError(msg)
        return runs

    def _refuse_open(self, erasure: Erasure) -> None:
        """Refuse while a batch may still bring an answer.

        Raises:
            ErasureRefusedError: An open shard, or a second batch that was not accounted for, asks
                about the document.
        """
        ledger = Ledger(self.store, erasure.spec)
        request_ids = {one.request_id for one in erasure.holdings.requests}
        document_ids = set(erasure.document_ids)
        opened = ledger.read_open().record
        for shard_id in dict.fromkeys((*opened.shards, *opened.surplus.values())):
            entry = ledger.read(shard_id).record
            owners = read_owners(self.store, entry, self.work_dir)
            documents = owners.table.column("document_id").to_pylist()
            if request_ids.isdisjoint(owners.row_of) and document_ids.isdisjoint(documents):
                continue
            raise ErasureRefusedError(_open_message(entry, self.params.uri))

    def _sharers(self, erasure: Erasure) -> list[Erasure]:
        """Return erasures of which something had stayed, because this document used it."""
        with self.warehouse.session() as session:
            uris = read_erased_sharers(
                session,
                spec=erasure.spec,
                document_ids=erasure.document_ids,
                asked=erasure.holdings.requests,
            )
        found = (find_erasure(self.store, erasure.spec, uri) for uri in uris)
        return [one for one in found if one is not None]

    def _erase_rows(
        self, erasure: Erasure, document_ids: Sequence[str], holdings: Holdings
    ) -> None:
        with self.warehouse.session() as session:
            self._read_runs(session, erasure.spec, document_ids)
            read_usage(
                session,
                spec=erasure.spec,
                document_ids=document_ids,
                asked=holdings.requests,
            )
            erase_rows(session, spec=erasure.spec, erased_at=erasure.erased_at, now=self.now())


def _states_by_run(runs: Iterable[DocumentRun]) -> dict[str, DocumentStates]:
    states: dict[str, dict[str, tuple[str, str | None]]] = {}
    for run in runs:
        states.setdefault(run.run_key, {})[run.document_id] = (run.state, run.state_reason)
    return dict(states)


def _open_message(entry: Entry, uri: str) -> str:
    shown = f"shard {entry.shard_id} ({entry.state}, batch {entry.batch_id or 'none yet'})"
    what = {
        "planned": "let the night submit it, or reject its spend, or abandon it (resolve_shard)",
        "collected": "clear load_warehouse of its run, or trigger sweep_ledger",
    }.get(entry.state, "wait until the batch has ended and is loaded (sweep_ledger does both)")
    return f"{uri} is asked about in {shown}; {what}, then erase again"


def _batches_kept(entries: Iterable[Entry], *, now: dt.datetime) -> Iterator[str]:
    """Yield the batches of which the API still has prompts and answers."""
    for entry in entries:
        created = {entry.batch_id: entry.batch_created_at} | {
            batch_id: surplus.created_at for batch_id, surplus in entry.surplus_batches.items()
        }
        for batch_id, created_at in created.items():
            if batch_id and created_at and now - created_at < RESULTS_LIFE:
                yield batch_id


def summary_lines(reports: Iterable[ErasureReport]) -> Iterator[str]:
    """Yield what was erased, as a person reads it."""
    for report in reports:
        yield (
            f"{report.spec}: {report.version_count} versions, {report.request_count} requests and "
            f"{report.enrichment_count} answers erased"
        )
        for request_id, uri in report.kept.items():
            yield f"{report.spec}: request {request_id} stays: {uri} has the same content"
        if report.batch_ids:
            yield (
                f"{report.spec}: the API keeps batches {', '.join(report.batch_ids)} for 29 days "
                "in all; docs/erasure.md tells how to delete them earlier"
            )
        yield report.remarks
