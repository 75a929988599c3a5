from typing import Any

import pytest

from include.warehouse.known_requests import read_known_requests
from include.warehouse.staging import NEEDED
from tests.integration.warehouse.nights import DAY, MONDAY, PROMPT, SPEC, Nights, Version, reader

pytestmark = pytest.mark.integration

A, B, C, D, E = (Version(key) for key in "abcde")


def known(nights: Nights, *versions: Version, prompt_version: str = PROMPT) -> list[dict[str, Any]]:
    needed = [
        {
            "request_id": version.request_id(prompt_version),
            "document_id": version.document_id,
            "enrichment_id": version.request_id(prompt_version),
        }
        for version in versions
    ]
    with nights.warehouse.session() as session:
        return (
            read_known_requests(
                session, spec=SPEC, prompt_version=prompt_version, needed=reader(needed, NEEDED)
            )
            .read_all()
            .to_pylist()
        )


def test_answers_dead_letters_and_paid_failures_are_known_and_the_rest_is_not(
    nights: Nights,
) -> None:
    nights.list_versions("run-1", A, B, C, D, E)
    nights.load(
        "run-1",
        {A: "answered", B: "failed refused", C: "failing truncated", D: "failing expired"},
    )

    rows = known(nights, A, B, C, D, E)

    by_id = {row["request_id"]: (row["known"], row["reason"]) for row in rows}
    assert by_id == {
        A.request_id(): ("answer", None),
        B.request_id(): ("dead_letter", "refused"),
        C.request_id(): ("failed", "truncated"),
    }


def test_dead_letters_are_forgotten_under_another_prompt(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})

    assert known(nights, A, prompt_version="prompt-2") == []


def test_a_dead_letter_is_known_for_equal_content(nights: Nights) -> None:
    nights.list_versions("run-1", Version("twin", content="same"))
    nights.load("run-1", {Version("twin", content="same"): "failed refused"})

    (row,) = known(nights, Version("zwilling", content="same"), Version("b", content="same"))

    assert row["known"] == "dead_letter"


def test_a_requeued_dead_letter_is_bought_again(nights: Nights) -> None:
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "failed refused"})
    nights.list_versions("run-2", at=MONDAY + DAY, requeue_reasons=("refused",))

    assert known(nights, A) == []
