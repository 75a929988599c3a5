"""Counts what was read, and tells it as tables that people read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from include.documents.expectations import Expectation, judge
from include.documents.folders import LocalDocument
from include.documents.sniffing import MEDIA_TYPES

_EXTENSIONS = {media_type: extension for extension, media_type in MEDIA_TYPES.items()} | {
    "text/html": "html",
    "application/octet-stream": "unknown",
}
_MISSES_SHOWN = 50
_BYTES_PER_MEGABYTE = 1e6


@dataclass
class Tally:
    """What was read so far, and how it meets what was expected."""

    expectations: Mapping[str, Expectation] = field(default_factory=dict)
    """By key."""
    documents: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By format and outcome."""
    sizes_bytes: Counter[str] = field(default_factory=Counter)
    """By format."""
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By format and what: `phrases`, `phrases met`, `outcomes`, `outcomes met`."""
    misses: list[str] = field(default_factory=list)
    picture_count: int = 0
    """Documents without usable text that can be looked at."""

    def add(self, document: LocalDocument) -> None:
        """Count one document."""
        name = _format_name(document.extraction.media_type)
        self.documents[name, document.extraction.outcome] += 1
        self.sizes_bytes[name] += document.size_bytes
        self.picture_count += document.extraction.picture is not None
        if expectation := self.expectations.get(document.key):
            self._judge(document, name, expectation)

    def report(self, seconds: float) -> str:
        """Return tables of formats, outcomes and hits, and the speed."""
        count, megabytes = self.documents.total(), self.sizes_bytes.total() / _BYTES_PER_MEGABYTE
        lines = [
            *_table(self._rows_of_outcomes()),
            "",
            f"{count:,} documents, {megabytes:,.1f} MB in {seconds:,.1f} s: "
            f"{count / seconds:,.0f} documents/s, {megabytes / seconds:,.1f} MB/s",
        ]
        if self.picture_count:
            lines.append(f"{self.picture_count:,} without usable text can be sent by vision=True")
        if self.expectations:
            lines += ["", *_table(self._rows_of_hits()), *self._told_misses()]
        return "\n".join(lines)

    def rate(self, what: str) -> float:
        """Return the share of the `phrases` or `outcomes` that were met, 1 where none is known."""
        met = sum(count for (_, kind), count in self.hits.items() if kind == f"{what} met")
        known = sum(count for (_, kind), count in self.hits.items() if kind == what)
        return met / known if known else 1.0

    def _judge(self, document: LocalDocument, name: str, expectation: Expectation) -> None:
        verdict = judge(document.extraction, expectation)
        self.hits[name, "phrases"] += verdict.phrase_count
        self.hits[name, "phrases met"] += verdict.phrase_count - len(verdict.missed_phrases)
        self.hits[name, "outcomes"] += verdict.has_outcome
        self.hits[name, "outcomes met"] += verdict.has_outcome and verdict.wrong_outcome is None
        if verdict.wrong_outcome is not None:
            got = document.extraction.outcome
            self.misses.append(f"{document.key}: {got} instead of {verdict.wrong_outcome}")
        for phrase in verdict.missed_phrases:
            self.misses.append(f"{document.key}: does not have {phrase!r}")

    def _rows_of_outcomes(self) -> Iterator[Sequence[str]]:
        names = sorted(self.sizes_bytes)
        outcomes = sorted({outcome for _, outcome in self.documents}, key=_text_first)
        yield ("format", "documents", "MB", *outcomes)
        for name in (*names, "all"):
            chosen = names if name == "all" else [name]
            counts = [sum(self.documents[key, found] for key in chosen) for found in outcomes]
            megabytes = sum(self.sizes_bytes[key] for key in chosen) / _BYTES_PER_MEGABYTE
            yield (name, f"{sum(counts):,}", f"{megabytes:,.1f}", *map(_count, counts))

    def _rows_of_hits(self) -> Iterator[Sequence[str]]:
        names = sorted(self.sizes_bytes)
        yield ("format", "phrases", "met", "rate", "outcomes", "met", "rate")
        for name in (*names, "all"):
            chosen = names if name == "all" else [name]
            cells: list[str] = []
            for what in ("phrases", "outcomes"):
                known = sum(self.hits[key, what] for key in chosen)
                met = sum(self.hits[key, f"{what} met"] for key in chosen)
                cells += (_count(known), _count(met), f"{met / known:.1%}" if known else "")
            yield (name, *cells)

    def _told_misses(self) -> Iterator[str]:
        yield from self.misses[:_MISSES_SHOWN]
        if len(self.misses) > _MISSES_SHOWN:
            yield f"… and {len(self.misses) - _MISSES_SHOWN:,} more"


def _format_name(media_type: str) -> str:
    return _EXTENSIONS.get(media_type, media_type.rpartition("/")[2].rpartition(".")[2])


def _text_first(outcome: str) -> tuple[bool, str]:
    return outcome != "text", outcome


def _count(number: int) -> str:
    return f"{number:,}" if number else "·"


def _table(rows: Iterator[Sequence[str]]) -> Iterator[str]:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *others in cells:
        aligned = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *aligned)).rstrip()
