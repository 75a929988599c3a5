"""Task `build_requests`: one slice of documents becomes request lines and an index of them."""

import logging
import secrets
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include import vision
from include.caching import CacheTtl
from include.documents.extraction import Extraction, ExtractionLimits, state_of
from include.documents.fetching import Fetched, FetchFailure, Original, fetch_and_extract
from include.documents.pool import ExtractionPool
from include.questions import Question, questions_about
from include.request_index import RequestIndexWriter
from include.requests import RequestBuilder, content_sha256
from include.runs import RunFiles, RunManifest
from include.segments import body_bytes
from include.steps.list_lines import read_taken_lines
from include.steps.listed_rows import read_listed
from include.tokens import PICTURE_CLASS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from include.config import Settings
    from include.spec import FrozenSpec
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuiltSlice:
    """What one task made of one slice."""

    slice_key: str
    index_key: str


def build_requests(
    *,
    manifest: RunManifest,
    slice_key: str,
    store: "ObjectStore",
    documents_client: "S3Client",
    settings: "Settings",
    work_dir: Path,
) -> BuiltSlice:
    """Fetch and extract the documents of a slice, and write their requests with an index."""
    files = RunFiles(manifest.spec.name, manifest.run_key)
    # Attempts write under own names: a worker that was given up cannot disturb its successor.
    name = f"{Path(slice_key).stem}-{secrets.token_hex(4)}"
    segment_key, index_key = (
        files.key(f"requests/{name}.{suffix}") for suffix in ("jsonl.zst", "parquet")
    )
    segment_path, index_path = work_dir / "segment", work_dir / "index.parquet"
    cache_ttl = manifest.caching.ttl_of_slice(int(Path(slice_key).stem))
    question, document_count = DocumentQuestion(manifest.spec, settings, cache_ttl), 0
    lines, limits = manifest.spec.source_lines, ExtractionLimits.of(settings)
    texts_key = files.lines_key(Path(slice_key).name)
    listing = store.download(texts_key if lines else slice_key, work_dir / "listing.parquet")
    with (
        RequestIndexWriter(segment_path, index_path, segment_key=segment_key) as index,
        closing(
            _read_objects(listing, documents_client, settings, question)
            if lines is None
            else read_taken_lines(listing, lines, limits)
        ) as documents,
    ):
        for document_id, found in documents:
            document_count += 1
            for row, line in question.ask(found):
                index.add({"document_id": document_id, **row}, line)
    store.upload(segment_path, segment_key)
    store.upload(index_path, index_key)
    logger.info(
        "built slice=%s documents=%d requests=%d", slice_key, document_count, index.request_count
    )
    return BuiltSlice(slice_key, index_key)


_AskedRow = tuple[dict[str, Any], bytes | None]
"""A row of the index and, where something is asked, the line of its request."""


class DocumentQuestion:
    """Asks the spec's question about a document, or says why it is not asked."""

    def __init__(
        self, spec: "FrozenSpec", settings: "Settings", cache_ttl: CacheTtl | None = None
    ) -> None:
        """Ask as `spec` says, within the limits of the settings."""
        self._spec = spec
        self._builder = RequestBuilder(spec, cache_ttl=cache_ttl)
        self._max_request_bytes = settings.max_request_bytes
        self._max_shard_bytes = settings.max_shard_bytes

    def ask(self, found: Fetched) -> list[_AskedRow]:
        """Return the index row of a document, or one for each part that is asked about."""
        if isinstance(found, FetchFailure):
            return [({"fixed_state": "pending", "fixed_reason": "fetch_failed"}, None)]
        if isinstance(found, Original):
            with found.file:
                return self._show(found)
        row = _row(found)
        state = self._state_of(found)
        if state is not None or found.text is None:
            fixed_state, reason = state or ("skipped", "empty")
            return [(row | {"fixed_state": fixed_state, "fixed_reason": reason}, None)]
        row["content_sha256"] = content_sha256(found.text)
        questions = questions_about(found.text, self._spec, self._builder)
        if not questions:
            return [(row | {"fixed_state": "skipped", "fixed_reason": "too_long"}, None)]
        return self._send(row, questions)

    def is_to_be_looked_at(self, extraction: Extraction) -> bool:
        """Return whether a document is sent as it is."""
        return extraction.picture is not None and self._state_of(extraction) is None

    def _state_of(self, extraction: Extraction) -> tuple[str, str] | None:
        if extraction.picture is None or not self._spec.vision:
            return state_of(extraction.outcome)
        return vision.refusal(
            extraction,
            extraction.picture,
            max_pages=self._spec.max_pages,
            max_request_bytes=min(self._max_request_bytes, self._max_shard_bytes),
        )

    def _show(self, found: Original) -> list[_AskedRow]:
        """Ask about a document that is sent as it is."""
        extraction, content = found.extraction, found.file.read()
        blocks = vision.encode_blocks(content, extraction.media_type)
        row = _row(extraction) | {"content_sha256": content_sha256(content)}
        request = self._builder.build_of(blocks, row["content_sha256"])
        row["prompt_characters"] = len(request.line) - vision.encoded_bytes(len(content))
        row["picture_tokens"] = vision.estimate_tokens(extraction, found.picture)
        row["token_class"] = PICTURE_CLASS
        return self._send(row, [Question(request, request.request_id)])

    def _send(self, row: dict[str, Any], questions: Sequence[Question]) -> list[_AskedRow]:
        if any(self._is_too_large(len(one.request.line)) for one in questions):
            return [(row | {"fixed_state": "dead_letter", "fixed_reason": "too_large"}, None)]
        return [(one.index_columns() | row, one.request.line) for one in questions]

    def _is_too_large(self, line_bytes: int) -> bool:
        return (
            line_bytes > self._max_request_bytes
            or body_bytes(line_bytes, 1) > self._max_shard_bytes
        )


def _read_objects(
    listing: Path, client: "S3Client", settings: "Settings", question: DocumentQuestion
) -> Generator[tuple[str, Fetched]]:
    """Fetch the documents of a slice, and yield the id of each and what became of it."""
    limits, workers = ExtractionLimits.of(settings), settings.extraction_workers
    with ExtractionPool(limits, workers=workers) as pool:
        extracted = fetch_and_extract(
            client,
            (listed for _, listed in read_listed(listing)),
            pool,
            fetch_threads=settings.fetch_threads,
            keeps=question.is_to_be_looked_at,
        )
        for (document_id, _), (_, found) in zip(read_listed(listing), extracted, strict=True):
            yield document_id, found


def _row(extraction: Extraction) -> dict[str, Any]:
    return {
        "media_type": extraction.media_type,
        "extraction_outcome": extraction.outcome,
        "characters": extraction.characters,
        "pages": extraction.pages,
    }
