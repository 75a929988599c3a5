"""The table that the suite prints: what was done, and what came of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

TABLE = pytest.StashKey[list["Row"]]()
INTRODUCTION = """\
# What was done to nights, and what came of it

Written by `make chaos`; docs/protocol.md tells what it does. *healed by* is what was seen: a retry
of the task, a batch that was found again, clearing the run, or nothing but going on. *lost* are
documents without a final state, *bought twice* is the simulator's count of requests it was paid for
twice, *rows changed* are tables that another run of the same night changed.
"""
HEADS = ("fault", "times", "healed by", "lost", "bought twice", "rows changed")


@dataclass(frozen=True, slots=True)
class Healed:
    """What was found when a night had healed."""

    by: str
    lost: int
    bought_twice: int
    changed_tables: int
    """Tables that another run of the same night changed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault that a night went through."""

    fault: str
    times: int
    healed: Healed

    @property
    def cells(self) -> tuple[str, ...]:
        healed = self.healed
        numbers = (healed.lost, healed.bought_twice, healed.changed_tables)
        return (self.fault, str(self.times), healed.by, *map(str, numbers))


def as_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table as Markdown, its columns aligned."""
    cells = [HEADS, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, tuple("-" * width for width in widths))
    for line in cells:
        yield f"| {' | '.join(map(str.ljust, line, widths))} |"
