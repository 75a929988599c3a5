import base64
import io
import json
from typing import Any

import pytest

from include.documents.extraction import Extraction, Picture
from include.documents.fetching import FetchFailure, Original
from include.long_documents import LongDocuments
from include.requests import RequestBuilder, content_sha256
from include.segments import body_bytes
from include.spec import FrozenSpec
from include.steps.build_requests import DocumentQuestion
from tests.factories import make_frozen_spec, make_settings
from tests.unit.documents.samples import make_scan

SPEC = make_frozen_spec(max_characters=50)
SEEING = make_frozen_spec(vision=True, max_pages=2)
LINE = RequestBuilder(SPEC).build("some notes").line
SPLIT = LongDocuments(mode="split", merge={"topic": "first", "mood": "first"})


def question(spec: FrozenSpec = SPEC, **settings: Any) -> DocumentQuestion:
    return DocumentQuestion(spec, make_settings(**settings))


def extraction(text: str | None = "some notes", **changes: Any) -> Extraction:
    values: dict[str, Any] = {"outcome": "text", "reason": "", "media_type": "text/plain"}
    return Extraction(**(values | {"text": text, "characters": len(text or "")} | changes))


def test_readable_document_is_asked_about() -> None:
    ((row, line),) = question().ask(extraction(pages=3))
    assert line == LINE
    assert (row["content_sha256"], row["pages"]) == (content_sha256("some notes"), 3)
    assert (row["prompt_characters"], "fixed_state" in row) == (len(LINE), False)


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        (FetchFailure("slow down"), "pending", "fetch_failed"),
        (extraction(None, outcome="superseded"), "skipped", "superseded"),
        (extraction(None, outcome="encrypted"), "skipped", "encrypted"),
        (extraction(None), "skipped", "empty"),
        (extraction("x" * 51), "skipped", "too_long"),
    ],
    ids=["fetch failed", "changed", "encrypted", "no text", "too long"],
)
def test_document_that_is_not_asked_about_says_why(
    found: Extraction | FetchFailure, state: str, reason: str
) -> None:
    ((row, line),) = question().ask(found)
    assert (row["fixed_state"], row["fixed_reason"], line) == (state, reason, None)


def test_long_document_has_a_row_for_each_part() -> None:
    spec = make_frozen_spec(max_characters=50, long_documents=SPLIT)
    rows, lines = zip(*question(spec).ask(extraction("notes " * 20)), strict=True)
    assert [(row["part_number"], row["part_count"]) for row in rows] == [(1, 3), (2, 3), (3, 3)]
    assert {row["content_sha256"] for row in rows} == {content_sha256("notes " * 20)}
    assert [row["prompt_characters"] for row in rows] == [len(line) for line in lines]


def test_document_with_a_part_too_large_is_a_dead_letter_as_a_whole() -> None:
    spec = make_frozen_spec(max_characters=50, long_documents=SPLIT)
    text = "notes " * 10 + "\u4e00" * 40
    lengths = [len(line or b"") for _, line in question(spec).ask(extraction(text))]
    assert min(lengths) < max(lengths)
    asked = question(spec, max_request_bytes=max(lengths) - 1).ask(extraction(text))
    assert [row["fixed_reason"] for row, _ in asked] == ["too_large"]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_request_bytes": len(LINE)},
        {"max_shard_bytes": body_bytes(len(LINE), 1)},
    ],
    ids=["of a request", "of a batch"],
)
def test_request_too_large_is_a_dead_letter(settings: dict[str, int]) -> None:
    ((name, size),) = settings.items()
    assert question(**settings).ask(extraction())[0][1] is not None
    ((row, line),) = question(**{name: size - 1}).ask(extraction())
    assert (row["fixed_state"], row["fixed_reason"], line) == ("dead_letter", "too_large", None)
    assert "request_id" not in row


class TestVision:
    """A document without usable text is sent as it is when the spec permits it."""

    SCAN = make_scan()

    def scan(self, pages: int = 1, size_bytes: int | None = None) -> Extraction:
        picture = Picture(len(self.SCAN) if size_bytes is None else size_bytes)
        return Extraction("image_only", "", "application/pdf", pages=pages, picture=picture)

    def original(self) -> Original:
        extraction = self.scan()
        assert extraction.picture is not None
        return Original(extraction, extraction.picture, io.BytesIO(self.SCAN))

    def test_its_file_is_asked_about(self) -> None:
        found = self.original()
        ((row, line),) = question(SEEING).ask(found)
        assert line is not None
        block = json.loads(line)["params"]["messages"][0]["content"][0]
        assert base64.b64decode(block["source"]["data"]) == self.SCAN
        assert row["content_sha256"] == content_sha256(self.SCAN)
        assert (row["extraction_outcome"], row["pages"], row["characters"]) == ("image_only", 1, 0)
        assert found.file.closed

    def test_base64_is_not_counted_as_text(self) -> None:
        ((row, line),) = question(SEEING).ask(self.original())
        assert line is not None
        assert row["prompt_characters"] == len(line) - len(base64.b64encode(self.SCAN))
        assert row["picture_tokens"] == 3_000

    @pytest.mark.parametrize(
        ("spec", "pages", "size_bytes", "state"),
        [
            (SPEC, 1, 300, ("skipped", "image_only")),
            (SEEING, 3, 300, ("skipped", "too_many_pages")),
            (SEEING, 2, 301, ("dead_letter", "too_large")),
        ],
        ids=["not permitted", "too many pages", "too large"],
    )
    def test_what_is_not_sent_says_why_and_its_bytes_are_not_kept(
        self, spec: FrozenSpec, pages: int, size_bytes: int, state: tuple[str, str]
    ) -> None:
        asking, found = question(spec, max_request_bytes=400), self.scan(pages, size_bytes)
        assert not asking.is_to_be_looked_at(found)
        ((row, line),) = asking.ask(found)
        assert (row["fixed_state"], row["fixed_reason"]) == state
        assert line is None

    def test_bytes_of_a_readable_document_are_not_kept(self) -> None:
        assert question(SEEING).is_to_be_looked_at(self.scan())
        assert not question(SEEING).is_to_be_looked_at(extraction())

    @pytest.mark.parametrize("limit", ["max_request_bytes", "max_shard_bytes"])
    def test_request_around_a_file_counts_too(self, limit: str) -> None:
        ((_, line),) = question(SEEING).ask(self.original())
        assert line is not None
        size_bytes = len(line) if limit == "max_request_bytes" else body_bytes(len(line), 1)
        assert question(SEEING, **{limit: size_bytes}).ask(self.original())[0][1] == line
        ((row, none),) = question(SEEING, **{limit: size_bytes - 1}).ask(self.original())
        assert (row["fixed_state"], row["fixed_reason"], none) == ("dead_letter", "too_large", None)
