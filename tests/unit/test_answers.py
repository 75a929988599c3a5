import datetime as dt
import enum
import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import anthropic
import msgspec
import pyarrow as pa
import pytest
from anthropic.lib._parse._transform import SupportedStringFormats
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    field_serializer,
    field_validator,
)

from include.answer_columns import arrow_schema
from include.answers import AnswerSchema
from include.errors import ConfigurationError
from include.output_schemas import SENT_FORMATS
from include.schema_limits import MAX_OPTIONAL_FIELDS, MAX_UNION_FIELDS
from include.simulator.output_format import schema_problem


class Mood(enum.StrEnum):
    GOOD = "good"
    BAD = "bad"


class Sender(BaseModel):
    name: str
    is_person: bool | None


class Item(BaseModel):
    label: str = Field(description="What it is")
    price: Decimal
    due: dt.date | None = None


class Everything(BaseModel):
    """An answer with a field of every kind."""

    title: str = Field(min_length=1, max_length=20, pattern="^[A-Z]")
    mood: Mood
    kind: Literal["note"]
    count: int = Field(ge=0, lt=1_000)
    share: float = Field(gt=0, le=1)
    amount: Decimal
    on: dt.date
    at: dt.datetime
    is_new: bool
    link: str | None = Field(default=None, json_schema_extra={"format": "uri"})
    tags: list[str] = Field(max_length=3)
    days: list[dt.date] | None
    sender: Sender | None
    items: list[Item] = []


SCHEMA = AnswerSchema.from_model(Everything)
FULL: dict[str, Any] = {
    "title": "Rain",
    "mood": "good",
    "kind": "note",
    "count": 3,
    "share": 0.5,
    "amount": "1234.567890123",
    "on": "2026-11-10",
    "at": "2026-11-10T02:00:00+02:00",
    "is_new": True,
    "link": "https://example.com",
    "tags": ["a", "b"],
    "days": ["2026-11-10"],
    "sender": {"name": "Ada", "is_person": None},
    "items": [{"label": "tea", "price": "2.50", "due": "2026-12-01"}, {"label": "", "price": "0"}],
}


def answer(**changes: Any) -> str:
    return json.dumps(FULL | changes)


def fields(name: str = "Model", **kinds: Any) -> type[BaseModel]:
    """Return a model with these fields; a tuple is type and default."""
    definitions: Any = {k: v if isinstance(v, tuple) else (v, ...) for k, v in kinds.items()}
    model: type[BaseModel] = create_model(name, **definitions)
    return model


def stored(schema: AnswerSchema, text: str) -> dict[str, Any]:
    """Return an answer as it comes back from Arrow."""
    row = schema.row(schema.parse(text))
    table = pa.Table.from_pylist([row], schema=arrow_schema(schema))
    (back,) = table.to_pylist()
    return dict(back)


class TestRefusedModels:
    """What could not be sent, checked or stored is refused, and the field named."""

    @pytest.mark.parametrize(
        ("kind", "complaint"),
        [
            (int | str, "a union other than"),
            (dict[str, str], "free-form objects"),
            (bytes, r"field x: type string \(binary\)"),
            (list[list[str]], "field x: type array"),
            (Literal[1, 2], "field x: enumerations are of strings"),
            (Any, "field x: type None"),
            (tuple[int, int], "Model/x: a tuple has no column type"),
            (list, "field x: type None"),
            (set[str], "field x: uniqueItems could be neither sent nor checked"),
            ((str, Field(examples=["a"])), "field x: examples could be neither sent nor checked"),
            (Literal["a", "A"], "field x: .* differ in capitals alone"),
            (
                Annotated[str, StringConstraints(strip_whitespace=True)],
                "strip_whitespace:",
            ),
            (Annotated[str, AfterValidator(str.strip)], "a validator on a field is Python"),
            ((Decimal, Field(ge=0)), "bounds on a decimal"),
            ((Decimal, Field(decimal_places=2)), "bounds on a decimal"),
        ],
        ids=str,
    )
    def test_type_that_could_not_be_kept(self, kind: Any, complaint: str) -> None:
        with pytest.raises(ConfigurationError, match=complaint):
            AnswerSchema.from_model(fields(x=kind))

    def test_recursion(self) -> None:
        class Node(BaseModel):
            children: list["Node"]

        with pytest.raises(ConfigurationError, match="Node contains itself"):
            AnswerSchema.from_model(Node)

    def test_lists_of_objects_below_the_top(self) -> None:
        inner = fields("Inner", items=list[Item])
        for kind in (inner, list[inner]):  # type: ignore[valid-type]  # made here
            with pytest.raises(ConfigurationError, match="a list of objects inside"):
                AnswerSchema.from_model(fields(x=kind))

    def test_validators_and_serializers(self) -> None:
        class Validated(BaseModel):
            x: str

            @field_validator("x")
            @classmethod
            def _check(cls, value: str) -> str:
                return value

        class Serialized(BaseModel):
            x: str

            @field_serializer("x")
            def _write(self, value: str) -> str:
                return value

        for model in (Validated, Serialized):
            with pytest.raises(ConfigurationError, match=f"{model.__name__} has validators"):
                AnswerSchema.from_model(model)

    def test_nothing(self) -> None:
        with pytest.raises(ConfigurationError, match="at least one field"):
            AnswerSchema.from_model(fields())

    def test_more_optional_fields_than_the_api_takes(self) -> None:
        optional: dict[str, Any] = {f"x{n}": (str, "") for n in range(MAX_OPTIONAL_FIELDS + 1)}
        AnswerSchema.from_model(fields(**dict(list(optional.items())[1:])))
        with pytest.raises(ConfigurationError, match=r"25 optional .* 24 fit: x0, x1, .* default"):
            AnswerSchema.from_model(fields(**optional))

    def test_more_nullable_fields_than_the_api_takes(self) -> None:
        nullable: dict[str, Any] = {f"x{n}": str | None for n in range(MAX_UNION_FIELDS + 1)}
        AnswerSchema.from_model(fields(**dict(list(nullable.items())[1:])))
        with pytest.raises(ConfigurationError, match=r"17 nullable .* 16 fit: x0, .* required"):
            AnswerSchema.from_model(fields(**nullable))

    def test_limits_count_nested_fields_too(self) -> None:
        inner = fields("Inner", **{f"x{n}": (str, "") for n in range(MAX_OPTIONAL_FIELDS)})
        with pytest.raises(ConfigurationError, match=r"25 optional fields, .* inner\.x0"):
            AnswerSchema.from_model(fields(inner=inner, y=(str, "")))
        item = fields("Item", **{f"x{n}": str | None for n in range(MAX_UNION_FIELDS)})
        items: Any = list[item]  # type: ignore[valid-type]  # made here
        with pytest.raises(ConfigurationError, match=r"17 nullable fields, .* items\[\]\.x0"):
            AnswerSchema.from_model(fields(items=items, y=int | None))

    def test_schema_that_is_stored_is_judged_by_whatever_it_says(self) -> None:
        """Limits are for what is going to be asked; what was paid for must stay readable."""
        nullable = {f"x{n}": {"anyOf": [{"type": "string"}, {"type": "null"}]} for n in range(17)}
        schema = AnswerSchema({"type": "object", "properties": nullable, "required": []})
        assert schema.row(schema.parse('{"x3": "a"}'))["x3"] == "a"


class TestWhatIsSent:
    """The JSON schema that structured outputs get."""

    def test_it_says_what_the_sdk_would_say(self) -> None:
        """Words differ (bounds go into descriptions), and so do titles and references."""

        def bare(node: Any) -> Any:
            if isinstance(node, list):
                return [bare(item) for item in node]
            if not isinstance(node, dict):
                return node
            left_out = {"description", "title"} | ({"type"} if "enum" in node else set())
            kept = {k: bare(v) for k, v in node.items() if k not in left_out}
            return kept | ({"required": sorted(kept["required"])} if "required" in kept else {})

        class Plain(BaseModel):
            name: str = Field(max_length=20)
            mood: Literal["good", "bad"]
            count: int = Field(ge=0)
            on: dt.date
            tags: list[str]
            note: str | None

        sent = AnswerSchema.from_model(Plain).output_schema
        assert bare(sent) == bare(anthropic.transform_schema(Plain))

    def test_formats_are_those_of_the_sdk(self) -> None:
        assert SupportedStringFormats == SENT_FORMATS
        for name in {*SupportedStringFormats, "password"}:
            node = {"type": "string", "format": name}
            schema = {"type": "object", "properties": {"x": node}, "additionalProperties": False}
            assert (schema_problem(schema) is None) is (name in SENT_FORMATS)

    def test_bounds_are_told_in_words(self) -> None:
        sent = SCHEMA.output_schema["properties"]
        assert (
            sent["title"]["description"]
            == "(at least 1 characters, at most 20 characters, matches ^[A-Z])"
        )
        assert sent["count"]["description"] == "(at least 0, less than 1000)"
        assert "plain decimal number" in sent["amount"]["description"]

    def test_the_simulator_takes_it_and_refuses_what_it_was_made_of(self) -> None:
        assert schema_problem(SCHEMA.output_schema) is None
        assert schema_problem(SCHEMA.json_schema) is not None

    def test_pattern_that_the_api_does_not_know_is_enforced_here(self) -> None:
        class Coded(BaseModel):
            model_config = ConfigDict(regex_engine="python-re")
            code: str = Field(pattern=r"^(?!0)[0-9]{3}$")

        schema = AnswerSchema.from_model(Coded)
        assert "pattern" not in schema.output_schema["properties"]["code"]
        assert schema_problem(schema.output_schema) is None
        assert schema.parse('{"code": "120"}').code == "120"
        with pytest.raises(msgspec.ValidationError):
            schema.parse('{"code": "012"}')

    def test_no_object_takes_more_than_its_fields(self) -> None:
        text = json.dumps(SCHEMA.output_schema)
        assert text.count('"type": "object"') == text.count('"additionalProperties": false') == 3
        assert "$ref" not in text
        assert "maxLength" not in text

    def test_stored_schema_compiles_to_the_same(self) -> None:
        again = AnswerSchema(json.loads(json.dumps(SCHEMA.json_schema)))
        assert again.output_schema == SCHEMA.output_schema
        assert arrow_schema(again) == arrow_schema(SCHEMA)
        assert again.columns == SCHEMA.columns


class TestColumns:
    """What the warehouse gets."""

    def test_every_field_has_a_typed_column(self) -> None:
        assert {column.name: (column.kind, column.is_list) for column in SCHEMA.columns} == {
            "title": ("text", False),
            "mood": ("text", False),
            "kind": ("text", False),
            "count": ("integer", False),
            "share": ("float", False),
            "amount": ("decimal", False),
            "on": ("date", False),
            "at": ("timestamp", False),
            "is_new": ("boolean", False),
            "link": ("text", False),
            "tags": ("text", True),
            "days": ("date", True),
            "sender__name": ("text", False),
            "sender__is_person": ("boolean", False),
        }
        (table,) = SCHEMA.list_tables
        assert (table.name, [column.name for column in table.columns]) == (
            "items",
            ["label", "price", "due"],
        )
        assert table.columns[0].description == "What it is"

    def test_enumerations_name_their_values(self) -> None:
        values = {column.name: column.values for column in SCHEMA.columns if column.values}
        assert values == {"mood": ("good", "bad"), "kind": ("note",)}

    def test_values_come_back_as_they_were_said(self) -> None:
        row = stored(SCHEMA, answer())
        assert row["amount"] == Decimal("1234.567890123")
        assert row["at"] == dt.datetime(2026, 11, 10, tzinfo=dt.UTC)
        assert (row["on"], row["days"]) == (dt.date(2026, 11, 10), [dt.date(2026, 11, 10)])
        assert (row["sender__name"], row["sender__is_person"]) == ("Ada", None)
        assert row["items"] == [
            {"label": "tea", "price": Decimal("2.5"), "due": dt.date(2026, 12, 1)},
            {"label": "", "price": Decimal(0), "due": None},
        ]

    def test_what_may_be_left_out_is_null(self) -> None:
        row = stored(SCHEMA, answer(sender=None, days=None, items=[]))
        assert (row["sender__name"], row["days"], row["items"]) == (None, None, [])
        left_out = {k: v for k, v in FULL.items() if k not in {"link", "items"}}
        row = stored(SCHEMA, json.dumps(left_out))
        assert (row["link"], row["items"]) == (None, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "rain"},
        {"title": ""},
        {"title": "R" * 21},
        {"count": -1},
        {"count": 1_000},
        {"count": 1.5},
        {"count": "3"},
        {"share": 0},
        {"amount": "much"},
        {"amount": "NaN"},
        {"amount": "1e40"},
        {"amount": "0.0000000001"},
        {"amount": "-1e29"},
        {"items": [{"label": "tea", "price": "0.00000000011"}]},
        {"items": [{"label": "tea", "price": "Infinity"}]},
        {"at": "0001-01-01T00:00:00+10:00"},
        {"on": "2026-13-01"},
        {"at": "yesterday"},
        {"tags": ["a"] * 4},
        {"tags": [None]},
        {"mood": "fair"},
        {"sender": {"name": "Ada"}},
        {"items": [{"label": "tea"}]},
        {"more": 1},
    ],
    ids=str,
)
def test_answer_outside_the_schema_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        SCHEMA.parse(answer(**changes))


@pytest.mark.parametrize(
    "changes",
    [{"mood": "GOOD"}, {"mood": "Good", "kind": "Note"}],
    ids=str,
)
def test_capitals_of_an_enumeration_are_forgiven(changes: dict[str, Any]) -> None:
    row = stored(SCHEMA, answer(**changes))
    assert (row["mood"], row["kind"]) == ("good", "note")


class Loose(BaseModel):
    """An answer without bounds."""

    text: str
    integer: int
    number: float
    amount: Decimal
    on: dt.date
    at: dt.datetime
    flag: bool
    integers: list[int]
    nested: Item | None


LOOSE = AnswerSchema.from_model(Loose)
WILD = st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
NUMBERS = st.decimals().map(str) | st.sampled_from(["1e40", "-0.0000000001", "9" * 39])
TIMES = st.datetimes(timezones=st.timezones()).map(dt.datetime.isoformat) | st.sampled_from(
    ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"]
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what fits nine times of ten, so that whole answers often do."""
    return st.integers(0, 9).flatmap(lambda draw: usual if draw else WILD)


LOOSE_ANSWERS = st.fixed_dictionaries(
    {
        "text": mostly(st.text()),
        "integer": mostly(st.integers()),
        "number": mostly(st.floats(allow_nan=False, allow_infinity=False) | st.integers()),
        "amount": mostly(NUMBERS),
        "on": mostly(st.dates().map(str)),
        "at": mostly(TIMES),
        "flag": mostly(st.booleans()),
        "integers": mostly(st.lists(st.integers())),
        "nested": st.none() | st.fixed_dictionaries({"label": st.text(), "price": NUMBERS}),
    }
)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_integer_beyond_its_column_is_refused(number: int) -> None:
    schema = AnswerSchema.from_model(fields(x=int, y=list[int]))
    for value in ({"x": number, "y": []}, {"x": 0, "y": [number]}):
        with pytest.raises(msgspec.ValidationError, match="cannot be stored"):
            schema.parse(json.dumps(value))


@given(LOOSE_ANSWERS)
def test_whatever_is_accepted_fits_its_columns(value: dict[str, Any]) -> None:
    try:
        parsed = LOOSE.parse(json.dumps(value))
    except msgspec.MsgspecError:
        return
    pa.Table.from_pylist([LOOSE.row(parsed)], schema=arrow_schema(LOOSE)).validate(full=True)
