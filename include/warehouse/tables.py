"""Make the tables and views of the warehouse, or bring them up to date."""

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from include.answers import AnswerSchema
from include.errors import ConfigurationError
from include.warehouse.session import Relation, Session
from include.warehouse.shapes import (
    TableShape,
    ViewShape,
    quoted,
    read_fixed_tables,
    read_fixed_views,
)
from include.warehouse.spec_tables import (
    answer_columns,
    key_columns,
    spec_table_shapes,
    spec_view_shapes,
)

logger = logging.getLogger(__name__)

MAX_NAME_BYTES = 63
"""Source: PostgreSQL, NAMEDATALEN; longer identifiers are cut without a word."""


def ensure_tables(
    session: Session, spec_name: str, schema: AnswerSchema, key_groups: Collection[str] = ()
) -> None:
    """Make every table, view and comment that a spec needs; change nothing that is right already.

    A new field becomes a nullable column; a field that the spec no longer has keeps its column. So
    does a group of its key pattern.

    Raises:
        ConfigurationError: A column has another type, or a table or view is not ours. Nothing has
            been written.
    """
    stored = session.catalog()
    tables = (*read_fixed_tables(), *spec_table_shapes(spec_name, schema, key_groups))
    views = (*read_fixed_views(), *spec_view_shapes(spec_name, schema, key_groups, stored))
    refusals = [
        *_name_refusals(tables, views),
        *_refusals(tables, views, stored),
        *_column_refusals(
            spec_name,
            answer_columns(spec_name, schema, stored),
            key_columns(spec_name, key_groups, stored),
        ),
    ]
    if refusals:
        raise ConfigurationError("; ".join(refusals))
    if not stored:
        session.define("create schema if not exists nightshift")
    for table in tables:
        _ensure_table(session, table, stored.get(table.name))
    for view in views:
        _ensure_view(session, view, stored.get(view.name))


def ensure_fixed_tables(session: Session) -> None:
    """Make the tables that do not depend on a spec, where they are missing."""
    stored = session.catalog()
    if not stored:
        session.define("create schema if not exists nightshift")
    for table in read_fixed_tables():
        _ensure_table(session, table, stored.get(table.name))


def _name_refusals(tables: tuple[TableShape, ...], views: tuple[ViewShape, ...]) -> Iterator[str]:
    names = Counter([*(table.name for table in tables), *(view.name for view in views)])
    for name, count in names.items():
        if count > 1:
            yield f"two tables or views would have the name {name}; rename the spec or the field"
        if len(name.encode()) > MAX_NAME_BYTES:
            yield f"{name} is longer than {MAX_NAME_BYTES} bytes; shorten the spec or the field"


def _refusals(
    tables: tuple[TableShape, ...], views: tuple[ViewShape, ...], stored: Mapping[str, Relation]
) -> Iterator[str]:
    for table in tables:
        if table.name in stored:
            yield from _table_refusals(table, stored[table.name])
    for view in views:
        relation = stored.get(view.name)
        if relation and not (relation.is_view and "(definition " in (relation.comment or "")):
            yield f"nightshift.{view.name} exists and is not ours; rename it or the spec"


def _table_refusals(table: TableShape, relation: Relation) -> Iterator[str]:
    if relation.is_view or any(name not in relation.columns for name in table.key):
        yield f"nightshift.{table.name} exists and is not ours; rename it or the spec"
        return
    for column in table.columns:
        known = relation.columns.get(column.name)
        if known and known.type != column.type:
            yield (
                f"nightshift.{table.name}.{column.name} is {known.type}, the spec now says "
                f"{column.type}; give the changed field a new name"
            )


def _column_refusals(
    spec_name: str, answers: Collection[str], keys: Collection[str]
) -> Iterator[str]:
    """Refuse names that an earlier spec gave to the other kind of column."""
    for name in keys:
        if name in answers:
            yield (
                f"{name} would be two columns of nightshift.{spec_name}, of the answer and of the "
                "key; what fields and groups had before stays, so name the new one otherwise"
            )


def _ensure_table(session: Session, table: TableShape, relation: Relation | None) -> None:
    name = f"nightshift.{quoted(table.name)}"
    if relation is None:
        session.define(table.create)
        logger.info("created table=%s", table.name)
    stored = {} if relation is None else relation.columns
    for column in table.columns:
        known = stored.get(column.name)
        if relation is not None and known is None:
            session.define(f"alter table {name} add column {quoted(column.name)} {column.type}")
            logger.info("added table=%s column=%s", table.name, column.name)
        if known is None or known.comment != column.comment:
            _comment(session, f"column {name}.{quoted(column.name)}", column.comment)
    if relation is None or relation.comment != table.comment:
        _comment(session, f"table {name}", table.comment)


def _ensure_view(session: Session, view: ViewShape, relation: Relation | None) -> None:
    name = f"nightshift.{quoted(view.name)}"
    is_right = relation is not None and relation.comment == view.comment
    if not is_right:
        session.define(f"create or replace view {name} as\n{view.query}")
        _comment(session, f"view {name}", view.comment)
        logger.info("created view=%s", view.name)
    stored = relation.columns if relation is not None and is_right else {}
    for column in view.columns:
        known = stored.get(column.name)
        if known is None or known.comment != column.comment:
            _comment(session, f"column {name}.{quoted(column.name)}", column.comment)


def _comment(session: Session, thing: str, comment: str) -> None:
    text = comment.replace("'", "''")
    session.define(f"comment on {thing} is '{text}'")
