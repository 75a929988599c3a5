"""Bytes to text: find the encoding, and drop what no JSON, no warehouse and no prompt wants."""

import codecs
import re

import chardet

from include.documents import alphabets, wide
from include.documents.extraction import NoTextError

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
"""What a declared encoding means in practice. Source: WHATWG Encoding Standard, labels."""

_ALIASES = {"x-sjis": "shift_jis", "ks_c_5601-1987": "euc_kr", "unicode-1-1-utf-7": "utf-7"}

_STATEFUL = {"iso2022_jp", "iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr", "hz"}
_WIDE = ("utf-16", "utf-32")
_SEVEN_BIT = "utf-7"
_SEVEN_BIT_LETTERS = re.compile(rb"\+[A-Za-z0-9+/]{3}")
_LATIN = "cp1252"
_OLD_CODECS = ("cp4", "cp7", "cp8", "mac")
"""Encodings of DOS and the old Macintosh: what a detector finds where it finds nothing."""
_NO_LEAD_BYTES = bytes(range(0xC2))
_ASCII_END = 0x80
_BEYOND_ASCII = bytes(range(_ASCII_END, 0x100))
_SHIFT_SEQUENCES = re.compile(rb"\x1b[$(]|~\{")
_WORD = re.compile(r"[A-Za-z\x80-\x9f\u0370-\u06ff]{2,}")
_FOREIGN_LETTER = re.compile(r"[\x80-\x9f\u0370-\u06ff]")
"""Greek, Cyrillic, Hebrew and Arabic letters, and controls, which are no letters at all."""
_ASCII_LETTER = re.compile("[A-Za-z]")

_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85]")
_TERMINAL_SEQUENCES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][0-9A-Z]|[=>78@-Z\\^_])"
)
"""Colours, cursor movements, window titles. Source: ECMA-48; xterm control sequences."""
_STRUCK_OVER = re.compile("[^\n\x08]\x08")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")

_BINARY = "The object holds binary data of an unknown format."
_MAX_BROKEN_SHARE = 0.25
_MAX_NUL_SHARE = 0.001
_MAX_MIXED_SHARE = 0.5
_MIN_EVIDENCE_BYTES = 10
"""With fewer bytes beyond ASCII a detector guesses; the most common encoding guesses better."""
_SAMPLE_CHARACTERS = 100_000
_DETECTED_BYTES = 2**20
"""Of more, the detector looks at the first so many and the last."""


def decode(content: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the text of `content` and the name of the encoding it was in.

    Args:
        declared: The encoding that the document or its envelope names; believed after UTF-8.

    Raises:
        NoTextError: The bytes are not text.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return _decode_marked(content, encoding)
    declared_codec = _codec(declared)
    if _shifts(content) and content.isascii():
        return _decode_stateful(content, declared_codec)
    if b"\0" in content:
        return _decode_with_nuls(content)
    if declared_codec is not None and declared_codec.startswith(_WIDE):
        declared_codec = None  # whoever wrote that did so in bytes
    return (
        _decode_in_disguise(content, declared_codec)
        or _decode_strictly(content, "utf-8")
        or _decode_damaged_utf8(content)
        or _decode_strictly(content, declared_codec)
        or _decode_detected(content)
    )


def _shifts(content: bytes) -> bool:
    """Return whether there is a shift sequence; most documents have not even its first byte."""
    may_shift = b"\x1b" in content or b"~{" in content
    return may_shift and _SHIFT_SEQUENCES.search(content) is not None


def _decode_marked(content: bytes, encoding: str) -> tuple[str, str]:
    """Decode what begins with a mark, unless all or the rest of it is something else."""
    if encoding == "utf-16" and content.find(b"\0") < 0:
        text = wide.narrow_text(content[2:])
        if text is not None:
            return text, "utf-8"
    if encoding == "utf-16" and (end := wide.narrow_end(content)):
        return content[:end].decode(encoding, errors="replace") + content[end:].decode(), encoding
    return content.decode(encoding, errors="replace"), encoding


def clean(text: str) -> str:
    r"""Return `text` with \n as its only newline and tab as its only other control character.

    What a terminal would not show is left out: colours, titles, letters struck over.
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text  # as nearly all are: nothing that is looked for below can be printed
    if "\x1b" in text:
        text = _TERMINAL_SEQUENCES.sub("", text)
    if "\x08" in text:
        text = _STRUCK_OVER.sub("", text)
    text = _NEWLINES.sub("\n", text.removeprefix("\ufeff"))
    return _SURROGATES.sub("\ufffd", _UNWANTED.sub("", text))


def _codec(name: str | None) -> str | None:
    if not name:
        return None
    name = name.strip().strip("\"'").lower()
    try:
        codec = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):  # unknown, or not even a name
        return None
    is_text = codec._is_text_encoding  # noqa: SLF001 - the only way to tell rot13 from latin-1
    return _SUPERSETS.get(codec.name, codec.name) if is_text else None


def _decode_strictly(content: bytes, encoding: str | None) -> tuple[str, str] | None:
    if encoding is None:
        return None
    try:
        return content.decode(encoding), encoding
    except (UnicodeError, ValueError):
        return None


def _decode_stateful(content: bytes, declared: str | None) -> tuple[str, str]:
    """Decode 7-bit encodings such as ISO-2022-JP, every text in which is valid ASCII too."""
    detected = _codec(_detect(content))
    return (
        (declared in _STATEFUL and _decode_strictly(content, declared))
        or (detected in _STATEFUL and _decode_strictly(content, detected))
        or (content.decode("ascii"), "utf-8")
    )


def _decode_with_nuls(content: bytes) -> tuple[str, str]:
    """Decode UTF-16 or UTF-32 without a mark, or text in which a few NULs went astray."""
    padded = content.rstrip(b"\0")
    if content.endswith(b"\0\0") and b"\0" not in padded:  # no half of a wide character
        return decode(padded)
    if spliced := wide.decode_spliced(content):
        return spliced, "utf-8"
    detected = (_detect(content) or "").lower()
    if detected.startswith("utf-32"):
        return content.decode(detected, errors="replace"), detected
    order = wide.order_of(content) or wide.is_one_sided(content)
    if order is None and detected.startswith("utf-16"):
        order = wide.side_of_nuls(content)
    if order is not None:
        return content.decode(order, errors="replace"), order
    if content.count(0) <= max(1, len(content) * _MAX_NUL_SHARE):
        return decode(content.replace(b"\0", b""))
    text = wide.without_holes(content)
    if text is not None:
        return text, "utf-8"
    raise NoTextError(outcome="unsupported", reason=_BINARY)


def _decode_in_disguise(content: bytes, declared: str | None) -> tuple[str, str] | None:
    """Decode UTF-16 and UTF-7 whose bytes are valid ASCII or UTF-8, too."""
    is_ascii = content.isascii()
    order = wide.order_of(content)
    if order and (is_ascii or _decode_strictly(content, "utf-8") is None):
        return content.decode(order, errors="replace"), order
    is_declared = declared == _SEVEN_BIT
    if not is_ascii or not (is_declared or _may_be_seven_bit(content)):
        return None
    decoded = _decode_strictly(content, _SEVEN_BIT)
    if decoded is None or not decoded[0].replace("\n", "").replace("\r", "").isprintable():
        return decoded if is_declared else None
    return decoded if is_declared or _codec(_detect(content)) == _SEVEN_BIT else None


def _may_be_seven_bit(content: bytes) -> bool:
    return b"+" in content and _SEVEN_BIT_LETTERS.search(content) is not None


def _decode_damaged_utf8(content: bytes) -> tuple[str, str] | None:
    """Decode UTF-8 in which some characters are broken, or slipped in from a Latin encoding."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = len(content.translate(None, delete=_NO_LEAD_BYTES)) - broken
    if not broken <= max(1, whole * _MAX_BROKEN_SHARE) < whole:
        return None
    return content.decode("utf-8", errors=_STRAY_LATIN), "utf-8"


def _replace_stray(error: UnicodeError) -> tuple[str, int]:
    """Read a single byte between ASCII as Latin, and mark everything else as broken."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    content, start, end = error.object, error.start, error.end
    is_stray = (
        end - start == 1
        and end < len(content)
        and content[end] < _ASCII_END
        and (start == 0 or content[start - 1] < _ASCII_END)
    )
    return content[start:end].decode(_LATIN, "replace") if is_stray else "\ufffd", end


_STRAY_LATIN = "nightshift-stray-latin"
codecs.register_error(_STRAY_LATIN, _replace_stray)


def _decode_detected(content: bytes) -> tuple[str, str]:
    if len(content) > _MIN_EVIDENCE_BYTES and len(set(content[:_DETECTED_BYTES])) == 1:
        raise NoTextError(outcome="unsupported", reason=_BINARY)  # erased memory
    if (mainframe := alphabets.decode_mainframe(content)) is not None:
        return mainframe
    codec = _codec(_detect(content))
    beyond_ascii = len(content) - len(content.translate(None, delete=_BEYOND_ASCII))
    is_guess = beyond_ascii <= _MIN_EVIDENCE_BYTES or (codec or "").startswith(_OLD_CODECS)
    if codec == _LATIN or (is_guess and alphabets.reads_as_western(content)):
        return _decode_latin(content)
    if is_guess and (spelled := alphabets.decode_by_letters(content)):
        return spelled
    if codec is None:
        raise NoTextError(outcome="unsupported", reason=_BINARY)
    text = content.decode(codec, errors="replace")
    if _is_plausible(text):
        return text, codec
    return alphabets.decode_by_letters(content) or _decode_latin(content)


def _decode_latin(content: bytes) -> tuple[str, str]:
    """Decode line by line, as some may be UTF-8: so in a log that two programs write."""
    lines = (
        (_decode_strictly(line, "utf-8") or (line.decode(_LATIN, errors="replace"),))[0]
        for line in content.splitlines(keepends=True)
    )
    return "".join(lines), _LATIN


def _detect(content: bytes) -> str | None:
    if len(content) > _DETECTED_BYTES:
        half = _DETECTED_BYTES // 2
        content = content[:half] + content[-half:]
    return chardet.detect(content, max_bytes=len(content))["encoding"]


def _is_plausible(text: str) -> bool:
    """Return whether the letters of other alphabets make words of their own.

    A detector may take the accents of a Latin text for Greek or Hebrew letters.
    """
    words = filter(_FOREIGN_LETTER.search, _WORD.findall(text, 0, _SAMPLE_CHARACTERS))
    is_mixed = [_ASCII_LETTER.search(word) is not None for word in words]
    return sum(is_mixed) <= len(is_mixed) * _MAX_MIXED_SHARE
