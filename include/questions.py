"""Questions: which requests a document becomes, short or long."""

from dataclasses import dataclass
from typing import Any

from include.cutting import beginning_of, split_text
from include.identities import split_enrichment_id
from include.requests import Request, RequestBuilder
from include.spec import FrozenSpec
from include.tokens import token_class


@dataclass(frozen=True, slots=True)
class Question:
    """One request about a document, and what its answer becomes."""

    request: Request
    enrichment_id: str
    part_number: int | None = None
    """Which part is asked about, from 1; None when the document is not split."""
    part_count: int | None = None
    left_out_characters: int | None = None
    """What follows the beginning that is sent; None when nothing does."""

    def index_columns(self) -> dict[str, Any]:
        """Return the columns of the index that tell of the request."""
        line = self.request.line
        characters = len(line.decode())
        return {
            "request_id": self.request.request_id,
            "enrichment_id": self.enrichment_id,
            "part_number": self.part_number,
            "part_count": self.part_count,
            "left_out_characters": self.left_out_characters,
            "prompt_characters": characters,
            "token_class": token_class(characters=characters, utf8_bytes=len(line)),
        }


def questions_about(text: str, spec: FrozenSpec, builder: RequestBuilder) -> list[Question]:
    """Return what is asked about a document, in the order of its parts; nothing if it is too long.

    Args:
        text: All of the document.
        spec: The spec, which says what is too long and what happens then.
        builder: Of the same spec.
    """
    mode = spec.long_documents.mode
    if len(text) <= spec.max_characters:
        request = builder.build(text)
        return [Question(request, request.request_id)]
    if mode == "truncate":
        return [_about_beginning(text, spec, builder)]
    return _about_parts(text, spec, builder) if mode == "split" else []


def _about_beginning(text: str, spec: FrozenSpec, builder: RequestBuilder) -> Question:
    beginning = beginning_of(text, spec.max_characters)
    left_out = len(text) - len(beginning)
    request = builder.build_beginning(beginning, left_out_characters=left_out)
    return Question(request, request.request_id, left_out_characters=left_out)


def _about_parts(text: str, spec: FrozenSpec, builder: RequestBuilder) -> list[Question]:
    how = spec.long_documents
    if len(text) > how.max_parts * spec.max_characters:
        return []
    parts = split_text(
        text, max_characters=spec.max_characters, overlap_characters=how.overlap_characters
    )
    if len(parts) > how.max_parts:
        return []
    requests = [
        builder.build_part(part, part_number=number, part_count=len(parts))
        for number, part in enumerate(parts, start=1)
    ]
    enrichment_id = split_enrichment_id(request.request_id for request in requests)
    return [
        Question(request, enrichment_id, number, len(parts))
        for number, request in enumerate(requests, start=1)
    ]
