import re
from pathlib import Path
from typing import get_args

import pytest

from include.documents.extraction import ExtractionOutcome, state_of
from include.load_inputs import PendingReason
from include.results import Outcome
from include.runs import DeadLetterReason, SkipReason
from include.specs import load_catalog
from include.warehouse.dictionary import data_dictionary

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "data-dictionary.md"
TEXT = PAGE.read_text(encoding="utf-8")
WITHOUT_A_TYPE = {
    "pending": {"not_built", "fetch_failed", "retry_window", "unanswered"},
    "skipped": {"too_many_pixels"},
}


def section(title: str) -> str:
    return TEXT.partition(f"{title}\n")[2].partition("\n#")[0]


def test_the_page_says_what_the_database_says() -> None:
    assert data_dictionary(load_catalog().specs) == TEXT, "run `make dictionary`"


@pytest.mark.parametrize(
    ("state", "reasons"),
    [
        ("pending", {*get_args(PendingReason), *WITHOUT_A_TYPE["pending"]}),
        (
            "skipped",
            {
                *(state[1] for state in map(state_of, get_args(ExtractionOutcome)) if state),
                *get_args(SkipReason),
                *WITHOUT_A_TYPE["skipped"],
            },
        ),
        ("dead_letter", set(get_args(DeadLetterReason))),
    ],
)
def test_every_reason_is_explained(state: str, reasons: set[str]) -> None:
    explained = re.findall(r"^\| `(\w+)` \|", section(f"### Reasons for `{state}`"), re.MULTILINE)

    assert sorted(explained) == sorted(reasons)


def test_every_outcome_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", section("## Outcomes")))
    assert explained == {*get_args(Outcome), "preflight"}


def test_the_picture_shows_the_keys_that_the_tables_have() -> None:
    """Names and keys in the diagram are those of the tables, spelled alike."""
    names = {
        "spec_enrichments": "document_metadata_enrichments",
        "spec_list": "document_metadata__key_entities",
    }
    drawn = re.findall(r"^  (\w+) \{\n(.*?)^  \}", TEXT, re.MULTILINE | re.DOTALL)
    for entity, columns in drawn:
        about = section(f"### `{names.get(entity, entity)}`")
        known = dict(re.findall(r"^\| `(\w+)` \| ([\w\[\]]+)", about, re.MULTILINE))
        for column_type, column in re.findall(r"^    (\w+) (\w+)", columns, re.MULTILINE):
            assert known[column] == column_type, (entity, column)
        keys = re.findall(r"^    \w+ (\w+) PK", columns, re.MULTILINE)
        if "*Table" in about:
            assert keys == re.findall(r"`(\w+)`", about.partition(".*")[0]), entity
    assert len(drawn) == TEXT.count(" {\n")
