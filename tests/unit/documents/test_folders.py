import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.documents.extraction import ExtractionLimits
from include.documents.folders import FoundFile, extract_file, find_files
from include.documents.pool import ExtractionPool


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    with ExtractionPool(ExtractionLimits(), workers=1) as pool:
        yield pool


def _keys(folder: Path) -> list[str]:
    return [file.key for file in find_files(folder, left_out=[])[0]]


def test_files_come_in_the_order_of_their_keys(tmp_path: Path) -> None:
    for key in ("b/2", "a", "b/1", "B", "c d/é"):
        path = tmp_path / key
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert _keys(tmp_path) == ["B", "a", "b/1", "b/2", "c d/é"]


def test_links_pipes_and_sockets_are_told_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "again").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        found, remarks = find_files(tmp_path, left_out=[])
    assert [file.key for file in found] == ["file"]
    assert remarks == [
        "again is a link to a folder and was left out.",
        "circle is a link that leads in a circle and was left out.",
        "pipe is a socket, a pipe or a device and was left out.",
        "socket is a socket, a pipe or a device and was left out.",
    ]


def test_link_to_a_file_is_a_file(tmp_path: Path, pool: ExtractionPool) -> None:
    (tmp_path / "file").write_text("words")
    (tmp_path / "link").symlink_to("file")
    found, _ = find_files(tmp_path, left_out=[])
    assert [extract_file(file, pool).extraction.text for file in found] == ["words", "words"]


def test_names_that_are_no_text_stay_apart(tmp_path: Path, pool: ExtractionPool) -> None:
    for name in (b"caf\xe9.txt", b"caf\xe8.txt"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_text("words")
    found, _ = find_files(tmp_path, left_out=[])
    assert [file.key for file in found] == ["caf\\xe8.txt", "caf\\xe9.txt"]
    assert extract_file(found[0], pool).extraction.media_type == "text/plain"


def test_file_that_is_written_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "out.parquet").touch()
    found, _ = find_files(tmp_path, left_out=[tmp_path / "x" / ".." / "out.parquet"])
    assert found == []


def test_empty_folder_has_no_files(tmp_path: Path) -> None:
    assert find_files(tmp_path, left_out=[]) == ([], [])


@pytest.mark.parametrize("kind", ["gone", "dangling"])
def test_file_that_is_gone_has_vanished(tmp_path: Path, pool: ExtractionPool, kind: str) -> None:
    path = tmp_path / "a.txt"
    if kind == "dangling":
        path.symlink_to("nowhere")
        assert _keys(tmp_path) == ["a.txt"]
    document = extract_file(FoundFile(path, "a.txt"), pool)
    assert document.extraction.outcome == "vanished"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read_is_forbidden(tmp_path: Path, pool: ExtractionPool) -> None:
    path = tmp_path / "a.txt"
    path.touch(mode=0)
    assert extract_file(FoundFile(path, "a.txt"), pool).extraction.outcome == "forbidden"


def test_folder_that_took_the_place_of_a_file_is_unreadable(
    tmp_path: Path, pool: ExtractionPool
) -> None:
    document = extract_file(FoundFile(tmp_path, "a.txt"), pool)
    assert document.extraction.outcome == "unreadable"
    assert document.extraction.reason == "The file cannot be read: Is a directory."


def test_pipe_that_took_the_place_of_a_file_blocks_nobody(
    tmp_path: Path, pool: ExtractionPool
) -> None:
    os.mkfifo(tmp_path / "pipe")
    document = extract_file(FoundFile(tmp_path / "pipe", "pipe"), pool)
    assert document.extraction.outcome == "unreadable"


class _Shrinking(io.BytesIO):
    """A file that loses its second half as soon as somebody knows its size."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        place = super().seek(offset, whence)
        if whence == io.SEEK_SET:
            self.truncate(len(self.getbuffer()) // 2)
        return place


def test_file_that_shrinks_while_it_is_read_blocks_nobody(pool: ExtractionPool) -> None:
    with pytest.raises(OSError, match="became shorter"):
        pool.extract(_Shrinking(b"words " * 100_000), "a.txt")
    assert pool.extract(io.BytesIO(b"more words"), "b.txt").text == "more words"
