from typing import Any

import pytest
from pydantic import BaseModel, Field, create_model

from include.answers import AnswerSchema
from include.errors import ConfigurationError
from include.warehouse.shapes import (
    FIXED_TABLES,
    FIXED_VIEWS,
    read_fixed_tables,
    read_fixed_views,
)
from include.warehouse.spec_tables import spec_table_shapes, spec_view_shapes
from include.warehouse.tables import ensure_tables
from tests.integration.warehouse.nights import SCHEMA, SPEC, Answer, Nights, Version

pytestmark = pytest.mark.integration

A = Version("a")


def schema_with(**fields: Any) -> AnswerSchema:
    return AnswerSchema.from_model(create_model("Changed", __base__=Answer, **fields))


def ensure(nights: Nights, schema: AnswerSchema, spec: str = SPEC) -> None:
    with nights.warehouse.session() as session:
        ensure_tables(session, spec, schema)


def definitions(nights: Nights) -> list[dict[str, Any]]:
    return nights.database.definitions()


def comment(nights: Nights, column: str) -> str:
    (found,) = (
        row["comment"]
        for row in definitions(nights)
        if (row["table_name"], row["column_name"]) == ("notes_enrichments", column)
    )
    return str(found)


def test_every_table_and_view_is_there(nights: Nights) -> None:
    with nights.warehouse.session() as session:
        names = set(session.catalog())

    assert names == {
        *FIXED_TABLES,
        *FIXED_VIEWS,
        "notes",
        "notes_enrichments",
        "notes_history",
        "notes_keys",
        "notes__tags",
        "notes__terms",
    }


def test_every_table_view_and_column_has_a_comment(nights: Nights) -> None:
    with nights.warehouse.session() as session:
        stored = session.catalog()

    bare = [
        f"{name}.{column}"
        for name, relation in stored.items()
        for column, found in (("", relation), *relation.columns.items())
        if not found.comment
    ]
    assert bare == []
    shapes = (
        *read_fixed_tables(),
        *read_fixed_views(),
        *spec_table_shapes(SPEC, SCHEMA, ()),
        *spec_view_shapes(SPEC, SCHEMA, (), {}),
    )
    assert {shape.name: [column.name for column in shape.columns] for shape in shapes} == {
        name: list(relation.columns) for name, relation in stored.items()
    }


def test_descriptions_become_comments(nights: Nights) -> None:
    with nights.warehouse.session() as session:
        stored = session.catalog()

    for name in ("notes_enrichments", "notes", "notes_history"):
        assert stored[name].columns["topic"].comment == "What the note's about."


def test_a_changed_description_changes_comments_and_no_view(nights: Nights) -> None:
    before = definitions(nights)

    ensure(nights, schema_with(topic=(str, Field(description="The subject."))))

    changed = [row for row in definitions(nights) if row not in before]
    assert {(row["table_name"], row["column_name"], row["comment"]) for row in changed} == {
        (name, "topic", "The subject.") for name in ("notes_enrichments", "notes", "notes_history")
    }


def test_ensuring_again_changes_nothing(nights: Nights) -> None:
    before = definitions(nights)

    with nights.warehouse.session() as session:
        ensure_tables(session, SPEC, SCHEMA)
        assert not getattr(session, "has_written", None)

    assert definitions(nights) == before


def test_two_specs_stand_beside_each_other(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})

    ensure(nights, schema_with(extra=(int, 0)), spec="letters")

    assert nights.rows("select * from nightshift.letters") == []
    assert len(nights.rows("select * from nightshift.notes")) == 1


def test_a_new_field_becomes_a_column_of_tables_and_views(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})

    ensure(nights, schema_with(urgency=(int, Field(description="How urgent it is."))))

    (row,) = nights.rows("select topic, urgency from nightshift.notes")
    assert row == {"topic": "a", "urgency": None}
    assert comment(nights, "urgency") == "How urgent it is."


def test_a_new_field_of_list_items_becomes_a_column(nights: Nights) -> None:
    class LongerTerm(BaseModel):
        title: str
        clause: str

    ensure(nights, schema_with(terms=(list[LongerTerm], ...)))

    assert nights.rows("select title, amount, clause from nightshift.notes__terms") == []


def test_a_removed_field_keeps_its_column(nights: Nights) -> None:
    class Shorter(BaseModel):
        tags: list[str]

    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})

    ensure(nights, AnswerSchema.from_model(Shorter))
    ensure(nights, SCHEMA)

    assert nights.rows("select topic from nightshift.notes") == [{"topic": "a"}]


def test_a_spec_of_lists_alone_has_views(nights: Nights) -> None:
    class Item(BaseModel):
        title: str

    class Lists(BaseModel):
        items: list[Item]

    ensure(nights, AnswerSchema.from_model(Lists), spec="lists")

    assert nights.rows("select * from nightshift.lists") == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"topic": (int, 0)}, "notes_enrichments.topic is text, .* bigint"),
        ({"tags": (list[int], ...)}, r"notes_enrichments.tags is text\[\], .* bigint\[\]"),
        ({"terms": (list[str], ...)}, "notes__terms exists and is not ours"),
    ],
    ids=["another type", "another item type", "a table that would be a view"],
)
def test_a_changed_type_is_refused_before_anything_is_written(
    nights: Nights, changed: dict[str, Any], message: str
) -> None:
    before = definitions(nights)

    with pytest.raises(ConfigurationError, match=message):
        ensure(nights, schema_with(extra=(int, 0), **changed))

    assert definitions(nights) == before


@pytest.mark.parametrize(
    "foreign",
    [
        "create table nightshift.letters_enrichments (id integer)",
        "create view nightshift.letters_enrichments as select 1 as enrichment_id",
        "create table nightshift.letters (enrichment_id text)",
        "create view nightshift.letters as select 1 as document_uri",
    ],
)
def test_what_is_not_ours_is_refused(nights: Nights, foreign: str) -> None:
    nights.database.execute(foreign)

    with pytest.raises(ConfigurationError, match=r"nightshift\.letters.* exists and is not ours"):
        ensure(nights, SCHEMA, spec="letters")


def test_a_spec_cannot_take_the_name_of_a_fixed_table(nights: Nights) -> None:
    with pytest.raises(ConfigurationError, match="would have the name documents"):
        ensure(nights, SCHEMA, spec="documents")


def test_names_that_a_database_would_cut_are_refused(nights: Nights) -> None:
    with pytest.raises(ConfigurationError, match="longer than 63 bytes"):
        ensure(nights, schema_with(**{"f" * 58: (list[str], ...)}))
