"""The JSON schema of a pydantic model, as it is stored: it stands alone and says all there is."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from include.errors import ConfigurationError
from include.output_schemas import JsonSchema

_BOUNDS_OF_DECIMALS = frozenset(
    {"ge", "le", "gt", "lt", "multiple_of", "max_digits", "decimal_places"}
)
_CHANGES_OF_TEXT = frozenset({"strip_whitespace", "to_lower", "to_upper"})


class _AnswerJsonSchema(GenerateJsonSchema):
    """Pydantic's JSON schema, with a decimal as one string instead of a union.

    What a JSON schema cannot say is refused: pydantic would leave it out without a word.
    """

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        if schema.keys() & _BOUNDS_OF_DECIMALS:
            msg = "bounds on a decimal cannot be enforced; use an int of cents, or a check in SQL"
            raise ConfigurationError(msg)
        return {"type": "string", "format": "decimal"}

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        if changes := _CHANGES_OF_TEXT & schema.keys():
            msg = f"{', '.join(sorted(changes))}: a stored schema cannot change an answer"
            raise ConfigurationError(msg)
        return super().str_schema(schema)

    def _refuse_function(self, schema: Any) -> JsonSchemaValue:
        msg = (
            "a validator on a field is Python, which a stored schema cannot repeat; say it with "
            "types, bounds and patterns"
        )
        raise ConfigurationError(msg)

    function_before_schema = _refuse_function
    function_after_schema = _refuse_function
    function_wrap_schema = _refuse_function
    function_plain_schema = _refuse_function


def model_schema(model: type[BaseModel]) -> JsonSchema:
    """Return the JSON schema of a model, without references and titles.

    Raises:
        ConfigurationError: The model has validators, which a stored schema cannot repeat, or a
            type that is not supported; the field is named.
    """
    decorators = model.__pydantic_decorators__
    if any(getattr(decorators, field.name) for field in fields(decorators)):
        msg = (
            f"{model.__name__} has validators or serializers; answers are checked against the "
            "schema stored with their shard, so say it with types, bounds and patterns"
        )
        raise ConfigurationError(msg)
    raw = model.model_json_schema(schema_generator=_AnswerJsonSchema)
    return _inlined(raw, raw.get("$defs", {}), path=model.__name__)


def _inlined(node: JsonSchema, definitions: Mapping[str, JsonSchema], *, path: str) -> JsonSchema:
    """Replace references and drop what says nothing, so that a schema stands alone."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if f"/{name}/" in f"/{path}/":
            msg = f"{path}: {name} contains itself; structured outputs know no recursion"
            raise ConfigurationError(msg)
        target = definitions[name] | {k: v for k, v in node.items() if k != "$ref"}
        return _inlined(target, definitions, path=f"{path}/{name}")
    result = {k: v for k, v in node.items() if k not in {"$defs", "title"}}
    if "properties" in node:
        result["properties"] = {
            name: _inlined(child, definitions, path=f"{path}/{name}")
            for name, child in node["properties"].items()
        }
    if node.get("type") == "array" and "items" not in node:
        msg = f"{path}: a tuple has no column type; use a list"
        raise ConfigurationError(msg)
    if isinstance(node.get("items"), dict):
        result["items"] = _inlined(node["items"], definitions, path=f"{path}/items")
    if "anyOf" in node:
        result["anyOf"] = [_inlined(item, definitions, path=path) for item in node["anyOf"]]
    return result
