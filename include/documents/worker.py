"""The parser process: reads documents from its parent, answers with extractions, keeps to limits.

Started by `ExtractionPool`; speaks length-prefixed messages over its standard input and output.
"""

import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from include.documents.extraction import ExtractionLimits
from include.documents.protocol import (
    ANSWER_HEADER,
    OUT_OF_MEMORY_STATUS,
    READY,
    REQUEST_HEADER,
)
from include.documents.reading import extract


def main() -> None:
    """Serve documents until the parent closes the pipe."""
    limits = msgspec.json.decode(sys.argv[1], type=ExtractionLimits)
    requests, answers = sys.stdin.buffer, _claim_stdout()
    _confine(limits)
    answers.write(READY)
    answers.flush()
    try:
        while _serve_several(requests, answers, limits):
            pass
    except MemoryError:
        os._exit(OUT_OF_MEMORY_STATUS)


def _serve_several(requests: BinaryIO, answers: BinaryIO, limits: ExtractionLimits) -> bool:
    """Read what is sent at once, then answer it; return whether there was any."""
    documents = _read_documents(requests)
    for content, key in documents:
        answer = _serve(content, key, limits)
        answers.write(ANSWER_HEADER.pack(len(answer)))
        answers.write(answer)
    answers.flush()
    return bool(documents)


def _read_documents(requests: BinaryIO) -> list[tuple[bytes, str]]:
    """Return the contents and the keys of what is sent at once; nothing at the end."""
    documents, more = [], True
    while more:
        header = requests.read(REQUEST_HEADER.size)
        if len(header) < REQUEST_HEADER.size:
            return []
        key_bytes, content_bytes, more = REQUEST_HEADER.unpack(header)
        key = requests.read(key_bytes).decode()
        documents.append((requests.read(content_bytes), key))
    return documents


def _serve(content: bytes, key: str, limits: ExtractionLimits) -> bytes:
    signal.setitimer(signal.ITIMER_REAL, limits.timeout_seconds)
    signal.setitimer(signal.ITIMER_PROF, limits.computing_seconds(len(content)))
    answer = msgspec.msgpack.encode(extract(content, key, limits))
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return answer


def _claim_stdout() -> BinaryIO:
    """Keep the pipe to ourselves, so that nothing a native parser prints gets into it."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
    return answers


def _confine(limits: ExtractionLimits) -> None:
    """Limit memory, and let the kernel end this process when a document takes too long.

    The timer works in native code too, and when the parent is dead.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM, signal.SIGPROF})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


if __name__ == "__main__":
    main()
