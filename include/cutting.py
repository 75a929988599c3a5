"""Cutting: a long text becomes parts, or its beginning; the same text always the same ones."""

from itertools import islice

import regex

SLACK = 8
"""A cut may lie an eighth of a part before or after the place where parts would be even."""

_ENDS = tuple(
    regex.compile(f"(?r){pattern}")
    for pattern in (
        r"\n[ \t]*\n",  # paragraphs
        r"\n",  # lines
        r"[.!?\u2026][\"'\u2019\u201d)\]]*\s|[\u3002\uff01\uff1f]",  # sentences
        r"\s",  # words
    )
)
"""What may end a part, best first; `(?r)` looks from the end."""
_WORD_START = regex.compile(r"\s(?=\S)")
_CERTAIN = regex.compile(r"(?r)\n|[!-~](?=[ -~])")
"""What ends a grapheme whatever stands before it."""
_GRAPHEME = regex.compile(r"\X")
_LOOK_BACK_CHARACTERS = 1_000
_TRIES = 100
"""Ends of one kind that are looked at; in a sound text the first will do."""


def split_text(text: str, *, max_characters: int, overlap_characters: int = 0) -> list[str]:
    """Cut a text into parts of about equal length, between paragraphs, lines, sentences or words.

    Without overlap the parts put together are the text. A word is cut only where it is longer than
    the room for a cut, and then between graphemes.

    Args:
        text: The text.
        max_characters: Of a part, the overlap included.
        overlap_characters: At most so many characters of a part begin the next one again.
    """
    parts, start = [], 0
    while len(text) - start > max_characters:
        rest = len(text) - start
        even = -(-rest // -(-rest // max_characters))
        latest = start + min(max_characters, even + even // SLACK)
        end = _last_cut(text, start, start + even - even // SLACK, latest)
        parts.append(text[start:end])
        shared = min(overlap_characters, (end - start) // 2)
        start = _first_cut(text, start, end - shared, end)
    return [*parts, text[start:]]


def beginning_of(text: str, max_characters: int) -> str:
    """Return as much of the beginning as fits, cut where a part would be cut."""
    if len(text) <= max_characters:
        return text
    earliest = max_characters - max_characters // SLACK
    return text[: _last_cut(text, 0, earliest, max_characters)]


def _last_cut(text: str, start: int, earliest: int, latest: int) -> int:
    """Return the best place to end what begins at `start`."""
    for pattern in _ENDS:
        for found in islice(pattern.finditer(text, start, latest), _TRIES):
            if found.end() < earliest:
                break
            if found.end() in _grapheme_ends(text, start, found.end()):
                return int(found.end())
    return max((end for end in _grapheme_ends(text, start, latest) if end > start), default=latest)


def _first_cut(text: str, start: int, earliest: int, latest: int) -> int:
    """Return where the first word begins in what two parts may share; `latest` if none does."""
    if earliest == latest:
        return latest
    words = islice(_WORD_START.finditer(text, earliest - 1, latest), _TRIES)
    ends = (found.end() for found in words)
    return next((end for end in ends if end in _grapheme_ends(text, start, end)), latest)


def _grapheme_ends(text: str, start: int, latest: int) -> list[int]:
    """Return where graphemes end in the thousand characters before `latest`.

    Looking no further back keeps the cost of strange texts small; what is cut wrong by it is a
    grapheme as long, or as many flags in a row.
    """
    begin = max(start, latest - _LOOK_BACK_CHARACTERS)
    if certain := _CERTAIN.search(text, begin, latest):
        begin = certain.end()
    # The character after `latest` decides whether a grapheme ends there.
    ends = (begin + found.end() for found in _GRAPHEME.finditer(text[begin : latest + 1]))
    return [begin, *(end for end in ends if end <= latest)]
