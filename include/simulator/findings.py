"""Which finding of a text answers which field: one table a kind of value."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from include.simulator.reading import Reading

_NEUTRAL_POLARITY = 0.05
"""Source: the README of VADER, usual thresholds of the compound score."""
_KINDS = ("report", "letter", "manual", "review", "article", "policy", "contract", "paper")
_SUCH_AS = re.compile(r"such as ([^.({]+)|e\.g\.,? ([^.({]+)|for example ([^.({]+)")
_LIST_SEPARATOR = re.compile(r",\s*(?:or |and )?|\s+or\s+|\s+and\s+")
_FILLER_WORDS = frozenset({"contains", "mentions", "includes", "with", "that", "does", "text"})
_MIN_MEANINGFUL_CHARACTERS = 4
_LAST = re.compile(r"\b(ends?|until|expir\w+|last)\b")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_URI = re.compile(r"\bhttps?://[^\s<>\"')\]]+[^\s<>\"')\].,;]")


@dataclass(frozen=True)
class Field:
    """What a schema tells about a value besides its type."""

    name: str
    description: str

    def suggests(self, words: re.Pattern[str]) -> bool:
        """Return whether the name speaks of something."""
        return words.search(self.plain_name) is not None

    @property
    def plain_name(self) -> str:
        """The name in words: `mainTopic` and `main_topic` are `main topic`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", self.name).lower()


def _languages(reading: Reading, field: Field) -> list[str]:
    code, name = reading.language_code, reading.language_name
    wants_code = re.search(r"\b(iso|code)\b", f"{field.plain_name} {field.description.lower()}")
    return [code, name] if wants_code else [name, code]


def _sentiments(reading: Reading, _: Field) -> list[str]:
    return [sentiment(reading)]


def _kinds(reading: Reading, field: Field) -> list[str]:
    """Return the kinds that the description names, those first that the text mentions most."""
    kinds = _examples(field) or list(_KINDS)
    mentioned = [kind for kind in by_mentions(reading, kinds) if mentions(reading, kind)]
    return mentioned or ["document"]


def _examples(field: Field) -> list[str]:
    """Return what the description names as examples."""
    found = next(
        (part for match in _SUCH_AS.findall(field.description) for part in match if part), ""
    )
    return [word.strip() for word in _LIST_SEPARATOR.split(found) if word.strip()]


def _dates(reading: Reading, _: Field) -> list[str]:
    return reading.dates


def _plain(number: float) -> str:
    """Write a number without an exponent, and without digits that say nothing."""
    return f"{Decimal(repr(number)).normalize():f}"


TextRule = tuple[re.Pattern[str], Callable[[Reading, Field], list[str]]]
_TEXT_RULES: tuple[TextRule, ...] = tuple(
    (re.compile(words), find)
    for words, find in (
        (r"\blang(uages?)?\b|\blocale\b", _languages),
        (r"\b(summary|abstract|synopsis|gist|overview)\b|\bsentence", lambda r, _: r.sentences),
        (r"\b(sentiment|attitude|tone|mood)\b", _sentiments),
        (r"\b(title|headline|heading|subject)\b", lambda r, _: [r.title]),
        (r"\bcurrenc(y|ies)\b", lambda r, _: r.currencies),
        (r"topic|keyword|\btags?\b|theme", lambda r, _: r.topics),
        (r"\b(type|kind|role|genre|category|class)\b", _kinds),
        (
            r"entit|\b(name|people|persons?|organi[sz]ations?|compan(y|ies)|products?|places?"
            r"|locations?|authors?|parties|party|countr(y|ies)|city|cities)\b",
            lambda r, _: r.entities,
        ),
        (r"\bdates?\b|\bday\b| (at|on)$", _dates),
        (r"\b(number|amount|price|total|decimal)\b", lambda r, _: list(map(_plain, r.numbers))),
    )
)


def texts(reading: Reading, field: Field) -> list[str]:
    """Return what could be said in a text field, best first; empty if nothing was found."""
    for hint in (field.plain_name, field.description.lower()):
        for words, find in _TEXT_RULES:
            if words.search(hint):
                return [text for text in find(reading, field) if text]
    return reading.topics


def formatted(reading: Reading, field: Field, text_format: str) -> list[str]:
    """Return what the text holds in one of JSON schema's formats."""
    if text_format == "date" and field.suggests(_LAST):
        return sorted(reading.dates, reverse=True)
    finders: dict[str, Callable[[], list[str]]] = {
        "date": lambda: reading.dates,
        "date-time": lambda: [f"{day}T00:00:00Z" for day in reading.dates],
        "email": lambda: _EMAIL.findall(reading.text),
        "uri": lambda: _URI.findall(reading.text),
        "decimal": lambda: reading.amounts or list(map(_plain, reading.numbers)),
        "uuid": lambda: [str(uuid.uuid5(uuid.NAMESPACE_OID, reading.text))],
    }
    return finders[text_format]() if text_format in finders else []


FORMAT_DEFAULTS = {
    "date": "1970-01-01",
    "date-time": "1970-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "nobody@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "decimal": "0",
}
"""For a field that must have a value when the text has none."""


def sentiment(reading: Reading) -> str:
    """Return the attitude of the text in one word."""
    if abs(reading.polarity) < _NEUTRAL_POLARITY:
        return "neutral"
    return "positive" if reading.polarity > 0 else "negative"


_SHARE = re.compile(r"\b(confidence|probability|likelihood|relevance|certainty)\b")
_ATTITUDE = re.compile(r"\b(sentiment|polarity|score|rating|attitude)\b")
_WORDS = re.compile(r"\bwords?\b")
_YEAR = re.compile(r"\byear\b")


def numbers(reading: Reading, field: Field, limits: tuple[float, float]) -> list[float]:
    """Return what could be said in a number field, best first; empty if nothing was found."""
    if field.suggests(_SHARE):
        return [_scaled(abs(reading.polarity), limits, default=(0, 1))]
    if field.suggests(_ATTITUDE):
        return [_scaled((reading.polarity + 1) / 2, limits, default=(-1, 1))]
    if field.suggests(_WORDS):
        return [len(reading.text.split())]
    if field.suggests(_YEAR):
        return [float(day[:4]) for day in reading.dates]
    return [number for number in reading.numbers if limits[0] <= number <= limits[1]]


def _scaled(share: float, limits: tuple[float, float], *, default: tuple[float, float]) -> float:
    is_bounded = max(map(abs, limits)) < float("inf")
    lowest, highest = limits if is_bounded else default
    return round(lowest + share * (highest - lowest), 3)


def flag(reading: Reading, field: Field) -> bool:
    """Return whether the text mentions what a boolean field is named after, or an example of it."""
    words = {*field.plain_name.split(), *" ".join(_examples(field)).split()} - _FILLER_WORDS
    return any(
        len(word) >= _MIN_MEANINGFUL_CHARACTERS and reading.word_counts[word] for word in words
    )


def mentions(reading: Reading, phrase: str) -> int:
    """Return how often the text has the words of a phrase."""
    words = re.findall(r"\w+", phrase.replace("_", " ").lower())
    return sum(reading.word_counts[word] for word in words)


def by_mentions(reading: Reading, phrases: list[str] | tuple[str, ...]) -> list[str]:
    """Return the phrases, those first that the text mentions most."""
    return sorted(phrases, key=lambda phrase: -mentions(reading, phrase))
