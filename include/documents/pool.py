"""Parser processes that documents are given to, so that a bad one costs its own outcome only."""

import errno
import logging
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import SEEK_END
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import msgspec

from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.protocol import ANSWER_HEADER, OUT_OF_MEMORY_STATUS, READY, REQUEST_HEADER
from include.documents.sniffing import media_type_of_key
from include.errors import ConfigurationError

logger = logging.getLogger(__name__)

_PROJECT_ROOT = Path(__file__).parents[2]
_INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
_TIMED_OUT = {-signal.SIGALRM, -signal.SIGPROF}
_EXIT_SECONDS = 5.0
_CHUNK_BYTES = 256 * 2**10


class Document(NamedTuple):
    """Bytes to extract, from their beginning, and where they come from."""

    file: IO[bytes]
    key: str


class ExtractionPool:
    """Extracts documents in `workers` child processes; a context manager, safe for threads.

    A child serves many documents. One that crashes, hangs or runs out of memory is replaced.
    They are plain subprocesses, as an Airflow task may be a daemon that multiprocessing bars from
    having children.
    """

    def __init__(self, limits: ExtractionLimits, *, workers: int) -> None:
        self.limits = limits
        self._seats = [_Seat(limits) for _ in range(workers)]
        self._idle: queue.LifoQueue[_Seat] = queue.LifoQueue()  # last in first: start few
        for seat in self._seats:
            self._idle.put(seat)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for seat in self._seats:
            seat.close()

    def extract(self, file: IO[bytes], key: str) -> Extraction:
        """Return what a document holds; waits for an idle child.

        Raises:
            ConfigurationError: No child starts.
        """
        return self.extract_together([Document(file, key)])[0]

    def extract_together(self, documents: Sequence[Document]) -> list[Extraction]:
        """Return what each of some small documents holds; one child holds all of them at once.

        Raises:
            ConfigurationError: No child starts.
        """
        sizes = [document.file.seek(0, SEEK_END) for document in documents]
        most = self.limits.max_object_bytes
        taken = [one for one, size in zip(documents, sizes, strict=True) if size <= most]
        found = iter(self._extract_together(taken) if taken else ())
        return [
            next(found) if size <= most else too_large(one.key, size, self.limits)
            for one, size in zip(documents, sizes, strict=True)
        ]

    def _extract_together(self, documents: Sequence[Document]) -> list[Extraction]:
        seat = self._idle.get()
        try:
            return seat.extract_together(documents)
        finally:
            self._idle.put(seat)


def too_large(key: str, size_bytes: int, limits: ExtractionLimits) -> Extraction:
    """Return the extraction of an object that is not even read."""
    reason = f"The object has {size_bytes:,} bytes, {limits.max_object_bytes:,} are read."
    return Extraction("too_large", reason, media_type_of_key(key))


class _DiedError(Exception):
    """A parser process ended in the middle of a document."""

    def __init__(self, returncode: int, *, had_served: bool) -> None:
        super().__init__(returncode)
        self.returncode = returncode
        self.had_served = had_served


class _Seat:
    """A place for one parser process, and the process that has it now."""

    def __init__(self, limits: ExtractionLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._has_served = False

    def extract_together(self, documents: Sequence[Document]) -> list[Extraction]:
        if len(documents) > 1:
            with suppress(_DiedError):  # nobody knows of which one: each is tried alone
                return self._ask(documents)
        return [self._extract(document) for document in documents]

    def _extract(self, document: Document) -> Extraction:
        try:
            return self._ask([document])[0]
        except _DiedError as death:
            if death.returncode in _TIMED_OUT or not death.had_served:
                return self._unreadable(document.key, death)
        # Earlier documents may have left too little memory; the answer must not depend on them.
        try:
            return self._ask([document])[0]
        except _DiedError as death:
            return self._unreadable(document.key, death)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()  # closes the pipes and waits
            self._has_served = False

    def _ask(self, documents: Sequence[Document]) -> list[Extraction]:
        process = self._process = self._process or _start(self._limits)
        requests, answers = _pipe(process.stdin), _pipe(process.stdout)
        try:
            for number, document in enumerate(documents, 1):
                _send(requests, document, more=number < len(documents))
            requests.flush()
            found = [_receive(answers) for _ in documents]
        except (BrokenPipeError, EOFError) as error:
            raise self._bury(process) from error
        except BaseException:  # half a message is in the pipe: nobody can talk to it any more
            self.close()
            raise
        self._has_served = True
        return found

    def _bury(self, process: subprocess.Popen[bytes]) -> _DiedError:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_EXIT_SECONDS)
        had_served = self._has_served
        self.close()
        return _DiedError(process.wait(), had_served=had_served)

    def _unreadable(self, key: str, death: _DiedError) -> Extraction:
        reason = _reason_of_death(death.returncode, self._limits)
        logger.warning("replaced_parser status=%d reason=%r", death.returncode, reason)
        return Extraction("unreadable", reason, media_type_of_key(key))


def _start(limits: ExtractionLimits) -> subprocess.Popen[bytes]:
    """Start a parser process and wait until it has its imports.

    It gets no environment but what Python needs: the parsers of strangers' files see no secrets.
    """
    environment = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join([str(_PROJECT_ROOT), *filter(None, sys.path)])
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            [sys.executable, "-P", "-m", "include.documents.worker", msgspec.json.encode(limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        msg = f"no parser process starts: {error}"
        raise ConfigurationError(msg) from error
    if _pipe(process.stdout).read(len(READY)) != READY:
        process.kill()
        process.communicate()
        msg = f"no parser process starts (status {process.returncode}); it wrote why to the log"
        raise ConfigurationError(msg)
    return process


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError
    return stream


def _send(requests: IO[bytes], document: Document, *, more: bool) -> None:
    """Send a document of exactly the size that the header says, else both sides would wait."""
    file, name = document.file, document.key.encode(errors="replace")
    missing_bytes = file.seek(0, SEEK_END)
    requests.write(REQUEST_HEADER.pack(len(name), missing_bytes, more) + name)
    file.seek(0)
    while missing_bytes:
        chunk = file.read(min(missing_bytes, _CHUNK_BYTES))
        if not chunk:
            raise OSError(errno.ESTALE, "it became shorter while it was read")
        requests.write(chunk)
        missing_bytes -= len(chunk)


def _receive(answers: IO[bytes]) -> Extraction:
    (size_bytes,) = ANSWER_HEADER.unpack(_read_exactly(answers, ANSWER_HEADER.size))
    return msgspec.msgpack.decode(_read_exactly(answers, size_bytes), type=Extraction)


def _read_exactly(answers: IO[bytes], size_bytes: int) -> bytes:
    content = answers.read(size_bytes)
    if len(content) < size_bytes:
        raise EOFError
    return content


def _reason_of_death(returncode: int, limits: ExtractionLimits) -> str:
    if returncode == -signal.SIGALRM:
        return f"Reading the document took longer than {limits.timeout_seconds:g} seconds."
    if returncode == -signal.SIGPROF:
        return "Reading the document takes far more computing than one of its size should."
    if returncode == OUT_OF_MEMORY_STATUS:
        return f"Reading the document takes more than {limits.memory_bytes:,} bytes of memory."
    if returncode == -signal.SIGABRT:  # what pdfium does when it gets no more memory
        return (
            f"The parser gave up, most likely for want of {limits.memory_bytes:,} bytes of memory."
        )
    return f"The parser crashed on the document (status {returncode})."
