import gzip
import io
import tracemalloc

import pytest

from include.documents.extraction import ExtractionLimits, NoTextError
from include.documents.lines import read_id, read_line, split_lines
from include.lines import Lines

LIMITS = ExtractionLimits(max_object_bytes=40, max_unpacked_bytes=1_000, max_characters=1_000)
NAMED = Lines(id_field="id", text_field="text")


def split(content: bytes, limits: ExtractionLimits = LIMITS) -> tuple[list[tuple[int, bytes]], str]:
    """Return the lines with their numbers, and what was wrong with the object."""
    found: list[tuple[int, bytes]] = []
    try:
        found.extend(
            (line.number, line.content) for line in split_lines(io.BytesIO(content), limits)
        )
    except NoTextError as problem:
        return found, problem.outcome
    return found, ""


TWO = [(1, b'{"a": 1}'), (3, b'{"b": 2}')]
PLAIN = b'{"a": 1}\r\n\r\n{"b": 2}'
PACKED = gzip.compress(PLAIN)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN + b"\n\0\0\n",
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.decode().encode("utf-16"),
        b"\xfe\xff" + PLAIN.decode().encode("utf-16-be"),
        PLAIN.decode().encode("utf-32"),
        PACKED,
        gzip.compress(PLAIN[:5]) + gzip.compress(PLAIN[5:]) + b"\0" * 9,
    ],
    ids=["crlf", "nuls", "bom", "utf-16", "utf-16-be", "utf-32", "gzip", "members"],
)
def test_lines_are_split_whatever_wraps_them(content: bytes) -> None:
    assert split(content) == (TWO, "")


@pytest.mark.parametrize(
    ("content", "lines", "outcome"),
    [
        (b"\n \r\n\0\n", [], "empty"),
        (b"", [], "empty"),
        (PACKED[:-9], TWO[:1], "corrupt"),
        (PACKED + b"garbage", TWO, "corrupt"),
        (b"%PDF-1.7\n1 0 obj\nendobj", [], "unsupported"),
        (gzip.compress(b"\n" * 1_000_000), [], "too_large"),
    ],
    ids=["blank", "nothing", "cut off", "garbage behind", "a PDF", "a bomb"],
)
def test_object_without_all_of_its_lines_says_why(
    content: bytes, lines: list[tuple[int, bytes]], outcome: str
) -> None:
    found, problem = split(content)
    assert (found[: len(lines)], problem) == (lines, outcome)


def test_line_too_long_to_be_held_is_told_from_others_by_its_size() -> None:
    long = [line for line in split_lines(io.BytesIO(b"x" * 50 + b"\ny\n"), LIMITS) if line.is_cut]
    assert [(line.content, line.size_bytes) for line in long] == [(b"x" * 40, 50)]


def test_memory_does_not_grow_with_the_object() -> None:
    file = io.BytesIO(gzip.compress((b'{"a": "' + b"x" * 100 + b'"}\n') * 200_000))
    limits = ExtractionLimits()
    tracemalloc.start()
    count = sum(1 for _ in split_lines(file, limits))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak_bytes < 4_000_000) == (200_000, True)


@pytest.mark.parametrize(
    ("line", "lines", "outcome", "text"),
    [
        (b'{"id": 1, "text": "caf\\u00e9\\n"}', Lines(), "text", '{"id": 1, "text": "café\\n"}'),
        (b'{"id": 1, "text": "caf\\u00e9\\n"}', NAMED, "text", "café\n"),
        (b'{"text": "caf\xe9 au lait"}', NAMED, "text", "café au lait"),
        (b'{"text": "half \\ud83d", "n": NaN}', NAMED, "text", "half \ufffd"),
        (b'{"text": {"b": [1, 2]}}', NAMED, "text", '{"b": [1, 2]}'),
        (b'{"text": null}', NAMED, "empty", None),
        (b'{"other": "x"}', NAMED, "empty", None),
        (b'{"text": "  "}', NAMED, "empty", None),
        (b'["text"]', NAMED, "corrupt", None),
        (b'{"text": "x"', NAMED, "corrupt", None),
        (b'{"text": "x"} {"text": "y"}', Lines(), "corrupt", None),
        (b'{"text": "' + b"x" * 1_001 + b'"}', NAMED, "too_large", None),
        (b'{"text": ' + b"[" * 100_000, NAMED, "unreadable", None),
        (b"[" * 100_000, Lines(), "unreadable", None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_line_becomes_text_or_says_why_not(
    line: bytes, lines: Lines, outcome: str, text: str | None
) -> None:
    extraction = read_line(line, lines, LIMITS)
    assert (extraction.outcome, extraction.text) == (outcome, text)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'{"id": "a/b c"}', "a/b c"),
        (b'{"id": 12345678901234567890}', "12345678901234567890"),
        (b'{"id": "x", "n": NaN}', "x"),
        (b'{"id": 1.5}', None),
        (b'{"id": true}', None),
        (b'{"id": ""}', None),
        (b'{"id": "' + b"x" * 201 + b'"}', None),
        (b'{"text": "x"}', None),
        (b'{"id": ', None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_line_names_itself_by_text_or_whole_number(line: bytes, name: str | None) -> None:
    assert read_id(line, NAMED) == name
