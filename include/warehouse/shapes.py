"""What the tables and views of schema `nightshift` look like, by name, column, type and comment."""

import re
from dataclasses import dataclass

from include.identities import digest
from include.warehouse.session import statement_text

FIXED_TABLES = (
    "documents",
    "document_states",
    "document_enrichments",
    "part_answers",
    "enrichment_parts",
    "results",
    "past_usage",
    "batches",
    "prompt_versions",
    "dead_letters",
    "runs",
    "ledgers",
)
FIXED_VIEWS = ("spend_by_day", "batch_health", "open_dead_letters", "freshness")
"""In the order in which they are made: a view may read those before it."""

_COLUMN_LINE = re.compile(
    r"^    (?P<name>\w+) (?P<type>\w+(?:\([\d, ]+\))?)(?P<rest>.*) -- (?P<comment>.+)$",
    re.MULTILINE,
)
_VIEW_COLUMN_LINE = re.compile(
    r"^    (?:.* as |\w+\.)(?P<name>\w+),? -- (?P<comment>.+)$", re.MULTILINE
)
_COMMENT = re.compile(r"^-- .*\n| -- .*$", re.MULTILINE)
_REQUIRED = re.compile("not null|primary key")
_KEY = re.compile(r"primary key \(([\w, ]+)\)|^    (\w+) .*primary key", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column as it should be."""

    name: str
    type: str
    comment: str
    is_required: bool = False
    """Whether it is never empty."""


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table as it should be."""

    name: str
    comment: str
    columns: tuple[ColumnShape, ...]
    key: tuple[str, ...]
    create: str
    """The statement that makes it, without comments."""


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view as it should be; the query decides its type."""

    name: str
    comment: str


@dataclass(frozen=True, slots=True)
class ViewShape:
    """A view as it should be."""

    name: str
    description: str
    columns: tuple[ViewColumn, ...]
    query: str
    """The statement that it stands for, without comments."""

    @property
    def comment(self) -> str:
        """The description, and a digest by which a view is known to be ours and up to date."""
        return f"{self.description} (definition {digest('view', self.query, length=8)})"


def read_fixed_tables() -> tuple[TableShape, ...]:
    """Return the tables that do not depend on a spec."""
    return tuple(_read_table(name) for name in FIXED_TABLES)


def read_fixed_views() -> tuple[ViewShape, ...]:
    """Return the views that do not depend on a spec."""
    return tuple(_read_view(name) for name in FIXED_VIEWS)


def read_view_columns(text: str) -> tuple[ViewColumn, ...]:
    """Return the columns that a query has comments on, in order."""
    found = _VIEW_COLUMN_LINE.finditer(text)
    return tuple(ViewColumn(one["name"], one["comment"]) for one in found)


def without_comments(text: str) -> str:
    """Return a query as the database gets it: what is said of it is no part of its definition."""
    return _COMMENT.sub("", text)


def quoted(name: str) -> str:
    """Return `name` as an identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _read_table(name: str) -> TableShape:
    """Read `create_<name>.sql`, in which the comments of the table and its columns are comments."""
    text = statement_text(f"create_{name}")
    columns = tuple(
        ColumnShape(
            found["name"],
            found["type"].replace(" ", "", 1) if "(" in found["type"] else found["type"],
            found["comment"],
            is_required=_REQUIRED.search(found["rest"]) is not None,
        )
        for found in _COLUMN_LINE.finditer(text)
    )
    return TableShape(name, _first_comment(text), columns, _read_key(text), text)


def _read_view(name: str) -> ViewShape:
    text = statement_text(f"view_{name}")
    return ViewShape(name, _first_comment(text), read_view_columns(text), without_comments(text))


def _first_comment(text: str) -> str:
    return text.partition("\n")[0].removeprefix("-- ")


def _read_key(text: str) -> tuple[str, ...]:
    columns, column = _KEY.findall(text)[0]
    return tuple((columns or column).split(", "))
