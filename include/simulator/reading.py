"""What can be read in a text without understanding it."""

import re
from collections import Counter
from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    from yake import KeywordExtractor

_HEAD_CHARACTERS = 4_000
"""Where names, dates and numbers are looked for."""
_TOPIC_CHARACTERS = 1_500
"""Keyword extraction takes 5 ms for each 1,000 characters, far more than all else together."""
_POLARITY_CHARACTERS = 2_000
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

_MARKUP = re.compile(r"^[#>*=\-\s]+|[*_`|]{1,3}", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=。)|\n\s*\n")
_WORD = re.compile(r"\w[\w'-]*")
_PHRASE = re.compile(
    r"\b[A-Z][\w'-]+(?: (?:of |de |van |von |for |the )?[A-Z][\w'-]+){0,4}"  # Bank of England
)
_ISO_DATE = re.compile(r"\b((?:19|20)\d\d)-(0[1-9]|1[0-2])-([01]\d|2[0-8])\b")
_WRITTEN_DATE = re.compile(
    rf"\b(?:(\d{{1,2}}) )?({'|'.join(_MONTHS)})[a-z]*\.?,? (?:(\d{{1,2}})(?:st|nd|rd|th)?,? )?"
    r"((?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.-])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.-])-?\d+(?:\.\d+)?(?!\w)"
)
_LAST_SAFE_DAY = 28


class Reading:
    """Findings in one text, each made when it is first asked for."""

    def __init__(self, text: str) -> None:
        """Read `text`, which may be empty."""
        self.text = text
        self._head = _MARKUP.sub("", text[:_HEAD_CHARACTERS])

    @cached_property
    def words(self) -> list[str]:
        """The words of the text's beginning, in lower case."""
        return [word.lower() for word in _WORD.findall(self._head)]

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
        found = Counter(
            phrase
            for phrase in _PHRASE.findall(self._head)
            if " " in phrase or phrase.lower() not in _lower_words(self._head)
        )
        return [phrase for phrase, _ in found.most_common(_MAX_FINDINGS)]

    @cached_property
    def dates(self) -> list[str]:
        """Days that the text names, as YYYY-MM-DD."""
        iso = ["-".join(parts) for parts in _ISO_DATE.findall(self._head)]
        return list(
            dict.fromkeys(iso + [_iso(*parts) for parts in _WRITTEN_DATE.findall(self._head)])
        )

    @cached_property
    def numbers(self) -> list[float]:
        """Numbers that the text names."""
        return [float(number.replace(",", "")) for number in _NUMBER.findall(self._head)]

    @cached_property
    def topics(self) -> list[str]:
        """Key phrases, best first."""
        extractor = _keyword_extractor(self.language_code)
        found = extractor.extract_keywords(self._head[:_TOPIC_CHARACTERS])
        return [str(phrase) for phrase, _ in found]

    @cached_property
    def polarity(self) -> float:
        """Attitude from -1 to 1."""
        return float(_sentiment().polarity_scores(self._head[:_POLARITY_CHARACTERS])["compound"])

    @cached_property
    def language_code(self) -> str:
        """ISO 639-1 code."""
        import py3langid  # noqa: PLC0415 - loaded when first needed: 0.6 s and 100 MB

        return str(py3langid.classify(self._head[:_POLARITY_CHARACTERS])[0])

    @property
    def language_name(self) -> str:
        """English name of the language."""
        return _LANGUAGES.get(self.language_code, self.language_code)


class QuickReading(Reading):
    """Findings of the same kinds, without the language libraries."""

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


def _lower_words(text: str) -> set[str]:
    return set(re.findall(r"\b[a-z][\w'-]+", text))


def _iso(day_before: str, month: str, day_after: str, year: str) -> str:
    day = min(int(day_before or day_after or 1) or 1, _LAST_SAFE_DAY)
    return f"{year}-{_MONTHS.index(month[:3].lower()) + 1:02}-{day:02}"


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
