import pytest

from include.simulator.output_format import schema_problem


def make_object(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        make_object(a=TEXT, b={"type": ["string", "null"]}, c={"enum": [1, "x"]}),
        make_object(a={"type": "array", "items": make_object(b=TEXT), "minItems": 1}),
        make_object(a={"type": "string", "format": "date"}, b=TEXT | {"pattern": "^[a-z]+$"}),
        make_object(a=TEXT | {"pattern": r"^(?<year>[0-9]{4})\\b$"}),
        make_object(a={"$ref": "#/$defs/A"}, b={"$ref": "#/$defs/A"}) | {"$defs": {"A": TEXT}},
    ],
)
def test_supported_schemas_are_taken(schema):
    assert schema_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ("x", "Input should be an object"),
        ({"type": "object", "properties": {}}, "additionalProperties"),
        (make_object(a=make_object(b={"type": "object"})), "additionalProperties"),
        (make_object(a="text"), "a: Input should be an object"),
        (make_object(a={"type": "array", "items": [TEXT]}), "items: Input has the wrong type"),
        (make_object(a={"type": "text"}), "type: Input should be one of object"),
        (make_object(a={"enum": []}), "must not be empty"),
        (make_object(a={"anyOf": []}), "must not be empty"),
        (make_object(a=TEXT) | {"required": ["b"]}, "unknown properties"),
        (make_object(a=TEXT | {"maxLength": 3}), "'maxLength'"),
        (make_object(a={"type": "integer", "minimum": 3}), "'minimum'"),
        (make_object(a={"type": "array", "items": TEXT, "minItems": 2}), "'minItems'"),
        (make_object(a=TEXT | {"format": "decimal"}), "format 'decimal'"),
        (make_object(a=TEXT | {"pattern": r"(?=x)"}), "'pattern'"),
        (make_object(a=TEXT | {"pattern": r"x(?<!y)z"}), "'pattern'"),
        (make_object(a=TEXT | {"pattern": r"(a)\1"}), "'pattern'"),
        (make_object(a={"enum": [["x"]]}), "enum: values other than"),
        (make_object(a={"type": "array", "items": TEXT, "contains": TEXT}), "'contains'"),
        (make_object(a={"$ref": "other.json"}), "not in the schema"),
        (make_object(a={"$ref": "#/$defs/B"}), "not in the schema"),
        (make_object(a={"allOf": [{"$ref": "#/$defs/A"}]}) | {"$defs": {"A": TEXT}}, "allOf"),
        (
            make_object(a={"$ref": "#/$defs/A"})
            | {"$defs": {"A": make_object(b={"$ref": "#/$defs/A"})}},
            "recursive",
        ),
        (make_object(**{f"a{n}": TEXT for n in range(25)}) | {"required": []}, "24 optional"),
        (make_object(**{f"a{n}": {"anyOf": [TEXT]} for n in range(17)}), "16 parameters"),
    ],
)
def test_unsupported_schemas_are_named(schema, problem):
    assert problem in schema_problem(schema)
