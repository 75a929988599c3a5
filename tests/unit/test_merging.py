import datetime as dt
import json
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec
import pytest
from pydantic import BaseModel, Field

from include.answers import AnswerSchema
from include.merging import _FITTING, _RULES, MergeRule, PartMerger, fitting_rules


class Place(BaseModel):
    town: str


class Everything(BaseModel):
    title: str = Field(max_length=12)
    mood: Literal["good", "bad"]
    is_signed: bool
    pages: int = Field(ge=0)
    score: float = Field(ge=0, le=1)
    total: Decimal | None
    due: dt.date | None
    sent: dt.datetime | None
    tags: list[str] = Field(max_length=3)
    places: list[Place]
    sender: Place | None
    code: str = Field(pattern="^[a-z]+$")


SCHEMA = AnswerSchema.from_model(Everything)
RULES: dict[str, MergeRule] = dict.fromkeys(Everything.model_fields, "first")
ANSWER: dict[str, Any] = {
    "title": "One",
    "mood": "good",
    "is_signed": False,
    "pages": 1,
    "score": 0.5,
    "total": None,
    "due": None,
    "sent": None,
    "tags": [],
    "places": [],
    "sender": None,
    "code": "a",
}


def merged(field: str, rule: MergeRule, *values: Any) -> Any:
    """Return what a field of answers about parts becomes, as JSON says it."""
    texts = [json.dumps(ANSWER | {field: value}) for value in values]
    answer = PartMerger(SCHEMA, RULES | {field: rule}).merge(texts)
    return json.loads(msgspec.json.encode(answer))[field]


@pytest.mark.parametrize(
    ("field", "rule", "values", "expected"),
    [
        ("title", "first", ["b", "a"], "b"),
        ("title", "longest", ["b", "abc", "xyz"], "abc"),
        ("title", "most_common", ["b", "a", "a", "b", "c"], "b"),
        ("title", "concat", ["ab", "", "cd"], "ab cd"),
        ("title", "concat", ["", "cd"], "cd"),
        ("mood", "most_common", ["bad", "good", "good"], "good"),
        ("is_signed", "any", [False, True], True),
        ("is_signed", "all", [False, True], False),
        ("pages", "sum", [1, 2, 3], 6),
        ("pages", "min", [3, 1, 2], 1),
        ("pages", "max", [1, 3, 2], 3),
        ("score", "mean", [0.25, 0.75], 0.5),
        ("total", "sum", ["0.1", None, "0.2"], "0.3"),
        ("total", "mean", ["1", "2", "2"], "1.666666667"),
        ("total", "max", ["9", "10"], "10"),
        ("due", "min", ["2026-02-01", "2026-01-31"], "2026-01-31"),
        ("sent", "max", ["2026-01-01T10:00:00Z", "2026-01-01T09:30:00"], "2026-01-01T10:00:00Z"),
        (
            "sent",
            "min",
            ["2026-01-01T10:00:00+05:00", "2026-01-01T06:00:00Z"],
            "2026-01-01T10:00:00+05:00",
        ),
        ("tags", "union", [["b", "a"], ["a", "c"]], ["b", "a", "c"]),
        ("tags", "concat", [["b"], ["b"]], ["b", "b"]),
        ("tags", "longest", [["a"], ["b", "c"]], ["b", "c"]),
        (
            "places",
            "union",
            [[{"town": "Ulm"}], [{"town": "Ulm"}, {"town": "Bad Urach"}]],
            [{"town": "Ulm"}, {"town": "Bad Urach"}],
        ),
        ("sender", "first", [None, {"town": "Ulm"}], {"town": "Ulm"}),
        ("sender", "most_common", [{"town": "A"}, {"town": "B"}, {"town": "B"}], {"town": "B"}),
        ("due", "max", [None, None], None),
    ],
)
def test_field_is_merged_by_its_rule(
    field: str, rule: MergeRule, values: list[Any], expected: Any
) -> None:
    assert merged(field, rule, *values) == expected


def test_rule_takes_only_as_much_as_the_field_holds() -> None:
    assert merged("title", "concat", "twelve", "or more", "no") == "twelve"
    assert merged("tags", "union", ["a", "b"], ["c", "d"]) == ["a", "b", "c"]
    assert merged("tags", "concat", ["a", "b"], ["a", "b"]) == ["a", "b", "a"]


def test_mean_is_not_rounded_beyond_the_values() -> None:
    assert merged("score", "mean", *[0.1] * 3) == 0.1
    assert merged("score", "mean", *[1.0] * 7) == 1.0


@pytest.mark.parametrize(
    ("field", "rule", "value"),
    [("pages", "sum", 2**62), ("total", "sum", "9" * 29)],
    ids=["integer", "decimal"],
)
def test_number_beyond_its_column_is_refused(field: str, rule: MergeRule, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        merged(field, rule, value, value, value)


def test_every_rule_can_be_carried_out_and_fits_something() -> None:
    assert set(_RULES) == set(get_args(MergeRule))
    assert set().union(*_FITTING.values()) == set(_RULES)


class Bounded(BaseModel):
    code: str = Field(pattern="^[a-z]+$")
    mail: str = Field(json_schema_extra={"format": "email"})
    limited: int = Field(le=10)
    signed: int = Field(ge=-5)
    stepped: float = Field(multiple_of=0.1)
    free: int
    mood: Literal["good"]


@pytest.mark.parametrize(
    ("field", "refused"),
    [
        ("code", "concat"),
        ("mail", "concat"),
        ("limited", "sum"),
        ("signed", "sum"),
        ("stepped", "mean"),
        ("stepped", "sum"),
        ("free", "mean"),
        ("free", "union"),
        ("mood", "concat"),
    ],
)
def test_rule_that_could_break_a_bound_does_not_fit(field: str, refused: MergeRule) -> None:
    rules = fitting_rules(AnswerSchema.from_model(Bounded).field_schemas()[field])
    assert refused not in rules
    assert "first" in rules


def test_rules_that_keep_the_bounds_fit() -> None:
    nodes = SCHEMA.field_schemas()
    assert "sum" in fitting_rules(nodes["pages"])
    assert "mean" in fitting_rules(nodes["score"])
    assert "concat" in fitting_rules(nodes["title"])
