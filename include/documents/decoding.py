"""Bytes to text: find the encoding, and drop what no JSON, no warehouse and no prompt wants."""

import codecs
import re

import chardet

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
_NO_LEAD_BYTES = bytes(range(0xC2))
_SHIFT_SEQUENCES = re.compile(rb"\x1b[$(]|~\{")
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")

_MAX_BROKEN_SHARE = 0.01
_MAX_NUL_SHARE = 0.001


def decode(content: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the text of `content` and the name of the encoding it was in.

    Args:
        declared: The encoding that the document or its envelope names; believed after UTF-8.

    Raises:
        NoTextError: The bytes are not text.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content.decode(encoding, errors="replace"), encoding
    declared_codec = _codec(declared)
    if _SHIFT_SEQUENCES.search(content) and content.isascii():
        return _decode_stateful(content, declared_codec)
    if b"\0" in content:
        return _decode_with_nuls(content)
    return (
        _decode_strictly(content, "utf-8")
        or _decode_damaged_utf8(content)
        or _decode_strictly(content, declared_codec)
        or _decode_detected(content)
    )


def clean(text: str) -> str:
    r"""Return `text` with \n as its only newline and tab as its only other control character."""
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
    detected = _codec(chardet.detect(content, max_bytes=len(content))["encoding"])
    return (
        (declared in _STATEFUL and _decode_strictly(content, declared))
        or (detected in _STATEFUL and _decode_strictly(content, detected))
        or (content.decode("ascii"), "utf-8")
    )


def _decode_with_nuls(content: bytes) -> tuple[str, str]:
    """Decode UTF-16 or UTF-32 without a mark, or text in which a few NULs went astray."""
    detected = chardet.detect(content, max_bytes=len(content))["encoding"]
    if detected and detected.lower().startswith(("utf-16", "utf-32")):
        return content.decode(detected, errors="replace"), detected.lower()
    if content.count(0) > max(1, len(content) * _MAX_NUL_SHARE):
        raise NoTextError(
            outcome="unsupported", reason="The object holds binary data of an unknown format."
        )
    return decode(content.replace(b"\0", b""))


def _decode_damaged_utf8(content: bytes) -> tuple[str, str] | None:
    """Decode UTF-8 in which single characters are broken, as by a cut in the middle of one."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = len(content.translate(None, delete=_NO_LEAD_BYTES)) - broken
    return (text, "utf-8") if broken <= max(1, whole * _MAX_BROKEN_SHARE) < whole else None


def _decode_detected(content: bytes) -> tuple[str, str]:
    detected = chardet.detect(content, max_bytes=len(content))["encoding"]
    codec = _codec(detected)
    if codec is None:
        raise NoTextError(
            outcome="unsupported", reason="The object holds binary data of an unknown format."
        )
    return content.decode(codec, errors="replace"), codec
