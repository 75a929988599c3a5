"""Rows that a query returned, as people read them: on a page and on a terminal."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Rows:
    """What a query returned."""

    names: Sequence[str]
    values: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Return what an Arrow table holds."""
        return cls(table.column_names, [list(row.values()) for row in table.to_pylist()])

    def as_markdown(self) -> str:
        """Return a table for a page."""
        lines = [self.names, ["---"] * len(self.names), *map(_cells, self.values)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def as_table(self) -> Table:
        """Return a table for a terminal."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
        for position, name in enumerate(self.names):
            numbers = [row[position] for row in self.values if row[position] is not None]
            is_number = bool(numbers) and all(type(one) in {int, Decimal} for one in numbers)
            table.add_column(name.replace("_", " "), justify="right" if is_number else "left")
        for row in self.values:
            table.add_row(*map(Text, _cells(row)))
        return table


def _cells(row: Sequence[Any]) -> list[str]:
    return [_cell(value).replace("|", "\\|") for value in row]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dt.datetime():
            return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
        case Decimal():
            return f"{value.normalize():f}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
