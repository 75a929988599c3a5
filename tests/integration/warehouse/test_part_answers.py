import json
from collections.abc import Iterable
from typing import Any

import pytest

from include.merging import MergeRule, PartMerger
from include.warehouse.known_requests import read_known_requests
from include.warehouse.loading import LoadSummary
from include.warehouse.part_answers import DOCUMENTS_PER_PAGE
from include.warehouse.staging import FAILURES, NEEDED, PART_ANSWERS, PARTS
from tests.integration.warehouse.nights import (
    DAY,
    MONDAY,
    PROMPT,
    SCHEMA,
    SPEC,
    Nights,
    Version,
    reader,
)

pytestmark = pytest.mark.integration

RULES: dict[str, MergeRule] = {
    "topic": "first",
    "tags": "union",
    "terms": "concat",
    "due": "max",
}
LONG, OTHER = Version("long"), Version("other")
PARTS_OF = {LONG: ("shared", "b", "c"), OTHER: ("shared", "d", "e")}


def load(
    nights: Nights,
    run: str,
    *answered: str,
    documents: Iterable[Version] = (LONG,),
    parts: dict[Version, tuple[str, ...]] = PARTS_OF,
    failed: Iterable[str] = (),
    rules: dict[str, MergeRule] = RULES,
) -> LoadSummary:
    """Load documents of several parts, of which some are answered and some given up."""
    staged = [
        {
            "enrichment_id": version.request_id(),
            "part_number": number,
            "part_count": len(parts[version]),
            "request_id": part,
        }
        for version in documents
        for number, part in enumerate(parts[version], start=1)
    ]
    return nights.load(
        run,
        dict.fromkeys(documents, "asked"),
        parts=reader(staged, PARTS),
        part_answers=reader([_answer(part) for part in answered], PART_ANSWERS),
        failures=reader([_failure(part) for part in failed], FAILURES),
        merger=PartMerger(SCHEMA, rules),
    )


def _answer(part: str) -> dict[str, Any]:
    answer = {"topic": part, "tags": ["all", part], "terms": [{"title": part, "amount": "1.5"}]}
    return {
        "request_id": part,
        "prompt_version": PROMPT,
        "answer": json.dumps(answer | {"due": None}),
        "answer_model": "claude" if part == "shared" else "claude-stronger",
        "is_simulated": False,
    }


def _failure(part: str) -> dict[str, Any]:
    return {
        "request_id": part,
        "reason": "refused",
        "error_message": "no",
        "attempts": 1,
        "is_final": True,
    }


def known(nights: Nights, *versions: Version) -> dict[str, str]:
    needed = [
        {"request_id": part, "document_id": one.key, "enrichment_id": one.request_id()}
        for one in versions
        for part in PARTS_OF[one]
    ]
    with nights.warehouse.session() as session:
        found = read_known_requests(
            session, spec=SPEC, prompt_version=PROMPT, needed=reader(needed, NEEDED)
        )
        return {row["request_id"]: row["known"] for row in found.read_all().to_pylist()}


def test_document_waits_for_its_last_part_and_then_has_one_answer(nights: Nights) -> None:
    nights.list_versions("run-1", LONG)
    load(nights, "run-1", "c", "shared")
    assert nights.states("run-1") == {"long@1": "pending in_flight"}
    assert nights.rows("from nightshift.notes_enrichments") == []
    assert known(nights, LONG) == {"c": "answer", "shared": "answer"}

    summary = load(nights, "run-1", "b")

    assert summary.enrichment_count == 1
    (row,) = nights.rows("from nightshift.notes")
    assert (row["topic"], row["tags"]) == ("shared", ["all", "shared", "b", "c"])
    assert (row["answer_model"], row["part_count"]) == ("claude + claude-stronger", None)
    terms = nights.rows("select ordinal, title from nightshift.notes__terms order by ordinal")
    assert [term["title"] for term in terms] == ["shared", "b", "c"]


def test_loading_again_changes_no_row(nights: Nights) -> None:
    nights.list_versions("run-1", LONG)
    load(nights, "run-1", *PARTS_OF[LONG])
    rows = nights.everything()
    summary = load(nights, "run-1", *PARTS_OF[LONG])
    assert (summary.enrichment_count, summary.settled_count) == (0, 0)
    assert nights.everything() == rows


def test_all_parts_of_many_documents_are_merged_page_by_page(nights: Nights) -> None:
    parts = {Version(f"n{n:03}"): (f"{n}-1", f"{n}-2") for n in range(DOCUMENTS_PER_PAGE + 1)}
    nights.list_versions("run-1", *parts)
    answered = [part for pair in parts.values() for part in pair]
    summary = load(nights, "run-1", *answered, documents=parts, parts=parts)
    assert summary.enrichment_count == len(parts)
    topics = nights.rows("select object_key, topic from nightshift.notes order by object_key")
    assert [row["topic"] for row in topics] == [pair[0] for pair in parts.values()]


def test_part_given_up_ends_its_documents_and_no_others(nights: Nights) -> None:
    nights.list_versions("run-1", LONG, OTHER)
    load(nights, "run-1", "shared", documents=(LONG, OTHER), failed=["c"])
    assert nights.states("run-1") == {
        "long@1": "dead_letter refused",
        "other@1": "pending in_flight",
    }
    (letter,) = nights.rows("select request_id, error_message from nightshift.dead_letters")
    assert letter == {"request_id": "c", "error_message": "part 3 of 3: no"}
    # What only the dead document needs is not bought; what the other needs is.
    assert known(nights, LONG, OTHER) == {
        "shared": "answer",
        "b": "dead_letter",
        "c": "dead_letter",
    }


def test_shared_part_given_up_ends_the_documents_of_other_nights_too(nights: Nights) -> None:
    nights.list_versions("run-1", LONG)
    load(nights, "run-1", failed=["shared"])
    assert known(nights, OTHER) == dict.fromkeys(PARTS_OF[OTHER], "dead_letter")
    nights.list_versions("run-2", OTHER, at=MONDAY + DAY)
    load(nights, "run-2", documents=[OTHER])
    assert nights.states("run-2") == {"other@1": "dead_letter refused"}


def test_requeued_document_buys_only_what_has_no_answer(nights: Nights) -> None:
    nights.list_versions("run-1", LONG)
    load(nights, "run-1", "b", "shared", failed=["c"])
    nights.list_versions("run-2", at=MONDAY + DAY, requeue_reasons=("refused",))
    assert known(nights, LONG) == {"b": "answer", "shared": "answer"}
    load(nights, "run-2", "c")
    assert nights.latest() == {"long@1": "reused"}
    assert nights.letters() == {"long@1": "reused"}


def test_answers_that_cannot_be_merged_make_a_dead_letter(nights: Nights) -> None:
    nights.list_versions("run-1", LONG)
    # A rule that the spec would refuse: its outcome is no text.
    load(nights, "run-1", *PARTS_OF[LONG], rules=RULES | {"topic": "union"})
    assert nights.states("run-1") == {"long@1": "dead_letter invalid_output"}
    (letter,) = nights.rows("select error_message from nightshift.dead_letters")
    assert letter["error_message"].startswith("the answers about its parts cannot be merged: Exp")
    assert nights.rows("from nightshift.notes_enrichments") == []
    assert len(nights.rows("from nightshift.part_answers")) == 3


def test_of_two_answers_to_one_part_one_is_kept(nights: Nights) -> None:
    nights.list_versions("run-1", LONG)
    load(nights, "run-1", *PARTS_OF[LONG], *PARTS_OF[LONG])
    assert nights.states("run-1") == {"long@1": "reused"}
    assert len(nights.rows("from nightshift.part_answers")) == 3
