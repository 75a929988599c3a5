"""Tell by its letters how a text is encoded that is too short for a detector."""

import re

_WESTERN_LETTERS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœ"
_TURKISH_LETTERS = "ÂÇĞÎİÖŞÛÜâçğîıöşûü"
_CENTRAL_LETTERS = "ÁÂÄĂĄĆČĎĐÉĘĚÍÎŁŃŇÓÔÖŐŘŚŠȘŤȚÚÜŮŰÝŹŻŽßáâäăąćčďđéęěíîłńňóôöőřśšșťțúüůűýźżž"
_WORD_SIGNS = "\u2019\u2013\u2014\u2026\u00b7"
_SIGNS = _WORD_SIGNS + "\u00a0«»¿¡„“”\u201a\u2018•§°±£€©®™µ²³½¼¾\u00b4\u00d7"
_MAINFRAME = "cp037"
_MAINFRAME_SPACE = 0x40
_MIN_SPACE_SHARE = 0.05
_PLAIN = re.compile("[A-Za-z0-9 .,:;'\"()/+*=<>$&%#@?!_-]|\n|\r|\x85|\t")
_MIN_PLAIN_SHARE = 0.95


def _unlike(letters: str) -> re.Pattern[str]:
    """Match what no text in the languages with these letters holds.

    Other alphabets misread as Latin do: strange signs, many accents in a row, signs in words.
    """
    return re.compile(
        f"[^\\x00-\\x7f{letters}{_SIGNS}]"
        f"|[{letters}]{{3}}"
        f"|(?<=[A-Za-z{letters}])[^\\x00-\\x7f{_WORD_SIGNS}{letters}](?=[A-Za-z{letters}])"
    )


_UNWESTERN = _unlike(_WESTERN_LETTERS)
_LANGUAGES = (
    ("cp1254", _unlike(_TURKISH_LETTERS)),
    ("cp1250", _unlike(_CENTRAL_LETTERS)),
    ("iso8859-2", _unlike(_CENTRAL_LETTERS)),
)


def reads_as_western(content: bytes) -> bool:
    """Return whether what lies beyond ASCII are accents and quotes where these may stand."""
    return _decode_unless(content, "cp1252", _UNWESTERN) is not None


def decode_by_letters(content: bytes) -> tuple[str, str] | None:
    """Return the text in the first encoding in which all letters are those of its languages."""
    found = ((_decode_unless(content, codec, unlike), codec) for codec, unlike in _LANGUAGES)
    return next(((text, codec) for text, codec in found if text is not None), None)


def decode_mainframe(content: bytes) -> tuple[str, str] | None:
    """Return EBCDIC text, which is told by its spaces, else None."""
    if content.count(_MAINFRAME_SPACE) < len(content) * _MIN_SPACE_SHARE or b" " in content:
        return None
    text = content.decode(_MAINFRAME)
    is_plain = len(_PLAIN.findall(text)) >= len(text) * _MIN_PLAIN_SHARE
    return (text, _MAINFRAME) if is_plain else None


def _decode_unless(content: bytes, codec: str, unlike: re.Pattern[str]) -> str | None:
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        return None
    return None if unlike.search(text) else text
