"""Tell UTF-16 and UTF-32 without a mark, and text that is wide in one part only, from the rest."""

import codecs
import re
from collections.abc import Iterator

_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x19\x1c-\x1f\x7f]")
"""What no text in bytes has, while half of a wide character may look like it."""
_STRANGE = re.compile("[\x00-\x08\x0e-\x1f\ue000-\uf8ff\ufffd]")
"""What binary data is full of when it is taken for letters, and no text has."""
_NUL_RUNS = re.compile(rb"\0+")
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ORDERS = ("utf-16-le", "utf-16-be")
_MAX_PRINTABLE_SHARE = 0.85
_MIN_WIDE_SHARE = 0.4
_MIN_OF_ONE_SCRIPT = 0.9
_MIN_SCRIPT_LEAD = 0.15
_SAMPLE_BYTES = 100_000
_MIN_NARROW_BYTES = 8
_MIN_HOLED_BYTES = 40
"""Less may be the head of any binary file."""
_WESTERN = "\t\n\r -~\u00a0-\u024f\u2010-\u203a\u20ac"
_SCRIPTS = tuple(
    re.compile(f"[{_WESTERN}{script}]")
    for script in (
        "\u0370-\u03ff\u1f00-\u1fff",
        "\u0400-\u052f",
        "\u0590-\u05ff",
        "\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufeff",
        "\u0900-\u097f",
        "\u0e00-\u0e7f",
        "\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef",
        "\u3000-\u3020\uac00-\ud7a3",
    )
)
"""The characters of a text in one script; each may hold Western ones, as names and numbers are."""
_BYTES_PRINTED = bytes((*b"\t\n\r", *range(0x20, 0x7F)))


def order_of(content: bytes) -> str | None:
    """Return the byte order of UTF-16 that only its letters give away, None where it is none.

    Without spaces and line ends, Chinese or Japanese has no NUL to tell it by.
    """
    sample = content[:_SAMPLE_BYTES]
    printed = len(sample) - len(sample.translate(None, delete=_BYTES_PRINTED))
    if not _CONTROLS.search(sample) or printed > len(sample) * _MAX_PRINTABLE_SHARE:
        return None
    (worse, _), (better, order) = sorted((_coherence(sample, order), order) for order in _ORDERS)
    is_clear = better >= _MIN_OF_ONE_SCRIPT and better - worse >= _MIN_SCRIPT_LEAD
    return order if is_clear else None


def is_one_sided(content: bytes) -> str | None:
    """Return the byte order where nearly every other byte is a NUL, as in ASCII in UTF-16."""
    fewer, more = sorted((content[::2].count(0), content[1::2].count(0)))
    return None if fewer or more <= len(content) * _MIN_WIDE_SHARE else side_of_nuls(content)


def side_of_nuls(content: bytes) -> str:
    """Return the byte order of which there are more ASCII characters."""
    return "utf-16-le" if content[1::2].count(0) > content[::2].count(0) else "utf-16-be"


def decode_spliced(content: bytes) -> str | None:
    """Return the text of a file that two programs wrote, one in UTF-8 and one in UTF-16."""
    for narrow, wide, order in _splices(content):
        if len(narrow) >= _MIN_NARROW_BYTES and is_one_sided(wide) == order:
            text = narrow_text(narrow)
            if text is not None:
                return text + wide.decode(order, errors="replace")
    return None


def narrow_end(content: bytes) -> int | None:
    """Return where UTF-8 begins behind UTF-16 with a mark, None where it does not."""
    start = content.rfind(b"\0") + 1
    start += (start % 2) if content.startswith(codecs.BOM_UTF16_LE) else 0
    tail = content[start:]
    is_text = len(tail) >= _MIN_NARROW_BYTES and b" " in tail and narrow_text(tail) is not None
    # Kana in UTF-16 are ASCII by their bytes: every other one is a zero.
    return start if is_text and tail.count(b"0") * 4 < len(tail) else None


def without_holes(content: bytes) -> str | None:
    """Return text in which NULs separate words, or fill what was never written, else None."""
    text = _NUL_RUNS.sub(b"\n", content)
    return narrow_text(text) if len(text) >= _MIN_HOLED_BYTES else None


def _coherence(content: bytes, order: str) -> float:
    """Return which share of the characters a text in one script may hold."""
    text = content[: len(content) // 2 * 2].decode(order, errors="replace")
    if _STRANGE.search(text.rstrip("\ufffd")):
        return 0.0
    return max(len(script.findall(text)) for script in _SCRIPTS) / max(1, len(text))


def _splices(content: bytes) -> Iterator[tuple[bytes, bytes, str]]:
    for mark, order in _MARKS:
        place = content.find(mark)
        if place > 0:
            yield content[:place], content[place + len(mark) :], order
    place = content.find(b"\0")
    yield content[: place - 1], content[place - 1 :], "utf-16-le"
    yield content[:place], content[place:], "utf-16-be"


def narrow_text(content: bytes) -> str | None:
    """Return UTF-8 without controls, None where it is something else."""
    if _CONTROLS.search(content):
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
