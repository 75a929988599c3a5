"""How a download of results goes wrong: in its lines, and on its way."""

import itertools
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from include.simulator.exchange import Reply
from include.simulator.faults import Fault
from include.simulator.results import shuffled

_BLOCK_BYTES = 1 << 16
_MEGABYTE = 1 << 20
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_SPARSE_KEYS = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence")
_SPARSE_USAGE_KEYS = ("input_tokens", "output_tokens")

Lines = Iterable[bytes]
Result = dict[str, Any]


def download(open_lines: Callable[[], Lines], count: int, faults: Sequence[Fault]) -> Reply:
    """Return the reply that sends `count` lines, as far as the faults let them through.

    Args:
        open_lines: Yields all lines, anew each time.
        count: How many lines that are.
        faults: What goes wrong, all of it at once.
    """

    def changed_lines() -> Lines:
        lines = open_lines()
        for fault in faults:
            lines = _LINE_DAMAGES.get(fault.kind, _unchanged)(lines, fault)
        return lines

    reply = Reply(200, changed_lines(), "application/x-jsonl", framing="chunked")
    for fault in faults:
        if fault.kind in _TRANSPORT_DAMAGES:
            place = count // 2 if fault.after_lines is None else fault.after_lines
            reply = _TRANSPORT_DAMAGES[fault.kind](reply, changed_lines, place, fault)
    if any(fault.kind == "stall" for fault in faults):
        return reply
    return replace(reply, body=_blocks(_body(reply)))


def _body(reply: Reply) -> Lines:
    """Return a body that is streamed."""
    return [reply.body] if isinstance(reply.body, bytes) else reply.body


def _blocks(lines: Lines) -> Iterator[bytes]:
    """Join lines, because one write for each costs more than the line."""
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _unchanged(lines: Lines, _: Fault) -> Lines:
    return lines


def _double(lines: Lines, fault: Fault) -> Lines:
    for number, line in enumerate(lines):
        yield line * (2 if number < fault.lines else 1)


def _first_changed(change: Callable[[Result, Fault], Result]) -> Callable[[Lines, Fault], Lines]:
    """Return a damage that changes as many lines as the fault says."""

    def apply(lines: Lines, fault: Fault) -> Lines:
        for number, line in enumerate(lines):
            yield (
                _encoded(change(msgspec.json.decode(line), fault)) if number < fault.lines else line
            )

    return apply


def _with_unknown_type(result: Result, _: Fault) -> Result:
    return result | {"result": {"type": "deferred"}}


def _grown(result: Result, fault: Fault) -> Result:
    for block in result["result"].get("message", {}).get("content", []):
        block["text"] = block.get("text", "") + " " * (fault.megabytes * _MEGABYTE)
    return result


def _with_foreign(lines: Lines, fault: Fault) -> Lines:
    for number, line in enumerate(lines):
        yield line
        if number < fault.lines:
            yield _encoded(msgspec.json.decode(line) | {"custom_id": f"foreign-{number}"})


def _sparse(lines: Lines, _: Fault) -> Lines:
    """Leave out the keys that older captures of the API lack."""
    for line in lines:
        result = msgspec.json.decode(line)
        if message := result["result"].get("message"):
            usage = {key: message["usage"][key] for key in _SPARSE_USAGE_KEYS}
            kept = {key: message[key] for key in _SPARSE_KEYS}
            result["result"]["message"] = kept | {"usage": usage}
        yield _encoded(result)


def _without_last_break(lines: Lines, _: Fault) -> Lines:
    held = b""
    for line in lines:
        yield held
        held = line
    yield held.rstrip(b"\n")


def _encoded(result: Result) -> bytes:
    return msgspec.json.encode(result) + b"\n"


_LINE_DAMAGES: dict[str, Callable[[Lines, Fault], Lines]] = {
    "drop_lines": lambda lines, fault: itertools.islice(lines, fault.lines, None),
    "dup_lines": _double,
    "unknown_id": _with_foreign,
    "unknown_type": _first_changed(_with_unknown_type),
    "huge_line": _first_changed(_grown),
    "sparse": _sparse,
    "flip": lambda lines, _: shuffled(lines, random.SystemRandom()),
    "blank_lines": lambda lines, _: (line + b"\n" for line in lines),
    "crlf": lambda lines, _: (line.replace(b"\n", b"\r\n") for line in lines),
    "bom": lambda lines, _: itertools.chain([b"\xef\xbb\xbf"], lines),
    "no_newline": _without_last_break,
}

TransportDamage = Callable[[Reply, Callable[[], Lines], int, Fault], Reply]


def _cut(reply: Reply, place: int) -> Reply:
    return replace(reply, body=itertools.islice(_body(reply), place), ending="close")


def _chunk_cut(reply: Reply, _: Callable[[], Lines], place: int, __: Fault) -> Reply:
    return _cut(reply, place)


def _chunk_reset(reply: Reply, _: Callable[[], Lines], place: int, __: Fault) -> Reply:
    return replace(_cut(reply, place), ending="reset")


def _with_length(reply: Reply, lines: Callable[[], Lines], _: int, __: Fault) -> Reply:
    return replace(reply, framing="length", declared_bytes=sum(map(len, lines())))


def _short_length(reply: Reply, lines: Callable[[], Lines], place: int, fault: Fault) -> Reply:
    return _cut(_with_length(reply, lines, place, fault), place)


def _cut_at_line(reply: Reply, _: Callable[[], Lines], place: int, __: Fault) -> Reply:
    return replace(_cut(reply, place), framing="close")


def _close_midline(reply: Reply, _: Callable[[], Lines], place: int, __: Fault) -> Reply:
    def halved() -> Lines:
        for number, line in enumerate(_body(reply)):
            if number == place:
                yield line[: len(line) // 2]
                return
            yield line

    return replace(reply, body=halved(), framing="close", ending="close")


def _stalled(reply: Reply, _: Callable[[], Lines], place: int, fault: Fault) -> Reply:
    def slow() -> Lines:
        for number, line in enumerate(_body(reply)):
            if number == place:
                time.sleep(fault.seconds)
            yield line

    return replace(reply, body=slow())


def _compressed(reply: Reply, _: Callable[[], Lines], __: int, ___: Fault) -> Reply:
    def packed() -> Lines:
        compressor = zlib.compressobj(wbits=_GZIP_WINDOW)
        yield from map(compressor.compress, _body(reply))
        yield compressor.flush()

    return replace(reply, body=packed(), headers={"content-encoding": "gzip"})


_TRANSPORT_DAMAGES: dict[str, TransportDamage] = {
    "chunk_cut": _chunk_cut,
    "chunk_rst": _chunk_reset,
    "short_length": _short_length,
    "close_midline": _close_midline,
    "cut_at_line": _cut_at_line,
    "stall": _stalled,
    "content_length": _with_length,
    "gzip": _compressed,
}
