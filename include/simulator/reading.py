"""What can be read in a text without understanding it."""

import re
from collections import Counter
from datetime import date
from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    from yake import KeywordExtractor

_SAMPLE_CHARACTERS = 1_000
"""What the language libraries get: keywords take 5 ms for that, and more than twice that for twice
as much."""
_MAX_FINDINGS = 12
_MIN_SENTENCE_WORDS = 5
_MAX_TITLE_CHARACTERS = 120
_LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_FRONT_MATTER = re.compile(r"\A\s*(?:---\n.*?\n---\n\s*|```.*?\n```\n\s*)+", re.DOTALL)
_MARKUP = re.compile(
    r"<[^<>]{1,300}>|\{[{%].*?[%}]\}|\]\([^)\s]*\)|[*_`|]{1,3}|[\[\]]|^[#>*=\-\s]+", re.MULTILINE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=。)|\n\s*\n")
_WORD = re.compile(r"\w[\w'-]*")
_PHRASE = re.compile(
    r"\b[A-Z][\w'-]+(?: (?:of |de |van |von |for |the )?[A-Z][\w'-]+){0,4}"  # Bank of England
)
_LEADING_WORD = re.compile(
    r"^(?:A|An|And|As|At|But|By|For|From|How|If|In|It|On|Our|That|The|This|To|We|What|When|With) "
)
_INSIDE_SENTENCE = re.compile(r"(?<=[a-z,;] )[A-Z][\w'-]+")
_ISO_DATE = re.compile(r"\b((?:19|20)\d\d)-(\d\d)-(\d\d)\b")
_WRITTEN_DATE = re.compile(
    rf"\b(?:(\d{{1,2}}) )?({'|'.join(_MONTHS)})[a-z]*\.?,? (?:(\d{{1,2}})(?:st|nd|rd|th)?,? )?"
    r"((?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.-])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.-])-?\d+(?:\.\d+)?(?!\w)"
)
_CURRENCIES = {
    "€": "EUR",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "$": "USD",
    "usd": "USD",
    "dollar": "USD",
    "dollars": "USD",
    "£": "GBP",
    "gbp": "GBP",
    "pounds": "GBP",
    "chf": "CHF",
    "¥": "JPY",
    "jpy": "JPY",
}
_SIGN = "|".join(rf"{sign}\b" if sign.isalpha() else re.escape(sign) for sign in _CURRENCIES)
_SUM = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,4})?|\d{1,12}(?:\.\d{1,4})?"
_AMOUNT = re.compile(
    rf"(?P<before>(?<!\w)(?:{_SIGN}))\s?(?P<first>{_SUM})(?![\w,])"
    rf"|(?<![\w.,])(?P<last>{_SUM})\s?(?P<after>{_SIGN})",
    re.IGNORECASE,
)


class Reading:
    """Findings in one text, each made when it is first asked for."""

    _head_characters = 4_000
    """Where names, dates and numbers are looked for."""

    def __init__(self, text: str) -> None:
        """Read `text`, which may be empty."""
        self.text = text
        head = text[: 2 * self._head_characters]
        body = _FRONT_MATTER.sub("", head) or head
        self._head = _MARKUP.sub("", body[: self._head_characters])

    @cached_property
    def words(self) -> list[str]:
        """The words of the text's beginning, in lower case."""
        return _WORD.findall(self._head.lower())

    @cached_property
    def word_counts(self) -> Counter[str]:
        """How often each word is there."""
        return Counter(self.words)

    @cached_property
    def sentences(self) -> list[str]:
        """What looks like a sentence; the whole beginning if nothing does."""
        parts = (" ".join(part.split()) for part in _SENTENCE_END.split(self._head))
        whole = [part for part in parts if part]
        long = [part for part in whole if len(part.split()) >= _MIN_SENTENCE_WORDS]
        return long or whole

    @cached_property
    def title(self) -> str:
        """The first line that says something."""
        lines = (" ".join(line.split()) for line in self._head.splitlines())
        return next((line[:_MAX_TITLE_CHARACTERS] for line in lines if line), "")

    @cached_property
    def entities(self) -> list[str]:
        """Capitalised phrases, most frequent first."""
        inside = set(_INSIDE_SENTENCE.findall(self._head))
        phrases = (_LEADING_WORD.sub("", phrase) for phrase in _PHRASE.findall(self._head))
        # A single word with a capital may only be the beginning of a sentence.
        found = Counter(phrase for phrase in phrases if " " in phrase or phrase in inside)
        return [phrase for phrase, _ in found.most_common(_MAX_FINDINGS)]

    @cached_property
    def dates(self) -> list[str]:
        """Days that the text names, as YYYY-MM-DD."""
        days = [_day(*map(int, parts)) for parts in _ISO_DATE.findall(self._head)]
        for before, month, after, year in _WRITTEN_DATE.findall(self._head):
            number = _MONTHS.index(month[:3].lower()) + 1
            days.append(_day(int(year), number, int(before or after or 1)))
        return list(dict.fromkeys(filter(None, days)))

    @cached_property
    def numbers(self) -> list[float]:
        """Numbers that the text names."""
        return [float(number.replace(",", "")) for number in _NUMBER.findall(self._head)]

    @cached_property
    def amounts(self) -> list[str]:
        """Sums of money that the text names, as plain decimal numbers."""
        return [
            (found["first"] or found["last"]).replace(",", "")
            for found in _AMOUNT.finditer(self._head)
        ]

    @cached_property
    def currencies(self) -> list[str]:
        """ISO 4217 codes of those sums, in their order."""
        return [
            _CURRENCIES[(found["before"] or found["after"]).lower()]
            for found in _AMOUNT.finditer(self._head)
        ]

    @cached_property
    def topics(self) -> list[str]:
        """Key phrases, best first."""
        extractor = _keyword_extractor(self.language_code)
        found = extractor.extract_keywords(self._head[:_SAMPLE_CHARACTERS])
        return [str(phrase) for phrase, _ in found]

    @cached_property
    def polarity(self) -> float:
        """Attitude from -1 to 1."""
        return float(_sentiment().polarity_scores(self._head[:_SAMPLE_CHARACTERS])["compound"])

    @cached_property
    def language_code(self) -> str:
        """ISO 639-1 code."""
        import py3langid  # noqa: PLC0415 - loaded when first needed: 0.6 s and 100 MB

        return str(py3langid.classify(self._head[:_SAMPLE_CHARACTERS])[0])

    @property
    def language_name(self) -> str:
        """English name of the language."""
        return _LANGUAGES.get(self.language_code, self.language_code)


class QuickReading(Reading):
    """Findings of the same kinds, without the language libraries, from fewer words."""

    _head_characters = 1_000

    @cached_property
    def topics(self) -> list[str]:
        """The longest words among the first."""
        return sorted(dict.fromkeys(self.words[:50]), key=len, reverse=True)[:_MAX_FINDINGS]

    @cached_property
    def polarity(self) -> float:
        """Neutral, whatever the text says."""
        return 0.0

    @cached_property
    def language_code(self) -> str:
        """English, whatever the text is written in."""
        return "en"


def _day(year: int, month: int, day: int) -> str | None:
    """Return a day as YYYY-MM-DD, or None if the calendar does not have it."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


@cache
def _keyword_extractor(language: str) -> "KeywordExtractor":
    from yake import KeywordExtractor  # noqa: PLC0415 - loaded when first needed: 1 s

    return KeywordExtractor(lan=language, n=2, top=_MAX_FINDINGS)


@cache
def _sentiment() -> "SentimentIntensityAnalyzer":
    from vaderSentiment.vaderSentiment import (  # noqa: PLC0415 - loaded when first needed
        SentimentIntensityAnalyzer,
    )

    return SentimentIntensityAnalyzer()
