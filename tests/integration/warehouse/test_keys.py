"""What the keys of objects say stands beside their answers."""

from typing import Any

import pytest
from pydantic import create_model

from include.answers import AnswerSchema
from include.errors import ConfigurationError
from include.key_patterns import KeyPattern
from include.warehouse.keys import record_keys
from include.warehouse.tables import ensure_tables
from tests.integration.warehouse.nights import SCHEMA, SPEC, Answer, Nights, Version

pytestmark = pytest.mark.integration

ACME = Version("acme/ü+%2F \"quoted\" 'x'\n😀.txt")
BOLT = Version("bolt/2/b.txt")
ROOT = Version("readme.txt")
BY_CUSTOMER = r"^(?P<customer>[^/]+)/"
BY_CUSTOMER_AND_CASE = r"^(?P<customer>[^/]+)/(?:(?P<case_number>[0-9]+)/)?"


def read_keys(nights: Nights, pattern: str | None, **how: Any) -> int:
    """Do as a night does that has this pattern."""
    groups = KeyPattern(pattern).groups if pattern else ()
    with nights.warehouse.session() as session:
        ensure_tables(session, SPEC, how.pop("schema", SCHEMA), groups)
        return record_keys(session, SPEC, pattern, **how)


@pytest.fixture
def loaded(nights: Nights) -> Nights:
    nights.list_versions("run-1", ACME, BOLT, ROOT)
    nights.load("run-1", dict.fromkeys([ACME, BOLT, ROOT], "answered"))
    return nights


def shown(nights: Nights, *columns: str, view: str = "notes") -> dict[str, tuple[Any, ...]]:
    rows = nights.rows(f"select * from nightshift.{view}")  # noqa: S608 - of this module
    return {row["object_key"]: tuple(row[column] for column in columns) for row in rows}


@pytest.mark.parametrize("view", ["notes", "notes_history"])
def test_groups_are_columns_of_the_views(loaded: Nights, view: str) -> None:
    assert read_keys(loaded, BY_CUSTOMER) == 3

    assert shown(loaded, "customer", "topic", view=view) == {
        ACME.key: ("acme", ACME.key),
        BOLT.key: ("bolt", BOLT.key),
        ROOT.key: (None, ROOT.key),
    }


def test_each_key_is_read_once(loaded: Nights) -> None:
    read_keys(loaded, BY_CUSTOMER)
    loaded.list_versions("run-2", Version(ACME.key, 2), Version("cord/c.txt"))

    assert read_keys(loaded, BY_CUSTOMER) == 1
    assert read_keys(loaded, BY_CUSTOMER) == 0
    assert shown(loaded, "customer")[ACME.key] == ("acme",)


def test_another_pattern_reads_all_keys_again_a_few_at_a_time(loaded: Nights) -> None:
    read_keys(loaded, BY_CUSTOMER)
    results = loaded.rows("select * from nightshift.results")

    assert read_keys(loaded, BY_CUSTOMER_AND_CASE, at_once=2) == 3

    assert shown(loaded, "customer", "case_number") == {
        ACME.key: ("acme", None),
        BOLT.key: ("bolt", "2"),
        ROOT.key: (None, None),
    }
    assert loaded.rows("select * from nightshift.results") == results


@pytest.mark.parametrize("pattern", [r"(?P<ending>[^.]*)$", None], ids=["another", "none"])
def test_group_that_is_gone_keeps_its_column_without_values(
    loaded: Nights, pattern: str | None
) -> None:
    read_keys(loaded, BY_CUSTOMER)
    read_keys(loaded, pattern)

    assert set(shown(loaded, "customer").values()) == {(None,)}


def test_columns_of_a_view_keep_their_places(loaded: Nights) -> None:
    """PostgreSQL lets a view gain columns at its end, and in no other way."""

    def columns() -> list[str]:
        with loaded.warehouse.session() as session:
            return list(session.catalog()["notes"].columns)

    before = columns()
    read_keys(loaded, BY_CUSTOMER)
    assert columns() == [*before, "customer"]
    longer = AnswerSchema.from_model(create_model("Longer", __base__=Answer, urgency=(int, ...)))
    read_keys(loaded, BY_CUSTOMER_AND_CASE, schema=longer)
    assert columns() == [*before, "customer", "urgency", "case_number"]
    read_keys(loaded, None)
    assert columns() == [*before, "customer", "urgency", "case_number"]


def test_load_that_knows_no_pattern_leaves_the_columns(loaded: Nights) -> None:
    """The sweep has the schema of a shard, not the spec."""
    read_keys(loaded, BY_CUSTOMER)
    with loaded.warehouse.session() as session:
        ensure_tables(session, SPEC, SCHEMA)

    assert shown(loaded, "customer")[BOLT.key] == ("bolt",)


def test_group_and_field_of_one_name_are_refused_whichever_came_first(loaded: Nights) -> None:
    with pytest.raises(ConfigurationError, match="topic would be two columns"):
        read_keys(loaded, "(?P<topic>x)")
    read_keys(loaded, BY_CUSTOMER)
    taken = AnswerSchema.from_model(create_model("Taken", __base__=Answer, customer=(str, ...)))
    with pytest.raises(ConfigurationError, match="customer would be two columns"):
        read_keys(loaded, None, schema=taken)
