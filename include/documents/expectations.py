"""What a manifest expects of the documents of a corpus, and how much of it came true."""

import csv
import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from include.documents.extraction import Extraction
from include.errors import ConfigurationError


@dataclass(slots=True)
class Expectation:
    """What is expected of one document; a manifest may know nothing but that it is there."""

    outcome: str | None = None
    phrases: list[str] = field(default_factory=list)
    phrase_digests: list[str] = field(default_factory=list)
    """`<words>:<sha256>` of so many words with a space between them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one document met what was expected of it."""

    phrase_count: int
    missed_phrases: tuple[str, ...]
    wrong_outcome: str | None
    """What was expected instead."""
    has_outcome: bool


def read_expectations(manifests: Iterable[Path]) -> dict[str, Expectation]:
    """Return what CSV files expect, by the path of a document below the folder.

    Their columns are `path`, and if they know them `outcome`, `phrase` and `phrase_digest`, which
    says nothing of the document; a document with several phrases has several lines.

    Raises:
        ConfigurationError: A file cannot be read, or has no column `path`.
    """
    expectations: dict[str, Expectation] = defaultdict(Expectation)
    for manifest in manifests:
        for line in _read_lines(manifest):
            expectation = expectations[line["path"]]
            expectation.outcome = line.get("outcome") or expectation.outcome
            if phrase := line.get("phrase"):
                expectation.phrases.append(phrase)
            if phrase_digest := line.get("phrase_digest"):
                expectation.phrase_digests.append(phrase_digest)
    return dict(expectations)


def judge(extraction: Extraction, expectation: Expectation) -> Verdict:
    """Compare an extraction with what was expected; white space and widths do not count."""
    wanted = [*expectation.phrases, *expectation.phrase_digests]
    text = _comparable(extraction.text or "") if wanted else ""
    is_right = expectation.outcome in {None, extraction.outcome}
    return Verdict(
        phrase_count=len(wanted),
        missed_phrases=(
            *(phrase for phrase in expectation.phrases if _comparable(phrase) not in text),
            *(one for one in expectation.phrase_digests if not _has_words(text, one)),
        ),
        wrong_outcome=None if is_right else expectation.outcome,
        has_outcome=expectation.outcome is not None,
    )


def _has_words(text: str, phrase_digest: str) -> bool:
    word_count, _, digest = phrase_digest.partition(":")
    words, length = text.split(" "), int(word_count)
    return any(
        hashlib.sha256(" ".join(words[start : start + length]).encode()).hexdigest() == digest
        for start in range(len(words) - length + 1)
    )


def _read_lines(manifest: Path) -> list[dict[str, str]]:
    try:
        with manifest.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if "path" not in (reader.fieldnames or ()):
                msg = f"manifest {manifest} has no column `path`"
                raise ConfigurationError(msg)
            return list(reader)
    except (OSError, ValueError) as error:
        msg = f"manifest {manifest} cannot be read: {error}"
        raise ConfigurationError(msg) from error


def _comparable(text: str) -> str:
    visible = unicodedata.normalize("NFKC", text).replace("\u00ad", "")
    return " ".join(visible.split())
