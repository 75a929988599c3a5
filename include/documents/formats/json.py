"""JSON and JSON Lines to text: the source, with its escapes spelled out as characters."""

import re

from include.documents.decoding import decode
from include.documents.extraction import Reading

EXTRACTOR = "text"

_ESCAPE = re.compile(
    r"\\(?:"
    r"u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<unit>[0-9a-fA-F]{4})"
    r"|.)"
)
_FIRST_NON_ASCII = 0x80


def read(content: bytes) -> Reading:
    """Read JSON, valid or not."""
    text, encoding = decode(content)
    return Reading(_ESCAPE.sub(_spell_out, text), EXTRACTOR, encoding)


def _spell_out(escape: re.Match[str]) -> str:
    r"""Return the character of a `\u` escape; ASCII and lone surrogates must stay escaped."""
    if escape["high"]:
        units = bytes.fromhex(escape["high"] + escape["low"])
        return units.decode("utf-16-be")
    character = chr(int(escape["unit"], 16)) if escape["unit"] else ""
    is_spelled_out = character >= chr(_FIRST_NON_ASCII) and character.isprintable()
    return character if is_spelled_out else escape[0]
