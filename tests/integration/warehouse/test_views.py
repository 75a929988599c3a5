"""What analysts see: the queries of the page, and that no view counts anything twice."""

import datetime as dt

import pytest

from include.warehouse.reports import read_open_dead_letters
from tests.integration.databases import Database, DuckDBFile, PostgresDatabase
from tests.integration.warehouse.example_nights import fill
from tests.integration.warehouse.nights import DAY, HOUR, MONDAY, SPEC, Nights, Version
from tests.integration.warehouse.queries_page import PAGE, ask, with_rows

pytestmark = pytest.mark.integration

A, B, C = (Version(name) for name in "abc")


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    if request.param == "duckdb":
        database: Database = DuckDBFile(tmp_path_factory.mktemp("example") / "example.duckdb")
    else:
        database = PostgresDatabase.create(request.getfixturevalue("postgres_server"))
    fill(database.open())
    return database


def test_the_page_shows_what_its_queries_return(example: Database) -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert with_rows(text, example) == text, "run `make queries`"


def test_views_add_up_to_the_results(example: Database) -> None:
    """Nothing is counted twice or lost on the way into a view, whatever shares an answer."""
    everything = ask(
        example,
        """
        select count(*), sum(cost_usd), sum(list_cost_usd) from nightshift.results
        union all
        select sum(result_count), sum(cost_usd), sum(list_cost_usd) from nightshift.spend_by_day
        """,
    ).values
    in_batches = ask(
        example,
        """
        select count(*), sum(cost_usd), sum(list_cost_usd) from nightshift.results
        where outcome <> 'preflight'
        union all
        select sum(result_count), sum(cost_usd), sum(list_cost_usd) from nightshift.batch_health
        union all
        select
            sum(succeeded_count + failed_count + unanswered_count), sum(cost_usd),
            sum(list_cost_usd)
        from nightshift.batch_health
        union all
        select sum(request_count), sum(cost_usd), sum(list_cost_usd) from nightshift.batch_health
        """,
    ).values

    assert len(set(map(tuple, everything))) == 1
    assert len(set(map(tuple, in_batches))) == 1
    assert everything[0] != in_batches[0]


def test_a_tried_message_is_paid_and_is_no_failure(example: Database) -> None:
    spent = ask(
        example,
        """
        select sum(failed_count), sum(failed_cost_usd) from nightshift.spend_by_day
        union all
        select count(*), sum(cost_usd) from nightshift.results
        where outcome in ('refused', 'truncated', 'context_exceeded')
        """,
    ).values

    assert spent[0] == spent[1]


def test_a_document_given_up_under_two_prompts_is_one_open_dead_letter(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})
    nights.list_versions("run-2", A, prompt_version="prompt-2", reprocess=True)
    nights.load("run-2", {A: "failed truncated"}, prompt="prompt-2", at=MONDAY + DAY)

    assert nights.letters() == {A.document_id: "open"}
    (row,) = nights.rows("select * from nightshift.open_dead_letters")
    assert (row["prompt_version"], row["reason"]) == ("prompt-2", "truncated")
    with nights.warehouse.session() as session:
        (count,) = read_open_dead_letters(session, spec=SPEC).to_pylist()
    assert count == {"state": "dead_letter", "state_reason": "truncated", "document_count": 1}


def test_the_view_tells_when_a_document_got_an_answer_that_was_there_already(
    nights: Nights,
) -> None:
    copy = Version("copy", content=A.document_id)
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})
    nights.list_versions("run-2", copy)
    nights.load("run-2", {copy: "asked"}, at=MONDAY + DAY)

    rows = nights.rows("select object_key, loaded_at from nightshift.notes")

    assert {row["object_key"]: row["loaded_at"] for row in rows} == {
        "a": MONDAY + HOUR,
        "copy": MONDAY + DAY,
    }


def test_freshness_counts_only_whole_scheduled_windows_as_complete(nights: Nights) -> None:
    first, _ = nights.list_versions("run-1", A, B)
    nights.load("run-1", {A: "answered", B: "failed refused"})
    nights.settle("run-1", first)
    second, _ = nights.list_versions("run-2", C, at=MONDAY + DAY)
    nights.settle(
        "run-2", second, night="2026-03-02", window_end_at=MONDAY + DAY, is_complete=False
    )

    (row,) = nights.rows("select * from nightshift.freshness")

    assert row == {
        "spec": "notes",
        "last_night": dt.date(2026, 3, 1),
        "complete_until_at": MONDAY,
        "last_window_end_at": MONDAY + DAY,
        "last_finished_at": MONDAY + 2 * HOUR,
        "last_loaded_at": MONDAY + HOUR,
        "live_count": 3,
        "pending_count": 1,
        "pending_since_at": MONDAY + DAY,
        "open_dead_letter_count": 1,
    }
