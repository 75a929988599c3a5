"""What the forms of the DAGs show, and what they refuse."""

from typing import TYPE_CHECKING, Any

import pytest

from include.runs import RunParams

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

NIGHT = "enrich_document_metadata"
FORMS = [NIGHT, "erase_document", "rebuild_warehouse", "resolve_shard"]


@pytest.mark.parametrize("dag_id", FORMS)
def test_every_field_of_a_form_says_what_it_is_and_what_it_takes(
    dag_bag: "DagBag", dag_id: str
) -> None:
    for name, param in dag_bag.dags[dag_id].params.items():
        shown = param.serialize()
        schema = shown["schema"]
        assert schema["title"] != name, name
        assert shown["description"].endswith("."), name
        assert is_bounded(schema), name


def is_bounded(schema: dict[str, Any]) -> bool:
    """Return whether a form's field cannot take just anything."""
    kinds = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"]) - {"null"}
    bounds = {
        "boolean": {"type"},
        "integer": {"maximum"},
        "number": {"maximum"},
        "string": {"maxLength", "enum", "format"},
        "array": {"items"},
    }
    return all(bounds[kind] & schema.keys() for kind in kinds)


def test_form_of_a_night_has_what_a_run_takes_in_three_sections(dag_bag: "DagBag") -> None:
    params = dag_bag.dags[NIGHT].params
    assert set(params) == set(RunParams.model_fields)
    assert RunParams.parse(params.dump()) == RunParams()
    assert RunParams.parse(dict.fromkeys(params)) == RunParams()
    sections = [params.get_param(name).schema["section"] for name in params]
    assert sorted(sections, key=sections.index) == sections
    assert list(dict.fromkeys(sections)) == ["Which documents", "Money", "Asking again"]


def test_form_of_a_night_requires_nothing(dag_bag: "DagBag") -> None:
    params = dag_bag.dags[NIGHT].params
    for name in params:
        assert params.get_param(name).resolve(None) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", 0),
        ("limit", 1.5),
        ("budget_usd", -1),
        ("budget_usd", "10"),
        ("window_start", 20261110),
        ("prefix", "x" * 901),
        ("requeue", ["too_expensive"]),
        ("requeue", ["refused", "refused"]),
        ("reprocess", "maybe"),
    ],
)
def test_form_refuses_what_no_run_could_use(dag_bag: "DagBag", name: str, value: Any) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        dag_bag.dags[NIGHT].params.get_param(name).resolve(value)
