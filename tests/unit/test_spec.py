import json
import re
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from include.column_names import RESERVED_COLUMNS
from include.errors import ConfigurationError
from include.requests import RequestBuilder
from include.result_columns import PAID_FIELDS
from include.simulator.answers import Answerer
from include.simulator.validation import params_problem
from include.spec import FrozenSpec, Source
from include.specs import load_catalog
from include.warehouse.session import statement_text
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


class Place(BaseModel):
    town: str


class SameColumns(BaseModel):
    place: Place
    place__town: str


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
        ({"answer": Unsupported}, "spec notes: field data: free-form objects"),
        ({"answer": SameColumns}, "two fields would be the column 'place__town'"),
        ({"name": "notes_keys"}, "must not look like a table of another spec"),
        ({"key_pattern": "("}, "spec notes: key_pattern: .*it is an RE2 expression"),
        ({"key_pattern": r"(?P<a>x)(?=y)"}, "neither look-around nor a backreference"),
        ({"key_pattern": r"(a)(?P<b>c)"}, r"unnamed groups.*\(\?:…\)"),
        ({"key_pattern": "^notes/"}, "it has 0 named groups"),
        ({"key_pattern": "".join(f"(?P<a{n}>)" for n in range(33))}, "it has 33 named groups"),
        ({"key_pattern": f"(?P<a>{'x' * 1_000})"}, "it has 1,007 characters, 1,000 fit"),
        ({"key_pattern": "(?P<Customer>x)"}, "group 'Customer' must match"),
        ({"key_pattern": "(?P<document_id>x)"}, "group 'document_id' must match"),
        ({"key_pattern": "(?P<mood>x)"}, "group 'mood' has the name of a field"),
        ({"key_pattern": "(?P<a>x)(?P<a>y)"}, "group 'a' has the name"),
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
        ({"key_pattern": "(?P<customer>x)"}, False),
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
    assert {"contract_terms", "document_metadata", "support_ticket_triage"} == set(catalog.specs)


@pytest.mark.parametrize("name", sorted(load_catalog().specs))
def test_answer_of_the_simulator_fits_every_spec_of_this_deployment(name: str) -> None:
    frozen = load_catalog().specs[name].freeze()
    request = RequestBuilder(frozen).build(
        "Lease between Anna Weber and Port Lübeck GmbH, signed on 3 May 2026. "
        "The rent is 1,250.50 euros each month, due on 2026-06-01. It ends on 2028-05-31."
    )
    params = json.loads(request.line)["params"]
    assert params_problem(params, api_version="2026-10-21") is None
    text = Answerer("instant", seed=7).answer(params)
    assert text == Answerer("instant", seed=7).answer(params)
    frozen.schema_of_answer.parse(text)


def test_columns_of_the_views_are_reserved() -> None:
    for statement in ("spec_current", "spec_history"):
        shown = statement_text(statement).partition("from")[0]
        assert set(re.findall(r"(?:\w\.| as )(\w+),?$", shown, re.MULTILINE)) <= RESERVED_COLUMNS


def test_no_field_takes_the_name_of_a_column_of_results() -> None:
    assert {name for name, _ in PAID_FIELDS} <= RESERVED_COLUMNS
