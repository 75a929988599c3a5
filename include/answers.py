"""The answer's schema, declared once as a pydantic model: what is sent, checked and stored.

Everything is derived from the model's JSON schema and from nothing else, because that schema is
what is stored beside a shard: an answer is judged by the schema it was asked under.
"""

import datetime as dt
import decimal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import BaseModel

from include.errors import ConfigurationError
from include.model_schemas import model_schema
from include.output_schemas import SENT_FORMATS, JsonSchema, nullable, sendable
from include.schema_limits import check_limits
from include.storable import LIMITS, Kind, is_storable

_META_NAMES = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minItems": "min_length",
    "maxItems": "max_length",
}
_KINDS: dict[tuple[str, str | None], Kind] = {
    ("string", None): "text",
    ("string", "date"): "date",
    ("string", "date-time"): "timestamp",
    ("string", "decimal"): "decimal",
    ("boolean", None): "boolean",
    ("integer", None): "integer",
    ("number", None): "float",
}
_PYTHON_TYPES: dict[Kind, type] = {
    "text": str,
    "boolean": bool,
    "integer": int,
    "float": float,
    "decimal": decimal.Decimal,
    "date": dt.date,
    "timestamp": dt.datetime,
}
_EXACT = msgspec.json.Decoder(float_hook=decimal.Decimal)
"""Keeps every digit of a number: a float would round decimals."""


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column; `parent__child` for a field of a nested object."""

    name: str
    kind: Kind
    description: str
    is_list: bool = False
    """A list of scalars."""
    values: tuple[str, ...] = ()
    """What an enumeration allows; empty for everything else."""


@dataclass(frozen=True, slots=True)
class ListTable:
    """A field that is a list of objects: a table of its own."""

    name: str
    columns: tuple[Column, ...]
    description: str


class AnswerSchema:
    """What one spec asks for, compiled from a JSON schema."""

    def __init__(self, json_schema: JsonSchema) -> None:
        """Compile `json_schema`, which has no references (see `from_model`).

        Raises:
            ConfigurationError: The schema lies outside what the tables can hold.
        """
        self.json_schema = json_schema
        self.columns: tuple[Column, ...] = tuple(_scalar_columns(json_schema, prefix=""))
        self.list_tables: tuple[ListTable, ...] = tuple(_list_tables(json_schema))

    @classmethod
    def from_model(cls, model: type[BaseModel]) -> Self:
        """Compile a pydantic model.

        Raises:
            ConfigurationError: The model has validators, which a stored schema cannot repeat, or a
                type that is not supported, or more than the API takes; the field is named.
        """
        schema = cls(model_schema(model))
        check_limits(schema.json_schema)
        return schema

    @cached_property
    def output_schema(self) -> JsonSchema:
        """The JSON schema that is sent: the subset that structured outputs accept."""
        return sendable(self.json_schema)

    @cached_property
    def answer_type(self) -> Any:
        """The msgspec type that an answer must convert to."""
        return _struct_type("Answer", self.json_schema)

    def field_schemas(self) -> dict[str, JsonSchema]:
        """Return the JSON schema of each field, without the null that it may allow."""
        return {name: nullable(raw)[0] for name, raw in self.json_schema["properties"].items()}

    def parse(self, text: str | bytes) -> Any:
        """Turn the text of an answer into an `answer_type`.

        Raises:
            msgspec.DecodeError: The text is no JSON.
            msgspec.ValidationError: The JSON does not fit the schema, or not the columns.
        """
        try:
            answer = self._decoder.decode(text)
        except msgspec.ValidationError:
            # Structured outputs do not guarantee the capitals of enumerations.
            plain = _with_enum_capitals(_EXACT.decode(text), self.json_schema)
            answer = msgspec.convert(plain, self.answer_type, strict=True)
        self._check_storable(answer)
        return answer

    def row(self, answer: Any) -> dict[str, Any]:
        """Return the Arrow row of a parsed answer, keyed by column."""
        return dict(zip(self._names, self._values(answer), strict=True))

    def columns_of(self, answers: Sequence[Any | None]) -> dict[str, Sequence[Any]]:
        """Return the columns of at least one parsed answer; None is a row of nulls."""
        nothing = (None,) * len(self._names)
        rows = [nothing if answer is None else self._values(answer) for answer in answers]
        return dict(zip(self._names, zip(*rows, strict=True), strict=True))

    def _values(self, answer: Any) -> tuple[Any, ...]:
        """Return the Arrow row of a parsed answer, in the order of its columns."""
        if self._read_plain is not None:
            values: tuple[Any, ...] = self._read_plain(answer)
            return values
        columns = [_value_at(answer, column.name) for column in self.columns]
        return (*columns, *(_items_of(answer, table) for table in self.list_tables))

    @cached_property
    def _names(self) -> list[str]:
        columns = [column.name for column in self.columns]
        return [*columns, *(table.name for table in self.list_tables)]

    @cached_property
    def _read_plain(self) -> Callable[[Any], Any] | None:
        """Reads all columns at once, where each is a field of the answer itself."""
        names = [column.name for column in self.columns]
        is_plain = not self.list_tables and set(names) == set(self.json_schema["properties"])
        return attrgetter(*names) if is_plain and len(names) > 1 else None

    def _check_storable(self, answer: Any) -> None:
        """Refuse numbers and times beyond their columns: one would break its whole shard."""
        row = self.row(answer) if self._narrow_columns else {}
        for field, column in self._narrow_columns:
            inner = row[field] if field == column.name else [one[column.name] for one in row[field]]
            for value in _scalars(inner):
                if not is_storable(column.kind, value):
                    msg = f"cannot be stored ({LIMITS[column.kind]}) - at `$.{field}`"
                    raise msgspec.ValidationError(msg)

    @cached_property
    def _narrow_columns(self) -> list[tuple[str, Column]]:
        """Columns that hold less than JSON can say, each with the name of its column or table."""
        columns = [(column.name, column) for column in self.columns]
        columns += [(table.name, one) for table in self.list_tables for one in table.columns]
        return [(field, column) for field, column in columns if column.kind in LIMITS]

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self.answer_type)


def _kind(name: str, node: JsonSchema) -> Kind:
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if values is not None:
        if all(isinstance(value, str) for value in values):
            return "text"
        msg = f"field {name}: enumerations are of strings, not {values}"
        raise ConfigurationError(msg)
    kind = _KINDS.get((node.get("type", ""), node.get("format")))
    if kind is None and node.get("type") == "string" and node.get("format") in SENT_FORMATS:
        return "text"
    if kind is None:
        msg = f"field {name}: type {node.get('type')} ({node.get('format')}) has no column type"
        raise ConfigurationError(msg)
    return kind


def _column(name: str, node: JsonSchema, *, is_list: bool = False) -> Column:
    values = node.get("enum") or ([node["const"]] if "const" in node else ())
    return Column(name, _kind(name, node), node.get("description", ""), is_list, tuple(values))


def _scalar_columns(schema: JsonSchema, *, prefix: str) -> Iterator[Column]:
    """Yield the columns of an object; nested objects are flattened."""
    for field, raw in schema.get("properties", {}).items():
        node, _ = nullable(raw)
        name = prefix + field
        if node.get("type") == "object":
            yield from _scalar_columns(node, prefix=f"{name}__")
        elif node.get("type") != "array":
            yield _column(name, node)
        elif node["items"].get("type") != "object":
            item = node["items"] | {"description": node.get("description", "")}
            yield _column(name, item, is_list=True)
        elif prefix:
            msg = f"field {name}: a list of objects inside an object has no table; move it up"
            raise ConfigurationError(msg)


def _list_tables(schema: JsonSchema) -> Iterator[ListTable]:
    for field, raw in schema.get("properties", {}).items():
        node, _ = nullable(raw)
        if node.get("type") == "array" and node["items"].get("type") == "object":
            columns = tuple(_scalar_columns(node["items"], prefix=""))
            if any(_is_object_list(child) for child in node["items"]["properties"].values()):
                msg = f"field {field}: a list of objects inside a list of objects has no table"
                raise ConfigurationError(msg)
            yield ListTable(field, columns, node.get("description", ""))


def _is_object_list(raw: JsonSchema) -> bool:
    node, _ = nullable(raw)
    return node.get("type") == "array" and node["items"].get("type") == "object"


def _value_type(name: str, raw: JsonSchema) -> Any:
    """Return the msgspec type of one field, bounds included."""
    node, is_nullable = nullable(raw)
    if node.get("type") == "object":
        value: Any = _struct_type(name.title(), node)
    elif node.get("type") == "array":
        value = list[_value_type(name, node["items"])]  # type: ignore[misc]  # made at run time
    elif "enum" in node or "const" in node:
        value = Literal[tuple(node.get("enum", [node.get("const")]))]
    else:
        value = _PYTHON_TYPES[_kind(name, node)]
    bounds = {_META_NAMES[key]: node[key] for key in _META_NAMES if key in node}
    if bounds:
        value = Annotated[value, msgspec.Meta(**bounds)]
    return value | None if is_nullable else value


def _struct_type(name: str, schema: JsonSchema) -> Any:
    required = set(schema.get("required", []))
    members: list[Any] = []
    for field, node in schema["properties"].items():
        value = _value_type(field, node)
        if field in required:
            members.append((field, value))
        elif isinstance(node.get("default"), list):
            members.append((field, value, msgspec.field(default_factory=list)))
        else:
            members.append((field, value | None, node.get("default")))
    return msgspec.defstruct(
        name,
        members,
        kw_only=True,
        frozen=True,
        forbid_unknown_fields=True,
        gc=False,  # nothing that was JSON refers to itself
    )


def _with_enum_capitals(value: Any, raw: JsonSchema) -> Any:
    """Return `value` with each enumerated string spelled as its schema spells it."""
    node, _ = nullable(raw)
    if isinstance(value, dict):
        children = node.get("properties", {})
        return {k: _with_enum_capitals(v, children.get(k, {})) for k, v in value.items()}
    if isinstance(value, list):
        return [_with_enum_capitals(item, node.get("items", {})) for item in value]
    if isinstance(value, str):
        for option in node.get("enum", [node["const"]] if "const" in node else []):
            if option.casefold() == value.casefold():
                return option
    return value


def _value_at(answer: Any, name: str) -> Any:
    """Follow `parent__child` into a struct; a missing parent is None all the way down."""
    if hasattr(answer, name):
        return getattr(answer, name)
    parent, _, child = name.partition("__")
    inner = getattr(answer, parent)
    return None if inner is None else _value_at(inner, child)


def _items_of(answer: Any, table: ListTable) -> list[dict[str, Any]]:
    items = getattr(answer, table.name) or []
    names = [column.name for column in table.columns]
    return [{name: _value_at(item, name) for name in names} for item in items]


def _scalars(value: Any) -> Iterator[Any]:
    """Yield what is not null in a value, or in a list of them at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif value is not None:
        yield value
