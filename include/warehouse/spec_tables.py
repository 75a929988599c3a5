"""The tables and views of one spec, made from the columns of its answer."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from include.answers import AnswerSchema, Column, ListTable
from include.storable import Kind
from include.warehouse.session import Relation, Session, statement_text
from include.warehouse.shapes import (
    ColumnShape,
    TableShape,
    ViewColumn,
    ViewShape,
    quoted,
    read_view_columns,
    without_comments,
)

_SQL_TYPES: dict[Kind, str] = {
    "text": "text",
    "boolean": "boolean",
    "integer": "bigint",
    "float": "double precision",
    "decimal": "decimal(38,9)",
    "date": "date",
    "timestamp": "timestamptz",
}
_FIRST_COLUMNS = tuple(
    ColumnShape(name, column_type, comment, is_required=True)
    for name, column_type, comment in (
        ("enrichment_id", "text", "Identity of the answer; the request that it answers."),
        ("prompt_version", "text", "Prompt version under which it was asked."),
        ("answer_model", "text", "Model that answered."),
        ("is_simulated", "boolean", "Whether a simulator answered instead of the API."),
        ("loaded_at", "timestamptz", "When the answer was first loaded, for whichever document."),
    )
)
_ITEM_COLUMNS = (
    ColumnShape("enrichment_id", "text", "The answer that the item belongs to.", is_required=True),
    ColumnShape("ordinal", "bigint", "Place of the item in its list, from 1.", is_required=True),
)
_KEY_COLUMNS = (
    ColumnShape("document_uri", "text", "Address of the object.", is_required=True),
    ColumnShape(
        "key_pattern",
        "text",
        "Digest of the key_pattern by which its key was read.",
        is_required=True,
    ),
)
_ASSIGNMENT = '"<value>" = excluded."<value>"'
_FIELD = re.compile(r'(\w+\.)?"<field>"')


def spec_table_shapes(
    spec_name: str, schema: AnswerSchema, key_groups: Iterable[str]
) -> tuple[TableShape, ...]:
    """Return the tables of a spec: its answers, each list of objects in them, and object keys."""
    answers = _table(
        f"{spec_name}_enrichments",
        f"Answers of spec {spec_name}, one row each, never changed.",
        (*_FIRST_COLUMNS, *map(_column_shape, schema.columns)),
        key=("enrichment_id",),
    )
    keys = _table(
        f"{spec_name}_keys",
        f"What the keys of the objects of spec {spec_name} say.",
        (*_KEY_COLUMNS, *map(_group_shape, key_groups)),
        key=("document_uri",),
    )
    return (answers, keys, *(_list_table(spec_name, table) for table in schema.list_tables))


def spec_view_shapes(
    spec_name: str, schema: AnswerSchema, key_groups: Iterable[str], stored: Mapping[str, Relation]
) -> tuple[ViewShape, ...]:
    """Return the views of a spec.

    Args:
        stored: What the warehouse has. Columns of a view stay in their place, and new ones come
            last, since a view that exists can only gain columns at its end.
    """
    groups = key_columns(spec_name, key_groups, stored)
    fields = [*answer_columns(spec_name, schema, stored), *groups]
    comments = _comments(spec_table_shapes(spec_name, schema, groups)[:2], stored)

    def shape(name: str, about: str, statement: str) -> ViewShape:
        names = _in_order(fields, stored.get(name))
        text = filled(statement, names, groups, spec=spec_name)
        return _view(name, about, text, tuple(ViewColumn(one, comments[one]) for one in names))

    about = "one row per object that exists, its newest version that has an answer"
    every = "for every version of every object"
    return (
        shape(spec_name, f"Answers of spec {spec_name}: {about}.", "spec_current"),
        shape(
            f"{spec_name}_history", f"Every answer of spec {spec_name}, {every}.", "spec_history"
        ),
        *(_list_view(spec_name, column) for column in schema.columns if column.is_list),
    )


def _comments(tables: Iterable[TableShape], stored: Mapping[str, Relation]) -> dict[str, str]:
    """Return what is said of columns, those included that a spec no longer has."""
    comments: dict[str, str] = {}
    for table in tables:
        relation = stored.get(table.name)
        if relation is not None:
            comments |= {name: one.comment or "" for name, one in relation.columns.items()}
        comments |= {column.name: column.comment for column in table.columns}
    return comments


def answer_columns(
    spec_name: str, schema: AnswerSchema, stored: Mapping[str, Relation]
) -> list[str]:
    """Return what the views show of answers, fields that the spec no longer has included."""
    table = stored.get(f"{spec_name}_enrichments")
    names = dict.fromkeys([*(table.columns if table else ()), *_answer_names(schema)])
    return [name for name in names if name not in {"enrichment_id", "loaded_at"}]


def key_columns(
    spec_name: str, key_groups: Iterable[str], stored: Mapping[str, Relation]
) -> list[str]:
    """Return what the views show of keys, groups that the pattern no longer has included."""
    table = stored.get(f"{spec_name}_keys")
    names = dict.fromkeys([*(table.columns if table else ()), *key_groups])
    return [name for name in names if name not in {shape.name for shape in _KEY_COLUMNS}]


def _in_order(fields: Sequence[str], view: Relation | None) -> list[str]:
    """Return `fields`, those first that the view shows already."""
    shown = [name for name in (view.columns if view else ()) if name in fields]
    return list(dict.fromkeys([*shown, *fields]))


def define_spec_enrichments(session: Session, spec_name: str) -> None:
    """Give the answers of a spec the name by which the statements know them."""
    session.define(filled("spec_enrichments", spec=spec_name))


def define_spec_keys(session: Session, spec_name: str) -> None:
    """Give the keys of a spec the name by which the statements know them."""
    session.define(filled("spec_keys", spec=spec_name))


def merge_keys(session: Session, spec_name: str, groups: Sequence[str]) -> None:
    """Merge what was staged of object keys."""
    values = ["key_pattern", *groups]
    text = filled("spec_keys_merge", ["document_uri", *values], spec=spec_name)
    assigned = ",\n    ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in values)
    session.define(text.replace(_ASSIGNMENT, assigned))


def define_spec_answers(session: Session, spec_name: str) -> None:
    """Give the history of a spec the name by which the statements know it."""
    session.define(filled("spec_answers", spec=spec_name))


def insert_enrichments(session: Session, spec_name: str, schema: AnswerSchema) -> None:
    """Insert the staged answers that are new, and the items of their lists."""
    for position, table in enumerate(schema.list_tables):
        _insert_new(session, f"{spec_name}__{table.name}", f"list_{position}", _item_names(table))
    _insert_new(session, f"{spec_name}_enrichments", "enrichments", _answer_names(schema))


def delete_enrichments(session: Session, spec_name: str) -> None:
    """Delete the answers in `stage_unused_enrichments`, and the items of their lists.

    The tables are those that are there: of a field that the spec no longer has, the table stays.
    """
    for name, relation in session.catalog().items():
        is_of_spec = name == f"{spec_name}_enrichments" or name.startswith(f"{spec_name}__")
        if is_of_spec and not relation.is_view and "enrichment_id" in relation.columns:
            session.define(filled("spec_delete", table=name))


def _insert_new(session: Session, table: str, stage: str, names: list[str]) -> None:
    session.define(filled("spec_insert", names, table=table, stage=f"stage_{stage}"))


def filled(
    statement: str, fields: Iterable[str] = (), groups: Collection[str] = (), **names: str
) -> str:
    """Return a statement with names in the place of `<…>`.

    `a."<field>"` becomes a list of all fields; those of `groups` are taken from the keys, `k`. No
    name can end its quotes: specs, fields and groups are lower-case words.
    """
    text = statement_text(statement)
    for placeholder, name in names.items():
        text = text.replace(f"<{placeholder}>", name)

    def listed(found: re.Match[str]) -> str:
        owners = {field: "k." if field in groups else found[1] or "" for field in fields}
        return ",\n    ".join(f"{owner}{quoted(field)}" for field, owner in owners.items())

    return _FIELD.sub(listed, text)


def _answer_names(schema: AnswerSchema) -> list[str]:
    shapes = (*_FIRST_COLUMNS, *map(_column_shape, schema.columns))
    return [shape.name for shape in shapes]


def _item_names(table: ListTable) -> list[str]:
    return [*(shape.name for shape in _ITEM_COLUMNS), *(column.name for column in table.columns)]


def _column_shape(column: Column) -> ColumnShape:
    brackets = "[]" if column.is_list else ""
    comment = column.description or f"Field {column.name} of the answer."
    if column.values:
        comment += f" (one of: {', '.join(column.values)})"
    return ColumnShape(column.name, _SQL_TYPES[column.kind] + brackets, comment)


def _group_shape(name: str) -> ColumnShape:
    comment = f"Group {name} of the spec's key_pattern; null where the key does not match."
    return ColumnShape(name, "text", comment)


def _list_table(spec_name: str, table: ListTable) -> TableShape:
    return _table(
        f"{spec_name}__{table.name}",
        table.description or f"Items of {table.name} in the answers of spec {spec_name}.",
        (*_ITEM_COLUMNS, *map(_column_shape, table.columns)),
        key=("enrichment_id", "ordinal"),
    )


def _table(
    name: str, comment: str, columns: tuple[ColumnShape, ...], *, key: tuple[str, ...]
) -> TableShape:
    lines = [
        f"    {quoted(column.name)} {column.type}{' not null' * column.is_required}"
        for column in columns
    ]
    lines.append(f"    primary key ({', '.join(key)})")
    create = f"create table nightshift.{quoted(name)} (\n" + ",\n".join(lines) + "\n)"
    return TableShape(name, comment, columns, key, create)


def _list_view(spec_name: str, column: Column) -> ViewShape:
    return _view(
        f"{spec_name}__{column.name}",
        f"Items of {column.name}, one row each. {column.description}".strip(),
        filled("spec_list", [column.name], spec=spec_name),
    )


def _view(name: str, about: str, text: str, fields: tuple[ViewColumn, ...] = ()) -> ViewShape:
    columns = (*read_view_columns(text), *fields)
    return ViewShape(name, about, columns, without_comments(text))
