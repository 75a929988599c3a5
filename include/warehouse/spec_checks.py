"""Checks that follow from the columns of one spec: values of enumerations, items of lists."""

from collections.abc import Iterator

from include.answers import AnswerSchema, Column
from include.warehouse.session import Session, check
from include.warehouse.spec_tables import filled
from include.warehouse.staging import stage_texts

_UNION = "union all\n"


def check_items_new(session: Session, spec: str, schema: AnswerSchema) -> None:
    """Check, before new answers are inserted, that their lists have no items yet.

    Raises:
        CountMismatchError: There are items whose answer is not there.
    """
    tables = [f"{spec}__{table.name}" for table in schema.list_tables]
    if tables:
        texts = (filled("spec_item_ids", table=table) for table in tables)
        _define(session, "spec_items", texts)
        check(session, "check_items_new")


def check_enums_in_range(session: Session, spec: str, schema: AnswerSchema) -> None:
    """Check, once new answers are inserted, each column that is an enumeration.

    Raises:
        CountMismatchError: A value is none of those that the schema names.
    """
    enums = list(_enums(spec, schema))
    if not enums:
        return
    pairs = [
        (f"{table}.{column.name}", value) for table, column in enums for value in column.values
    ]
    stage_texts(
        session,
        "allowed_values",
        column_name=[name for name, _ in pairs],
        value=[value for _, value in pairs],
    )
    texts = (
        filled(
            "spec_enum_items" if column.is_list else "spec_enum_values",
            table=table,
            field=column.name,
        )
        for table, column in enums
    )
    _define(session, "spec_enums", texts)
    check(session, "check_enums_in_range")


def _enums(spec: str, schema: AnswerSchema) -> Iterator[tuple[str, Column]]:
    """Yield table and column of every enumeration."""
    groups = {f"{spec}_enrichments": schema.columns} | {
        f"{spec}__{table.name}": table.columns for table in schema.list_tables
    }
    for table, columns in groups.items():
        yield from ((table, column) for column in columns if column.values)


def _define(session: Session, view: str, texts: Iterator[str]) -> None:
    session.define(f"create or replace temporary view {view} as\n{_UNION.join(texts)}")
