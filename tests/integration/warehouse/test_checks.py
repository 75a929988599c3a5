"""Each check in a load, with rows that it must find."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from include.answers import AnswerSchema
from include.errors import CountMismatchError
from include.warehouse.listings import Listing, record_listing
from include.warehouse.session import Session, check
from include.warehouse.staging import (
    BATCHES,
    DOCUMENTS,
    LISTED,
    LISTED_URIS,
    RESULTS,
    enrichments_schema,
    stage_rows,
)
from include.warehouse.tables import ensure_tables
from tests.integration.warehouse.nights import DAY, MONDAY, PROMPT, SPEC, Answer, Nights, Version
from tests.integration.warehouse.nights import reader as rows_of

pytestmark = pytest.mark.integration

A = Version("a")


class Step(Answer):
    """An answer with an enumeration of every kind."""

    mood: Literal["good", "bad"] | None
    moods: list[Literal["good", "bad"]]


STEP = AnswerSchema.from_model(Step)


def batch(**changes: Any) -> dict[str, Any]:
    return {
        "batch_id": "batch-run-1",
        "shard_id": "shard-run-1",
        "run_key": "run-1",
        "round": 0,
        "state": "ended",
        "request_count": 1,
        "body_bytes": 1,
        "is_adopted": False,
        **changes,
    }


def damage(nights: Nights, *statements: str) -> None:
    for statement in statements:
        nights.database.execute(statement)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"batches": []}, "check_results_of_batches.*batch-run-1"),
        (
            {"batches": [batch(answer_count=2, failure_count=0)]},
            "check_results_complete.*'loaded_answer_count': 1",
        ),
        (
            {"batches": [batch(answer_count=1, failure_count=3)]},
            "check_results_complete.*'loaded_failure_count': 0",
        ),
        ({"results": []}, "check_enrichments_paid.*prompt-1:"),
    ],
    ids=["results of no batch", "an answer lost", "failures lost", "an answer nobody paid"],
)
def test_load_that_is_not_what_the_shards_say_is_rolled_back(
    nights: Nights, given: dict[str, list[Any]], found: str
) -> None:
    shapes = {"batches": BATCHES, "results": RESULTS}
    staged = {name: rows_of(rows, shapes[name]) for name, rows in given.items()}
    nights.list_versions("run-1", A)
    before = nights.everything()

    with pytest.raises(CountMismatchError, match=found):
        nights.load("run-1", {A: "answered"}, **staged)

    assert nights.everything() == before


@pytest.mark.parametrize(
    ("outcome", "statements", "found"),
    [
        (
            "answered",
            ["delete from nightshift.notes_enrichments"],
            "check_enrichments_found.*a@1",
        ),
        (
            "answered",
            [
                "delete from nightshift.notes_enrichments",
                "delete from nightshift.document_enrichments",
            ],
            "check_enriched_have_enrichments.*a@1",
        ),
        (
            "failed refused",
            ["delete from nightshift.dead_letters"],
            "check_dead_letters_found.*a@1",
        ),
    ],
    ids=["an enrichment that is gone", "enriched without any", "a dead letter without a row"],
)
def test_rows_that_went_missing_are_noticed(
    nights: Nights, outcome: str, statements: list[str], found: str
) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: outcome})
    damage(nights, *statements)

    with pytest.raises(CountMismatchError, match=found):
        nights.load("run-1", {A: "asked"}, at=MONDAY + DAY)


def test_items_of_an_answer_that_is_not_there_are_noticed(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})
    damage(nights, "delete from nightshift.notes_enrichments")

    with pytest.raises(CountMismatchError, match=r"check_items_new.*notes__terms"):
        nights.load("run-1", {A: "answered"})


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"mood": "ugly", "moods": []}, "check_enums_in_range.*notes_enrichments.mood.*ugly"),
        ({"mood": None, "moods": ["bad", "Good"]}, "notes_enrichments.moods.*Good"),
        ({"mood": "bad", "moods": ["good"]}, None),
        ({"mood": None, "moods": None}, None),
    ],
    ids=["a value", "a value in a list", "in range", "empty"],
)
def test_every_enumeration_has_the_values_of_its_schema(
    nights: Nights, answer: dict[str, Any], found: str | None
) -> None:
    nights.list_versions("run-1", A)
    with nights.warehouse.session() as session:
        ensure_tables(session, SPEC, STEP)
    row = {
        "enrichment_id": A.request_id(),
        "prompt_version": PROMPT,
        "answer_model": "claude",
        "is_simulated": True,
    }
    answers = rows_of([row | answer], enrichments_schema(STEP))
    before = nights.everything()

    if found is None:
        nights.load("run-1", {A: "answered"}, schema=STEP, enrichments=answers)
        assert nights.latest() == {"a@1": "enriched"}
        return
    with pytest.raises(CountMismatchError, match=found):
        nights.load("run-1", {A: "answered"}, schema=STEP, enrichments=answers)
    assert nights.everything() == before


def _unsettled(session: Session) -> None:
    stage_rows(session, "documents", rows_of([{"document_id": "a@1"}], DOCUMENTS), DOCUMENTS)
    check(session, "check_documents_settled", spec=SPEC, run_key="run-2")


def _two_current(session: Session) -> None:
    stage_rows(session, "listed_uris", rows_of([{"document_uri": A.uri}], LISTED_URIS), LISTED_URIS)
    check(session, "check_one_current_version", spec=SPEC)


@pytest.mark.parametrize(
    ("run", "found"),
    [
        (_unsettled, "check_documents_settled found 1 rows"),
        (_two_current, "check_one_current_version.*'current_count': 2"),
    ],
    ids=["a document without a state", "two current versions"],
)
def test_what_the_merges_leave_no_room_for_would_be_found(
    nights: Nights, run: Callable[[Session], None], found: str
) -> None:
    nights.list_versions("run-1", A, Version("a", 2))
    damage(nights, "update nightshift.documents set is_current = true")

    with nights.warehouse.session() as session, pytest.raises(CountMismatchError, match=found):
        run(session)


def test_every_table_has_a_key_that_the_database_keeps_unique(nights: Nights) -> None:
    keyless = nights.rows("""
        select table_name from information_schema.tables
        where table_schema = 'nightshift' and table_type = 'BASE TABLE'
        except
        select table_name from information_schema.table_constraints
        where table_schema = 'nightshift' and constraint_type = 'PRIMARY KEY'
    """)
    assert keyless == []


def test_version_whose_time_is_wrong_in_a_later_listing_stays_one_row(nights: Nights) -> None:
    """A key cannot be broken by listing the same version with other facts."""
    nights.list_versions("run-1", A)
    row = {
        "document_id": A.document_id,
        "document_uri": A.uri,
        "bucket": "inbox",
        "object_key": A.key,
        "object_version": "v:1",
        "size_bytes": 1,
        "last_modified_at": MONDAY,
        "storage_class": None,
    }
    listing = Listing(spec=SPEC, run_key="run-2", prompt_version=PROMPT, now=MONDAY + DAY)
    with nights.warehouse.session() as session:
        record_listing(session, listing, rows_of([row, row | {"size_bytes": 2}], LISTED))
    assert len(nights.rows("from nightshift.documents")) == 1
