"""Find and read the files below a local folder, whatever else lies there."""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path

from include.documents.extraction import Extraction, ExtractionOutcome
from include.documents.pool import ExtractionPool
from include.documents.sniffing import media_type_of_key


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below a folder."""

    path: Path
    key: str
    """The path below the folder; bytes of its name that are no UTF-8 are spelled out."""


@dataclass(frozen=True, slots=True)
class LocalDocument:
    """What became of one file."""

    key: str
    size_bytes: int
    extraction: Extraction


def find_files(folder: Path, *, left_out: Sequence[Path]) -> tuple[list[FoundFile], list[str]]:
    """Return the files below `folder` by their keys, and sentences about what is none.

    Links to folders are not followed: they lead in circles, and to files that are found anyway.

    Args:
        left_out: Files that are no documents, such as the one that is being written.
    """
    found: list[FoundFile] = []
    remarks: list[str] = []
    resolved = {path.resolve() for path in left_out}
    names_left_out = {path.name for path in left_out}
    for directory, names, files in os.walk(
        folder, onerror=lambda error: remarks.append(str(error))
    ):
        links = [name for name in names if Path(directory, name).is_symlink()]
        for path in (Path(directory, name) for name in files + links):
            if path.name in names_left_out and path.resolve() in resolved:
                continue
            key = os.fsencode(path.relative_to(folder)).decode(errors="backslashreplace")
            problem = _problem(path)
            if problem is None:
                found.append(FoundFile(path, key))
            else:
                remarks.append(f"{key} is {problem} and was left out.")
    return sorted(found, key=lambda file: file.key), sorted(remarks)


def _problem(path: Path) -> str | None:
    """Return what a path is instead of a file; one that cannot even be looked at is a file."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "a link that leads in a circle" if error.errno == errno.ELOOP else None
    if stat.S_ISDIR(mode):
        return "a link to a folder"
    return None if stat.S_ISREG(mode) else "a socket, a pipe or a device"


def extract_file(file: FoundFile, pool: ExtractionPool) -> LocalDocument:
    """Return what a file holds, or why it could not be read."""
    try:
        # Without O_NONBLOCK, a pipe that has taken the file's place would never open.
        descriptor = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as content:
            return LocalDocument(
                file.key, content.seek(0, SEEK_END), pool.extract(content, file.key)
            )
    except FileNotFoundError:
        extraction = _failed("vanished", "The file is gone, or a link leads nowhere.", file)
    except PermissionError:
        extraction = _failed("forbidden", "The file may not be read.", file)
    except OSError as error:
        extraction = _failed("unreadable", f"The file cannot be read: {error.strerror}.", file)
    return LocalDocument(file.key, 0, extraction)


def _failed(outcome: ExtractionOutcome, reason: str, file: FoundFile) -> Extraction:
    return Extraction(outcome, reason, media_type_of_key(file.key))
