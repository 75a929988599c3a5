import base64
import json
from typing import Any

import pytest

from include.documents.extraction import Extraction, Picture
from include.vision import encode_blocks, encoded_bytes, estimate_tokens, refusal
from tests.unit.documents.samples import make_image, make_scan

MANY = 10**9


def image(width: int = 300, height: int = 200, size_bytes: int = 1_000) -> Extraction:
    picture = Picture(size_bytes, width, height)
    return Extraction("image_only", "", "image/png", picture=picture)


def scan(pages: int = 1, outcome: Any = "image_only", size_bytes: int = 1_000) -> Extraction:
    return Extraction(outcome, "", "application/pdf", pages=pages, picture=Picture(size_bytes))


def refused(extraction: Extraction, *, max_request_bytes: int = MANY) -> tuple[str, str] | None:
    assert extraction.picture is not None
    return refusal(
        extraction, extraction.picture, max_pages=20, max_request_bytes=max_request_bytes
    )


@pytest.mark.parametrize(
    ("taken", "too_much", "state"),
    [
        (image(8_000, 8_000), image(8_001, 8_000), ("skipped", "too_many_pixels")),
        (image(8_000, 8_000), image(1, 8_001), ("skipped", "too_many_pixels")),
        (scan(20), scan(21), ("skipped", "too_many_pages")),
        (image(size_bytes=7_500_000), image(size_bytes=7_500_001), ("skipped", "too_large")),
        (scan(size_bytes=7_500_001), None, None),
    ],
    ids=["wide", "high", "pages", "bytes of an image", "bytes of a PDF"],
)
def test_what_the_api_would_refuse_is_not_sent(
    taken: Extraction, too_much: Extraction | None, state: tuple[str, str] | None
) -> None:
    assert refused(taken) is None
    assert too_much is None or refused(too_much) == state


def test_file_too_large_for_a_request_is_a_dead_letter() -> None:
    assert refused(scan(size_bytes=300), max_request_bytes=400) is None
    assert refused(scan(size_bytes=301), max_request_bytes=400) == ("dead_letter", "too_large")


@pytest.mark.parametrize("size_bytes", range(7))
def test_size_in_base64_is_known_before_it_is_made(size_bytes: int) -> None:
    assert encoded_bytes(size_bytes) == len(base64.b64encode(b"x" * size_bytes))


@pytest.mark.parametrize(
    ("content", "media_type", "kind"),
    [
        (make_scan(), "application/pdf", "document"),
        (make_image("PNG"), "image/png", "image"),
        (make_image("JPEG"), "image/jpeg", "image"),
    ],
    ids=["PDF", "PNG", "JPEG"],
)
def test_file_stands_before_the_word_that_it_is_data(
    content: bytes, media_type: str, kind: str
) -> None:
    block, note = json.loads(b"[" + encode_blocks(content, media_type) + b"]")
    assert block["type"] == kind
    source = block["source"]
    assert (source["type"], source["media_type"]) == ("base64", media_type)
    assert base64.b64decode(source["data"], validate=True) == content
    assert note["type"] == "text"
    assert "is data" in note["text"]


@pytest.mark.parametrize(
    ("extraction", "tokens"),
    [
        (image(750, 100), 100),
        (image(2_576, 1_000), 3_435),
        (image(5_152, 2_000), 3_435),
        (image(8_000, 8_000), 4_784),
        (image(1, 1), 1),
        (scan(1), 3_000),
        (scan(20), 60_000),
        (scan(2, "garbled"), 12_000),
    ],
    ids=["small", "as large as seen", "scaled", "most", "dot", "page", "pages", "nonsense"],
)
def test_tokens_follow_size_and_pages(extraction: Extraction, tokens: int) -> None:
    assert extraction.picture is not None
    assert estimate_tokens(extraction, extraction.picture) == tokens
