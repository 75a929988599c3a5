"""Between Arrow as the warehouse speaks it, and as PostgreSQL's driver does."""

import datetime as dt
import decimal
from collections.abc import Sequence

import pyarrow as pa

from include.warehouse.session import Value

_NUMERIC = pa.decimal128(38, 9)
_TYPMOD_OFFSET = 4
_ARROW_TYPES: tuple[tuple[type, pa.DataType], ...] = (
    (str, pa.string()),
    (bool, pa.bool_()),  # which is an int, too
    (int, pa.int64()),
    (decimal.Decimal, _NUMERIC),
    (dt.datetime, pa.timestamp("us", tz="UTC")),
)


def parameter_batch(values: Sequence[Value]) -> pa.RecordBatch:
    """Return values as the one row that the driver binds."""
    arrays = [pa.array([value], _parameter_type(value)) for value in values]
    return pa.RecordBatch.from_arrays(arrays, [f"p{n}" for n in range(len(arrays))])


def plain_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a result as one batch without the driver's own types: `numeric` comes as text."""
    arrays = [
        _plain_array(table.column(place).combine_chunks(), _plain_type(column))
        for place, column in enumerate(table.schema)
    ]
    return pa.RecordBatch.from_arrays(arrays, table.schema.names)


def _parameter_type(value: Value) -> pa.DataType:
    return next((arrow for kind, arrow in _ARROW_TYPES if isinstance(value, kind)), pa.null())


def _plain_type(column: pa.Field) -> pa.DataType:
    if pa.types.is_list(column.type):
        return pa.list_(_plain_type(column.type.value_field))
    if isinstance(column.type, pa.OpaqueType) and column.type.type_name == "numeric":
        return _numeric_type(int((column.metadata or {}).get(b"POSTGRESQL:typmod", -1)))
    return column.type


def _numeric_type(typmod: int) -> pa.DataType:
    """Return the type of a column of `numeric(p, s)`; of what was computed, that of all answers.

    Source: PostgreSQL, numeric.c, make_numeric_typmod.
    """
    if typmod < _TYPMOD_OFFSET:
        return _NUMERIC
    packed = typmod - _TYPMOD_OFFSET
    return pa.decimal128(packed >> 16, packed & 0x7FF)


def _plain_array(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_list(wanted):
        return array.cast(pa.list_(_storage_type(array.type.value_type))).cast(wanted)
    return array.cast(_storage_type(array.type)).cast(wanted)


def _storage_type(arrow: pa.DataType) -> pa.DataType:
    return arrow.storage_type if isinstance(arrow, pa.BaseExtensionType) else arrow
