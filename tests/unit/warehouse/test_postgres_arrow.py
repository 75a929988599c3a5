import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from include.warehouse.postgres_arrow import parameter_batch, plain_batch

NUMERIC = pa.opaque(pa.string(), type_name="numeric", vendor_name="PostgreSQL")
MONEY = {"POSTGRESQL:typmod": str(((18 << 16) | 9) + 4)}


def test_numeric_becomes_decimal_of_its_own_precision() -> None:
    def numbers(*texts: str | None) -> pa.Array:
        return pa.ExtensionArray.from_storage(NUMERIC, pa.array(texts, pa.string()))

    items = pa.ListArray.from_arrays(pa.array([0, 2, None, 2], pa.int32()), numbers("2", None))
    table = pa.table(
        [numbers("1.250000000", None, "-0"), numbers("3", "1e2", None), items],
        schema=pa.schema(
            [pa.field("cost", NUMERIC, metadata=MONEY), ("sum", NUMERIC), ("items", items.type)]
        ),
    )
    batch = plain_batch(table)
    assert [column.type for column in batch.schema] == [
        pa.decimal128(18, 9),
        pa.decimal128(38, 9),
        pa.list_(pa.decimal128(38, 9)),
    ]
    assert batch.to_pylist() == [
        {"cost": Decimal("1.25"), "sum": Decimal(3), "items": [Decimal(2), None]},
        {"cost": None, "sum": Decimal(100), "items": []},
        {"cost": Decimal(0), "sum": None, "items": None},
    ]


def test_more_digits_than_a_decimal_holds_are_not_cut() -> None:
    array = pa.ExtensionArray.from_storage(NUMERIC, pa.array(["0.0123456789"]))
    with pytest.raises(pa.ArrowInvalid):
        plain_batch(pa.table({"share": array}))


def test_values_are_bound_with_the_types_of_the_tables() -> None:
    moment = dt.datetime(2026, 3, 2, 4, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    batch = parameter_batch(["a", True, 3, Decimal("0.25"), moment, None])
    assert [str(column.type) for column in batch.schema] == [
        "string",
        "bool",
        "int64",
        "decimal128(38, 9)",
        "timestamp[us, tz=UTC]",
        "null",
    ]
    assert batch.column(4)[0].as_py() == dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC)
