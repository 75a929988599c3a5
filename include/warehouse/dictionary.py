"""The data dictionary: every table, view and column, as the database itself describes them."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from include.spec import Spec
from include.warehouse.duckdb_warehouse import open_duckdb
from include.warehouse.session import Relation
from include.warehouse.shapes import FIXED_TABLES, FIXED_VIEWS, TableShape, read_fixed_tables
from include.warehouse.spec_tables import spec_table_shapes
from include.warehouse.tables import ensure_tables

_DEFINITION = re.compile(r" \(definition \w+\)$")


def data_dictionary(specs: Mapping[str, Spec]) -> str:
    """Return the page in Markdown, with the tables of these specs."""
    relations, tables = _read_database(specs)
    lines = [_introduction()]
    for name, spec in specs.items():
        lines += ["", f"## Spec `{name}`", "", _about_spec(spec)]
        for relation in _names_of(name, relations):
            lines += _section(relation, relations[relation], tables.get(relation))
    for title, names in (("Views", FIXED_VIEWS), ("Tables", FIXED_TABLES)):
        lines += ["", f"## {title} of all specs"]
        for relation in names:
            lines += _section(relation, relations[relation], tables.get(relation))
    return "\n".join(lines) + "\n"


def _read_database(
    specs: Mapping[str, Spec],
) -> tuple[dict[str, Relation], dict[str, TableShape]]:
    """Make an empty warehouse and return what is in it, and the shapes of its tables."""
    tables = {table.name: table for table in read_fixed_tables()}
    with tempfile.TemporaryDirectory() as folder:
        warehouse = open_duckdb(Path(folder) / "dictionary.duckdb")
        with warehouse.session() as session:
            for name, spec in specs.items():
                frozen = spec.freeze()
                schema, groups = frozen.schema_of_answer, frozen.key_groups
                ensure_tables(session, name, schema, groups)
                tables |= {table.name: table for table in spec_table_shapes(name, schema, groups)}
            return session.catalog(), tables


def _introduction() -> str:
    path = resources.files("include.warehouse").joinpath("dictionary.md")
    return path.read_text(encoding="utf-8").rstrip("\n")


def _about_spec(spec: Spec) -> str:
    place = f"`{spec.source.prefix}`" if spec.source.prefix else "the whole bucket"
    return (
        f"{(spec.answer.__doc__ or '').strip()} Declared in `include/specs/{spec.name}.py`; asks "
        f"`{spec.model}` about {place}."
    ).strip()


def _names_of(spec_name: str, relations: Mapping[str, Relation]) -> list[str]:
    """Return the relations of a spec: its view first, then lists, history and the table."""
    lists = sorted(name for name in relations if name.startswith(f"{spec_name}__"))
    tables = (f"{spec_name}_{kind}" for kind in ("history", "enrichments", "keys"))
    return [spec_name, *lists, *tables]


def _section(name: str, relation: Relation, table: TableShape | None) -> Iterator[str]:
    comment = _DEFINITION.sub("", relation.comment or "")
    yield from ("", f"### `{name}`", "")
    if table is None:
        yield from (f"*View.* {comment}", "", "| column | type | meaning |", "|---|---|---|")
        for column, stored in relation.columns.items():
            yield f"| `{column}` | {stored.type} | {_cell(stored.comment or '')} |"
        return
    key = ", ".join(f"`{column}`" for column in table.key)
    yield f"*Table, one row for each {key}.* {comment}"
    yield from ("", "| column | type | may be empty | meaning |", "|---|---|---|---|")
    for shape in table.columns:
        empty = "" if shape.is_required else "yes"
        yield f"| `{shape.name}` | {shape.type} | {empty} | {_cell(shape.comment)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
