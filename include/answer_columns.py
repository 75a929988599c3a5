"""Answer columns: how parsed answers are stored in Arrow."""

import pyarrow as pa

from include.answers import AnswerSchema, Column
from include.storable import Kind

_ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "decimal": pa.decimal128(38, 9),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_schema(schema: AnswerSchema) -> pa.Schema:
    """Return one field per column, then one list of structs per list table."""
    columns = [_arrow_field(column) for column in schema.columns]
    for table in schema.list_tables:
        struct = pa.struct([_arrow_field(column) for column in table.columns])
        columns.append(pa.field(table.name, pa.list_(struct)))
    return pa.schema(columns)


def _arrow_field(column: Column) -> pa.Field:
    arrow_type = _ARROW_TYPES[column.kind]
    return pa.field(column.name, pa.list_(arrow_type) if column.is_list else arrow_type)
