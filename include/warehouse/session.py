"""The one interface to a warehouse, whatever database is behind it.

Statements are files in `include/warehouse/sql`, one each, and run on every backend. `$name` in a
statement is bound from the values given; values that a statement does not name are left out.
"""

import datetime as dt
import decimal
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

import pyarrow as pa

from include.errors import CountMismatchError

Value = str | int | bool | decimal.Decimal | dt.datetime | None

_PARAMETER = re.compile(r"\$([a-z_]+)")
_ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column as the database has it, its type spelled as our statements spell it."""

    type: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of schema `nightshift` as the database has it."""

    is_view: bool
    comment: str | None
    columns: Mapping[str, StoredColumn]


class Session(Protocol):
    """One transaction."""

    def stage(self, name: str, rows: pa.RecordBatchReader, *, append: bool = False) -> None:
        """Write rows to the temporary table `stage_<name>`, in bulk; replaced unless `append`."""

    def derive(self, name: str, **values: Value) -> None:
        """Fill the temporary table `stage_<name>` with what `select_<name>.sql` returns."""

    def run(self, statement: str, **values: Value) -> int:
        """Run `<statement>.sql` and return how many rows it changed."""

    def read(self, statement: str, **values: Value) -> pa.RecordBatchReader:
        """Stream what `<statement>.sql` returns; read it to its end before the next statement."""

    def define(self, text: str) -> None:
        """Run a statement made from a spec's columns; identifiers in it are quoted."""

    def catalog(self) -> dict[str, Relation]:
        """Return every table and view of schema `nightshift`, by name."""


class Warehouse(Protocol):
    """A place that sessions are opened on."""

    def session(self, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """Open a transaction: committed at the end of the `with`, rolled back on an exception.

        Args:
            read_only: It stages and reads, and runs no statement that writes. Where the database
                can, it sees all tables as they were at its first statement, and waits for nobody.
        """


@cache
def statement_text(statement: str) -> str:
    """Return the text of `include/warehouse/sql/<statement>.sql`."""
    path = resources.files("include.warehouse").joinpath("sql", f"{statement}.sql")
    return path.read_text(encoding="utf-8")


def bound_values(text: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values that a statement names.

    Raises:
        KeyError: The statement names a value that is not given.
    """
    return {name: values[name] for name in _PARAMETER.findall(text)}


def numbered_parameters(text: str, names: Sequence[str]) -> str:
    """Return a statement with `$1`, `$2` and so on in the place of the names."""
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return _PARAMETER.sub(lambda found: f"${numbers[found[1]]}", text)


def relations_by_name(
    columns: pa.RecordBatchReader, type_name: Callable[[str], str]
) -> dict[str, Relation]:
    """Return what a catalog says, a row for each column.

    Args:
        type_name: Spells a type of the database as our statements do.
    """
    relations: dict[str, Relation] = {}
    stored: dict[str, dict[str, StoredColumn]] = {}
    for row in columns.read_all().to_pylist():
        own = stored.setdefault(row["relation_name"], {})
        own[row["column_name"]] = StoredColumn(type_name(row["column_type"]), row["column_comment"])
        relations[row["relation_name"]] = Relation(row["is_view"], row["relation_comment"], own)
    return relations


def check(session: Session, statement: str, **values: Value) -> None:
    """Run a check: a statement that returns the rows that must not be.

    Raises:
        CountMismatchError: It returned any; the check and the first rows are named.
    """
    rows = session.read(statement, **values).read_all()
    if rows.num_rows:
        shown = rows.slice(0, _ROWS_SHOWN).to_pylist()
        msg = f"{statement} found {rows.num_rows} rows, nothing was written; the first: {shown}"
        raise CountMismatchError(msg)
