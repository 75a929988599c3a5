import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.simulator.answers import Answerer
from include.simulator.reading import QuickReading, Reading
from include.simulator.schema_filler import SchemaFiller

TEXT = """---
title: ignored
---
# Harbour report

The Port of Hamburg opened a wonderful new terminal on 3 May 2024, and Anna Weber praised it.
It cost 1,250,000 euros; write to harbour@example.org. Anna Weber works for the Port of Hamburg.
This report was published on 2024-06-01 and describes logistics of containers.
"""


def make_params(schema=None, text: str = TEXT, instructions: str = "Describe it."):
    content = f"{instructions}\n<document_1f>\n{text}\n</document_1f>"
    params = {
        "model": "claude-haiku-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": content}]}],
    }
    if schema:
        params["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return params


def answer(**properties):
    schema = {"type": "object", "properties": properties}
    found = json.loads(Answerer("text", seed=0).answer(make_params(schema)))
    jsonschema.validate(found, schema)
    return found


STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("language", STRING, "English"),
        ("language", STRING | {"description": "ISO 639 code"}, "en"),
        ("lang", STRING | {"pattern": "^[a-z]{2}$"}, "en"),
        ("sentiment", {"enum": ["negative", "neutral", "positive"]}, "positive"),
        ("sentiment", STRING, "positive"),
        ("title", STRING, "Harbour report"),
        (
            "document_type",
            STRING | {"description": "Kind of text, such as mail, report or review"},
            "report",
        ),
        ("key_entities", STRINGS | {"maxItems": 2}, ["Port of Hamburg", "Anna Weber"]),
        ("dates", STRINGS, ["2024-06-01", "2024-05-03"]),
        ("published", STRING | {"format": "date"}, "2024-06-01"),
        ("cost", {"type": "integer", "minimum": 1_000_000}, 1_250_000),
        ("contact", STRING | {"format": "email"}, "harbour@example.org"),
        ("value", STRING | {"description": "(a plain decimal number such as 1.5)"}, "1250000"),
        ("currency", STRING | {"description": "A code (matches ^[A-Z]{3}$)"}, "EUR"),
        ("mentions_containers", {"type": "boolean"}, True),
        ("mentions_animals", {"type": "boolean"}, False),
        ("is_trade", {"type": "boolean", "description": "Trade, such as boats or euros"}, True),
        ("ends_on", STRING | {"format": "date"}, "2024-06-01"),
        ("country", {"type": ["string", "null"], "pattern": "^[A-Z]{2}$"}, None),
        ("subject_area", {"enum": ["sports", "logistics", "cooking"]}, "logistics"),
        ("areas", {"type": "array", "items": {"enum": ["sports", "logistics"]}}, ["logistics"]),
        ("version", {"const": 3}, 3),
        ("phone", {"type": ["integer", "null"], "minimum": 9_000_000}, None),
        ("website", {"anyOf": [STRING | {"format": "uri"}, {"type": "null"}]}, None),
    ],
)
def test_a_field_says_what_the_text_says(name, schema, expected):
    assert answer(**{name: schema})[name] == expected


def test_the_summary_is_the_first_sentence():
    summary = answer(summary=STRING)["summary"]
    assert summary.endswith("praised it.")
    assert "terminal" in summary


def test_bounds_told_in_descriptions_are_kept():
    found = answer(
        summary=STRING | {"description": "One sentence\n\n{maxLength: 20}"},
        topic=STRING | {"description": "What it is about (at most 9 characters)"},
        key_entities=STRINGS | {"description": "Names (at most 1 items)"},
        rating=STRING | {"description": "A grade\n\n{pattern: ^[A-F][+-]?$}"},
    )
    assert len(found["summary"]) <= 20
    assert len(found["topic"]) <= 9
    assert found["key_entities"] == ["Port of Hamburg"]
    assert found["rating"][0] in "ABCDEF"


def test_a_list_of_objects_says_different_things():
    person = {"type": "object", "properties": {"name": STRING}}
    people = answer(people={"type": "array", "items": person})["people"]
    assert people == [{"name": "Port of Hamburg"}, {"name": "Anna Weber"}]


def test_references_are_followed():
    schema = {
        "$defs": {"Name": {"type": "string", "maxLength": 4}},
        "type": "object",
        "properties": {"name": {"$ref": "#/$defs/Name", "description": "A person"}},
    }
    assert json.loads(Answerer("text", 0).answer(make_params(schema))) == {"name": "Port"}


def test_the_same_request_gets_the_same_answer_and_another_seed_may_not():
    schema = {"enum": [f"value {number}" for number in range(1_000)]}
    params = make_params(schema, text="nothing of it")
    assert Answerer("text", 1).answer(params) == Answerer("text", 1).answer(params)
    assert Answerer("text", 1).answer(params) != Answerer("text", 2).answer(params)


def test_without_a_schema_a_prompt_may_ask_for_json():
    text = Answerer("instant", 0).answer(make_params(instructions="Answer as JSON."))
    prose, _, fenced = text.partition("```json\n")
    assert prose
    assert json.loads(fenced.removesuffix("\n```"))["key_entities"][0] == "Port of Hamburg"


def test_without_a_schema_the_answer_is_a_sentence():
    assert Answerer("instant", 0).answer(make_params()).endswith("praised it.")


def bounded(low: str, high: str, values: st.SearchStrategy) -> st.SearchStrategy:
    """Schemas with either bound, both or none."""
    pairs = st.tuples(values, values).map(sorted)
    return pairs.flatmap(
        lambda pair: st.sampled_from(
            [{}, {low: pair[0]}, {high: pair[1]}, dict(zip((low, high), pair, strict=True))]
        )
    )


NAMES = st.sampled_from(
    ["topic", "summary", "language", "entities", "date", "score", "count", "x", "document_type"]
)
SCALARS = st.one_of(
    bounded("minLength", "maxLength", st.integers(0, 40)).map(lambda b: STRING | b),
    bounded("minimum", "maximum", st.integers(-50, 50)).map(lambda b: {"type": "integer"} | b),
    bounded("minimum", "maximum", st.integers(-5, 5)).map(lambda b: {"type": "number"} | b),
    st.sampled_from(["date", "date-time", "email", "uri", "uuid", "ipv4", "hostname"]).map(
        lambda text_format: STRING | {"format": text_format}
    ),
    st.sampled_from(["^[a-z]{2,3}$", r"^\d{4}-\d{2}$", "^(red|green)$", "^[^a-z]+x?$"]).map(
        lambda pattern: STRING | {"pattern": pattern}
    ),
    st.lists(st.integers() | st.text(), min_size=1).map(lambda values: {"enum": values}),
    st.sampled_from(["boolean", "null"]).map(lambda kind: {"type": kind}),
)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=4).map(
            lambda properties: {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            }
        ),
        st.tuples(inner, bounded("minItems", "maxItems", st.integers(0, 7))).map(
            lambda pair: {"type": "array", "items": pair[0]} | pair[1]
        ),
        inner.map(lambda schema: {"anyOf": [schema, {"type": "null"}]}),
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(SCHEMAS, st.sampled_from([TEXT, "", "42", "Über 3 Äpfel. " * 40]), st.integers(0, 3))
def test_every_answer_validates(schema, text, seed):
    filled = SchemaFiller(schema, QuickReading(text), seed).fill()
    jsonschema.Draft202012Validator(schema).validate(filled)


def test_an_empty_text_has_nothing_to_say():
    reading = Reading("")
    assert (reading.sentences, reading.entities, reading.dates) == ([], [], [])
    assert (reading.title, reading.polarity) == ("", 0.0)
    assert reading.topics == []
