import gzip
import io
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from include.documents.extraction import ExtractionLimits
from include.documents.pool import Document, ExtractionPool
from include.documents.reading import extract
from include.errors import ConfigurationError
from tests.unit.documents.samples import SAMPLES

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")

LIMITS = ExtractionLimits(max_object_bytes=1_000_000)


@pytest.fixture
def pool() -> Iterator[ExtractionPool]:
    with ExtractionPool(LIMITS, workers=1) as pool:
        yield pool


def test_children_read_as_this_process_does(pool: ExtractionPool) -> None:
    for key, content in SAMPLES.items():
        assert pool.extract(io.BytesIO(content), key) == extract(content, key, LIMITS)


def test_documents_read_together_keep_their_order(pool: ExtractionPool) -> None:
    documents = [Document(io.BytesIO(content), key) for key, content in SAMPLES.items()]
    alone = [extract(content, key, LIMITS) for key, content in SAMPLES.items()]
    assert pool.extract_together(documents) == alone


def test_one_of_several_that_is_too_large_is_left_out(pool: ExtractionPool) -> None:
    contents = (b"some words", b"0" * 1_000_001, b"more words")
    found = pool.extract_together([Document(io.BytesIO(one), "a.txt") for one in contents])
    assert [one.text for one in found] == ["some words", None, "more words"]
    assert found[1].outcome == "too_large"


@needs_linux
def test_one_of_several_that_kills_its_parser_costs_itself_only() -> None:
    limits = ExtractionLimits(memory_bytes=120_000_000)
    bomb = gzip.compress(b" " * 100_000_000 + b"x", compresslevel=1)
    contents = (b"some words", bomb, b"more words")
    with ExtractionPool(limits, workers=1) as pool:
        found = pool.extract_together([Document(io.BytesIO(one), "a.txt") for one in contents])
    assert [one.outcome for one in found] == ["text", "unreadable", "text"]


def test_file_is_read_from_its_beginning(pool: ExtractionPool) -> None:
    file = io.BytesIO(b"words")
    file.seek(3)
    assert pool.extract(file, "a.txt").text == "words"


def test_key_need_not_be_encodable(pool: ExtractionPool) -> None:
    assert pool.extract(io.BytesIO(b"words"), "a\udcff\n.txt").text == "words"


def test_large_object_never_reaches_a_child() -> None:
    with ExtractionPool(LIMITS, workers=1) as pool:
        extraction = pool.extract(io.BytesIO(b"0" * 1_000_001), "a.txt")
    assert extraction.outcome == "too_large"
    assert extraction.reason == "The object has 1,000,001 bytes, 1,000,000 are read."


def test_slow_document_costs_itself_only() -> None:
    limits = ExtractionLimits(timeout_seconds=0.3)
    slow = b"<div>" * 1_000_000
    with ExtractionPool(limits, workers=1) as pool:
        extraction = pool.extract(io.BytesIO(slow), "slow.html")
        after = pool.extract(io.BytesIO(b"words"), "a.txt")
    assert extraction.outcome == "unreadable"
    assert extraction.reason == "Reading the document took longer than 0.3 seconds."
    assert extraction.media_type == "text/html"
    assert after.text == "words"


@needs_linux
def test_document_that_takes_too_much_memory_costs_itself_only() -> None:
    limits = ExtractionLimits(memory_bytes=120_000_000)
    bomb = gzip.compress(b" " * 100_000_000 + b"x", compresslevel=1)
    with ExtractionPool(limits, workers=1) as pool:
        extraction = pool.extract(io.BytesIO(bomb), "bomb.txt.gz")
        after = pool.extract(io.BytesIO(b"words"), "a.txt")
    assert extraction.outcome == "unreadable"
    assert extraction.reason == "Reading the document takes more than 120,000,000 bytes of memory."
    assert after.text == "words"


def test_child_that_dies_between_documents_is_replaced(pool: ExtractionPool) -> None:
    pool.extract(io.BytesIO(b"words"), "a.txt")
    pid = _child_pid(pool)
    os.kill(pid, signal.SIGSEGV)
    assert pool.extract(io.BytesIO(b"more words"), "b.txt").text == "more words"


def test_children_end_with_the_pool() -> None:
    with ExtractionPool(LIMITS, workers=1) as pool:
        pool.extract(io.BytesIO(b"words"), "a.txt")
        pid = _child_pid(pool)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_child_that_does_not_start_is_a_wrong_setting() -> None:
    limits = ExtractionLimits(memory_bytes=2**70)
    with (
        ExtractionPool(limits, workers=1) as pool,
        pytest.raises(ConfigurationError, match="no parser process starts"),
    ):
        pool.extract(io.BytesIO(b"words"), "a.txt")


def _child_pid(pool: ExtractionPool) -> int:
    process = pool._seats[0]._process
    assert process is not None
    return process.pid
