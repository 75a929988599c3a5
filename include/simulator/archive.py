"""The big files of the batches: their bodies and results, one request or result a line."""

import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import zstandard

_LEVEL = 1


class Archive:
    """A folder of compressed files of lines, named by batch."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when it does not exist."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep_only(self, batch_ids: Collection[str]) -> None:
        """Remove what a killed process has left: half files, and those of no known batch."""
        for path in self.folder.iterdir():
            is_known = path.name.split(".")[0] in batch_ids
            if path.suffix != ".zst" or not is_known:
                path.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        self._path(name).unlink(missing_ok=True)

    def exists(self, name: str) -> bool:
        """Return whether a file was written to its end."""
        return self._path(name).exists()

    @contextmanager
    def writer(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file that appears, whole and on disk, when the block ends without an error."""
        partial = self.folder / f"{name}.{secrets.token_hex(4)}.partial"
        try:
            with partial.open("wb") as file:
                with zstandard.ZstdCompressor(level=_LEVEL).stream_writer(
                    file, closefd=False
                ) as out:
                    yield out
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self._path(name))
        finally:
            partial.unlink(missing_ok=True)

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file, each with its line break."""
        with (
            self._path(name).open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as reader,
        ):
            yield from _lines(
                iter(lambda: reader.read(zstandard.DECOMPRESSION_RECOMMENDED_OUTPUT_SIZE), b"")
            )

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.zst"


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line + b"\n"
