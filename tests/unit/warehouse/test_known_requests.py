from typing import Any

from include.warehouse.known_requests import read_known_requests
from include.warehouse.staging import NEEDED
from tests.unit.warehouse.nights import DAY, MONDAY, PROMPT, SPEC, Nights, Version, reader

A, B, C = Version("a"), Version("b"), Version("c")


def known(nights: Nights, *versions: Version, prompt_version: str = PROMPT) -> list[dict[str, Any]]:
    needed = [
        {
            "request_id": version.request_id(prompt_version),
            "document_id": version.document_id,
            "content_sha256": version.content_sha256,
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


def test_answers_and_dead_letters_are_known_and_the_rest_is_not(nights: Nights) -> None:
    nights.list_versions("run-1", A, B, C)
    nights.load("run-1", {A: "answered", B: "failed refused", C: "failing truncated"})

    rows = known(nights, A, B, C)

    by_id = {row["request_id"]: (row["known"], row["reason"]) for row in rows}
    assert by_id == {
        A.request_id(): ("answer", None),
        B.request_id(): ("dead_letter", "refused"),
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
