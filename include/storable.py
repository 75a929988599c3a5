"""Storable: which values of an answer fit the columns that hold them."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal

Kind = Literal["text", "boolean", "integer", "float", "decimal", "date", "timestamp"]

LIMITS: Final[Mapping[Kind, str]] = {
    "integer": "an integer takes 64 bits",
    "decimal": "a decimal has up to 29 digits before the point and 9 after it",
    "timestamp": "a time lies in the years 1 to 9999 of UTC",
}
"""Kinds of which JSON can say more than a column holds, and what that holds, for people."""

_INTEGER_END: Final = 2**63
_DECIMAL_END: Final = Decimal(10) ** 29
_DECIMAL_EXPONENT: Final = -9


def is_storable(kind: Kind, value: Any) -> bool:
    """Return whether a value fits a column of its kind."""
    check = _CHECKS.get(kind)
    return check is None or check(value)


def _is_integer(value: int) -> bool:
    return -_INTEGER_END <= value < _INTEGER_END


def _is_decimal(value: Decimal) -> bool:
    if not value.is_finite() or abs(value) >= _DECIMAL_END:
        return False
    _, digits, exponent = value.as_tuple()
    surplus = _DECIMAL_EXPONENT - int(exponent)
    return surplus <= 0 or not any(digits[-surplus:])


def _is_timestamp(value: dt.datetime) -> bool:
    try:
        (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (OverflowError, ValueError):
        return False
    return True


_CHECKS: Final[Mapping[Kind, Callable[[Any], bool]]] = {
    "integer": _is_integer,
    "decimal": _is_decimal,
    "timestamp": _is_timestamp,
}
