"""The same nights leave the same rows in every kind of database."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from include.warehouse.known_requests import read_known_requests
from include.warehouse.listings import mark_deleted
from include.warehouse.reports import read_failures, read_spend, read_states
from include.warehouse.staging import LISTED_URIS, NEEDED
from tests.integration.databases import Database, DuckDBFile, PostgresDatabase
from tests.integration.warehouse.nights import DAY, MONDAY, PROMPT, SPEC, Nights, Version, reader

pytestmark = pytest.mark.integration

A, B, C, D, E, F = (Version(key) for key in "abcdef")
NEWER = Version("a", 2)
TWINS = (Version("Zwilling", content="same"), Version("twin", content="same"))
OUTCOMES = {
    A: "answered",
    B: "failed refused",
    C: "failing truncated",
    D: "skipped image_only",
    E: "dead_letter too_large",
    F: "pending fetch_failed",
    TWINS[0]: "answered",
    TWINS[1]: "answered",
}

TABLES = """
select table_name as name from information_schema.tables
where table_schema = 'nightshift' order by table_name
"""
TOLD = {"documents", "document_states", "dead_letters", "results", "runs", "notes", "notes__terms"}


def tell(nights: Nights) -> None:
    """Let happen whatever changes rows: new versions, retries, deletions, another prompt."""
    first, _ = nights.list_versions("run-1", *OUTCOMES)
    nights.load("run-1", OUTCOMES)
    nights.load("run-1", {C: "answered"}, at=MONDAY + DAY / 2, bought_by="run-1-retry")
    nights.settle("run-1", first)
    how: dict[str, Any] = {"at": MONDAY + DAY, "prompt_version": "prompt-2"}
    second, _ = nights.list_versions(
        "run-2", NEWER, A, B, C, requeue_reasons=("refused", "image_only"), reprocess=True, **how
    )
    nights.load(
        "run-2",
        {NEWER: "answered", C: "answered", B: "failed invalid_output", D: "asked", F: "asked"},
        at=MONDAY + DAY,
        prompt="prompt-2",
    )
    nights.settle("run-2", second, forecast_usd=None, is_complete=False, verdict="red: späť")
    with nights.warehouse.session() as session:
        uris = reader([{"document_uri": one.uri} for one in (NEWER, B)], LISTED_URIS)
        mark_deleted(
            session, spec=SPEC, prefixes=[("inbox", "")], listed_uris=uris, listed_at=MONDAY + DAY
        )


def tables(database: Database) -> dict[str, Counter[tuple[Any, ...]]]:
    names = [row["name"] for row in database.rows(TABLES)]
    return {
        name: Counter(
            tuple((column, plain(value)) for column, value in row.items())
            for row in database.rows(f'from nightshift."{name}"')
        )
        for name in names
    }


def plain(value: object) -> object:
    """Return a value as it compares whichever driver read it."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return tuple(value) if isinstance(value, list) else value


def answers(nights: Nights) -> list[list[dict[str, Any]]]:
    """Return what the steps of a night read back."""
    needed = [
        {"request_id": one.request_id(), "document_id": one.document_id, "enrichment_id": "e"}
        for one in OUTCOMES
    ]
    values = {"spec": SPEC, "run_key": "run-2"}
    with nights.warehouse.session(read_only=True) as session:
        known = read_known_requests(
            session, spec=SPEC, prompt_version=PROMPT, needed=reader(needed, NEEDED)
        )
        read = [
            known.read_all(),
            read_states(session, **values),
            read_spend(session, **values),
            read_failures(session, **values, limit=3),
        ]
    return [[dict(row) for row in table.to_pylist()] for table in read]


def test_same_nights_leave_equal_tables_and_views(
    duckdb_file: DuckDBFile, postgres_database: PostgresDatabase
) -> None:
    databases: tuple[Database, ...] = (duckdb_file, postgres_database)
    for database in databases:
        tell(Nights(database))
    mine, theirs = map(tables, databases)
    assert mine.keys() == theirs.keys()
    for name, rows in mine.items():
        assert rows == theirs[name], name
    assert {name for name, rows in mine.items() if rows} >= TOLD
    mine_read, theirs_read = (answers(Nights(database)) for database in databases)
    assert mine_read == theirs_read
    assert all(mine_read)


def test_catalogs_spell_columns_types_and_comments_alike(
    duckdb_file: DuckDBFile, postgres_database: PostgresDatabase
) -> None:
    catalogs = []
    for database in (duckdb_file, postgres_database):
        with database.open().session() as session:
            catalogs.append(session.catalog())
    assert catalogs[0] == catalogs[1]
