"""The documents of the demo: real ones, from the packages that are installed anyway."""

import os
import sysconfig
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local_stack.errors import StackError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MIN_FILE_BYTES = 400
_MAX_FILE_BYTES = 60_000
_UPLOAD_THREADS = 16

_QUOTAS = {
    "METADATA": 130,
    "LICENSE": 60,
    ".txt": 60,
    ".md": 45,
    ".json": 30,
    "NOTICE": 15,
    ".rst": 12,
    ".html": 10,
    ".gz": 8,  # JSON within
    ".yaml": 5,
    ".csv": 4,
    ".ini": 3,
    ".xml": 1,
    ".svg": 1,
    # No text comes of these, of empty files neither; the report says why.
    ".typed": 2,
    ".png": 3,
    ".parquet": 2,
    ".exe": 1,
}
"""How many files of each suffix, or of each name without one."""


@dataclass(frozen=True)
class SourceFile:
    """A file on this machine and its place below the day's prefix."""

    path: Path
    name: str

    @property
    def kind(self) -> str:
        """The suffix, or the name where there is none."""
        return self.path.suffix.lower() or self.path.name


def list_installed_documents() -> list[SourceFile]:
    """Choose documents that the installed packages bring along, the same ones every time."""
    root = Path(sysconfig.get_path("purelib"))
    by_kind: dict[str, list[SourceFile]] = {kind: [] for kind in _QUOTAS}
    for file in _files_below(root):
        if file.kind in by_kind and _is_worth_reading(file.path.stat().st_size):
            by_kind[file.kind].append(file)
    return [file for kind, files in by_kind.items() for file in _spread(files, _QUOTAS[kind])]


def list_folder(folder: Path) -> list[SourceFile]:
    """Return every file below a folder.

    Raises:
        StackError: There is none.
    """
    files = list(_files_below(folder))
    if not files:
        msg = f"{folder} holds no files; name a folder of documents with DOCS="
        raise StackError(msg)
    return files


def upload(client: "S3Client", files: Sequence[SourceFile], *, bucket: str, prefix: str) -> None:
    """Upload files below a prefix."""

    def put(file: SourceFile) -> None:
        client.put_object(Bucket=bucket, Key=prefix + file.name, Body=file.path.read_bytes())

    with ThreadPoolExecutor(_UPLOAD_THREADS) as pool:
        for _ in pool.map(put, files):
            pass


def _files_below(root: Path) -> Iterator[SourceFile]:
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                yield SourceFile(path, path.relative_to(root).as_posix())


def _is_worth_reading(size_bytes: int) -> bool:
    return size_bytes == 0 or _MIN_FILE_BYTES <= size_bytes <= _MAX_FILE_BYTES


def _spread(files: Sequence[SourceFile], count: int) -> list[SourceFile]:
    """Pick evenly from the whole alphabet, so that no package has the word."""
    if len(files) <= count:
        return list(files)
    return [files[index * len(files) // count] for index in range(count)]
