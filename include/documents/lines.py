"""JSON Lines with a document on each line: split an object as a stream, and read one line."""

import codecs
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_END
from typing import IO, Any

import msgspec

from include.documents import sniffing
from include.documents.decoding import decode
from include.documents.extraction import Extraction, ExtractionLimits, NoTextError, Reading
from include.documents.formats import json as json_format
from include.documents.reading import checked
from include.lines import Lines

MEDIA_TYPE = "application/json"

_CHUNK_BYTES = 256 * 2**10
_FILLERS = b"\0 \t\r\n\x0b\x0c"
_GZIP_MAGIC = b"\x1f\x8b"
_WIDE_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAX_ID_CHARACTERS = 200
_LENIENT_BYTES = 2**20
"""Lines up to here may hold what Python writes and JSON has not: NaN, halves of characters. Larger
ones are judged by a parser that takes no memory."""
_LENIENT = json.JSONDecoder(strict=False)
_MAX_EXPANSION = 200
"""How many times its size a gzip file may unpack to, beyond `max_unpacked_bytes`; text is never
packed so tightly."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank."""

    number: int
    """From 1, blank lines counted."""
    content: bytes
    """Without its line break; cut off where the line is longer than may be read."""
    size_bytes: int
    """Of all of the line."""

    @property
    def is_cut(self) -> bool:
        """Whether the line is longer than `content`."""
        return self.size_bytes > len(self.content)


def split_lines(file: IO[bytes], limits: ExtractionLimits) -> Iterator[Line]:
    """Yield the lines of an object, gzip or not, in memory bounded by its longest line read.

    Raises:
        NoTextError: There are no lines, or not to the end of the object: what was yielded counts.
    """
    packed_bytes = file.seek(0, SEEK_END)
    file.seek(0)
    head = file.read(_CHUNK_BYTES)
    file.seek(0)
    chunks = _chunks(file)
    if head.startswith(_GZIP_MAGIC):
        chunks = _gunzip(chunks, limits.max_unpacked_bytes + packed_bytes * _MAX_EXPANSION)
    elif media_type := sniffing.binary_media_type(head):
        reason = f"The object is {media_type}, which has no lines."
        raise NoTextError(outcome="unsupported", reason=reason)
    is_empty = True
    for line in _lines(_in_utf8(chunks), limits.max_object_bytes):
        is_empty = False
        yield line
    if is_empty:
        raise NoTextError(outcome="empty", reason="The object holds no lines.")


def read_id(line: bytes, lines: Lines) -> str | None:
    """Return what a line calls itself, None where it has no usable name."""
    if lines.id_field is None:
        return None
    try:
        raw = _field(line, lines.id_field)
        found = None if raw is None else msgspec.json.decode(raw, type=str | int)
    except (ValueError, RecursionError):
        return None
    name = "" if found is None else str(found)
    return name if 0 < len(name) <= _MAX_ID_CHARACTERS else None


def read_line(line: bytes, lines: Lines, limits: ExtractionLimits) -> Extraction:
    """Return the text of a line, or why there is none."""
    try:
        reading = _read_field(line, lines.text_field) if lines.text_field else _read_all(line)
        return checked(reading, MEDIA_TYPE, limits)
    except NoTextError as error:
        return Extraction(error.outcome, error.reason, MEDIA_TYPE)
    except RecursionError:
        return Extraction("unreadable", "The line is nested too deeply.", MEDIA_TYPE)
    except ValueError:
        return Extraction("corrupt", "The line is not JSON.", MEDIA_TYPE)


def _read_all(line: bytes) -> Reading:
    _check_json(line)
    return json_format.read(line)


def _read_field(line: bytes, name: str) -> Reading:
    raw = _field(line, name)
    if raw is None or raw == b"null":
        raise NoTextError(outcome="empty", reason=f"The line has no text in field {name!r}.")
    if raw.startswith(b'"'):
        source, encoding = decode(raw)
        return Reading(str(_LENIENT.decode(source)), json_format.EXTRACTOR, encoding)
    return json_format.read(raw)


def _field(line: bytes, name: str) -> bytes | None:
    """Return the JSON of a field of the object on a line, None where it has no such field.

    Raises:
        ValueError: The line holds no JSON object.
    """
    try:
        found: Any = msgspec.json.decode(line, type=_shape(name))
        return None if found.value is msgspec.UNSET else bytes(found.value).strip()
    except ValueError:
        record = _parse_leniently(line)
    if not isinstance(record, dict):
        msg = "no JSON object"
        raise ValueError(msg)  # noqa: TRY004 - to the caller a kind of broken line
    return json.dumps(record[name]).encode() if name in record else None


def _check_json(line: bytes) -> None:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except ValueError:
        _parse_leniently(line)


def _parse_leniently(line: bytes) -> object:
    if len(line) > _LENIENT_BYTES:
        msg = "no JSON"
        raise ValueError(msg)
    return _LENIENT.decode(decode(line)[0])


_shapes: dict[str, type] = {}


def _shape(name: str) -> type:
    """Return a type whose only attribute, `value`, is the JSON of the field `name`."""
    if name not in _shapes:
        _shapes[name] = msgspec.defstruct(
            "Line",
            [("value", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)],
            rename={"value": name},
        )
    return _shapes[name]


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _gunzip(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """Unpack the members of a gzip file, a chunk at a time; tapes pad with zeros."""
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked_bytes, is_inside = 0, True
    for packed in chunks:
        rest = packed
        while rest := rest if is_inside else rest.lstrip(b"\0"):
            if not is_inside:
                if not _GZIP_MAGIC.startswith(rest[: len(_GZIP_MAGIC)]):
                    yield b"\n"  # what is no gzip data does not go on with the last line
                    raise _damaged()
                member, is_inside = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), True
            try:
                unpacked = member.decompress(rest, _CHUNK_BYTES)
            except zlib.error:
                raise _damaged() from None
            unpacked_bytes += len(unpacked)
            if unpacked_bytes > max_bytes:
                reason = f"The gzip file holds more than {max_bytes:,} bytes."
                raise NoTextError(outcome="too_large", reason=reason)
            yield unpacked
            is_inside = not member.eof
            rest = member.unconsumed_tail if is_inside else member.unused_data
    if is_inside:
        raise _damaged()


def _damaged() -> NoTextError:
    return NoTextError(outcome="corrupt", reason="The gzip file is damaged or cut off.")


def _in_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Take off a byte order mark, and bring UTF-16 and UTF-32 into UTF-8."""
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= len(codecs.BOM_UTF32_LE):
            break
    encoding = next((name for mark, name in _WIDE_MARKS if first.startswith(mark)), None)
    if encoding is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    yield decoder.decode(first).encode()
    for chunk in chunks:
        yield decoder.decode(chunk).encode()


def _lines(chunks: Iterator[bytes], max_line_bytes: int) -> Iterator[Line]:
    """Split at newlines; of a line that is too long, only the beginning is held."""
    number, held, size_bytes = 1, bytearray(), 0
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            held += piece[: max_line_bytes - len(held)]
            yield from _line(number, held, size_bytes + len(piece))
            number, held, size_bytes = number + 1, bytearray(), 0
        held += rest[: max_line_bytes - len(held)]
        size_bytes += len(rest)
    yield from _line(number, held, size_bytes)


def _line(number: int, held: bytearray, size_bytes: int) -> Iterator[Line]:
    is_cut = size_bytes > len(held)
    content = bytes(held) if is_cut else bytes(held).strip(_FILLERS)
    if content.strip(_FILLERS):
        yield Line(number, content, size_bytes if is_cut else len(content))
