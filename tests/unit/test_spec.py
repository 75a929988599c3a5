from typing import Any, Literal

import pytest
from pydantic import BaseModel

from include.collection import PAID_FIELDS
from include.errors import ConfigurationError
from include.spec import RESERVED_COLUMNS, FrozenSpec, Source
from include.specs import load_catalog
from tests.factories import NoteAnswer, make_frozen_spec, make_spec


class OtherAnswer(BaseModel):
    topic: str
    mood: Literal["good", "bad", "mixed"]


class Taken(BaseModel):
    document_uri: str


class Capital(BaseModel):
    Topic: str


class Item(BaseModel):
    ordinal: int


class TakenInAList(BaseModel):
    items: list[Item]


class Unsupported(BaseModel):
    data: dict[str, int]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "Notes"}, "spec name 'Notes' must match"),
        ({"name": "1notes"}, "spec name '1notes' must match"),
        ({"name": "n" * 41}, "must match"),
        ({"name": ""}, "must match"),
        ({"prompt": "nobody.md"}, "no prompt file include/prompts/nobody.md"),
        ({"prompt": "../../README.md"}, "is no file name"),
        ({"schedule": "nonsense"}, "no cron expression"),
        ({"model": ""}, "model is empty"),
        ({"thinking": "wild"}, "thinking is one of"),
        ({"caching": "2h"}, "caching is one of"),
        ({"escalation_model": ""}, "escalation_model is empty"),
        ({"escalation_model": "claude-haiku-5-5"}, "escalation_model is the model itself"),
        ({"max_output_tokens": 0}, "above 0"),
        ({"max_characters": 0}, "above 0"),
        ({"max_pages": 0}, "max_pages lies between 1 and 600"),
        ({"max_pages": 601}, "max_pages lies between 1 and 600"),
        ({"max_dead_letter_rate": 7.0}, "between 0 and 1"),
        ({"answer": Taken}, "field 'document_uri' must match"),
        ({"answer": TakenInAList}, "field 'ordinal' must match"),
        ({"answer": Capital}, "field 'Topic' must match"),
        ({"max_output_tokens": 9_000}, r"max_output_tokens \(9000\) is above"),
        ({"answer": Unsupported}, "free-form objects"),
        ({"source": Source(by="date_prefix", prefix="notes/")}, "exactly when the source is by"),
        ({"source": Source(by="last_modified", prefix="dt={ds}/")}, "exactly when the source is"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_spec_that_could_not_be_asked_or_stored_is_refused(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        make_spec(**changes)


@pytest.mark.parametrize(
    ("changes", "is_another_question"),
    [
        ({"answer": OtherAnswer}, True),
        ({"model": "claude-sonnet-5"}, True),
        ({"thinking": "adaptive"}, True),
        ({"revision": 2}, True),
        ({"max_output_tokens": 2_048}, False),
        ({"max_characters": 1_000}, False),
        ({"vision": True}, False),
        ({"caching": "1h"}, False),
        ({"escalation_model": "claude-sonnet-5-5"}, False),
        ({"max_pages": 3}, False),
        ({"max_dead_letter_rate": 0.5}, False),
        ({"schedule": "0 3 * * *"}, False),
        ({"name": "other_notes"}, False),
    ],
    ids=str,
)
def test_prompt_version_changes_with_the_question_alone(
    changes: dict[str, Any], *, is_another_question: bool
) -> None:
    changed = make_frozen_spec(**changes).prompt_version
    assert (changed != make_frozen_spec().prompt_version) is is_another_question


def test_frozen_spec_comes_back_from_its_json() -> None:
    frozen = make_frozen_spec()
    again = FrozenSpec.model_validate_json(frozen.model_dump_json())
    assert again == frozen
    assert again.schema_of_answer.columns == frozen.schema_of_answer.columns


def test_request_asks_for_the_schema_of_the_answer() -> None:
    params = make_frozen_spec().request_params
    sent = params["output_config"]["format"]["schema"]
    assert set(sent["properties"]) == set(NoteAnswer.model_fields)
    assert params["thinking"] == {"type": "disabled"}
    assert params["system"] == make_frozen_spec().prompt_text


def test_every_spec_of_this_deployment_can_run() -> None:
    catalog = load_catalog()
    assert catalog.broken == {}
    assert "document_metadata" in catalog.specs


def test_no_field_takes_the_name_of_a_column_of_results() -> None:
    assert {name for name, _ in PAID_FIELDS} <= RESERVED_COLUMNS
