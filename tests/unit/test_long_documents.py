from typing import Any

import pytest

from include.errors import ConfigurationError
from include.long_documents import LongDocuments
from include.spec import FrozenSpec
from tests.factories import make_frozen_spec, make_spec

MERGE: dict[str, Any] = {"topic": "first", "mood": "most_common"}


def split(**changes: Any) -> LongDocuments:
    return LongDocuments(**({"mode": "split", "merge": MERGE} | changes))


@pytest.mark.parametrize(
    ("long_documents", "complaint"),
    [
        (LongDocuments(mode="cut"), "mode is one of .*'split'.*, not 'cut'"),  # type: ignore[arg-type]  # what a typo makes
        (split(merge={"topic": "first"}), "field 'mood' has no rule; these fit its type: first, m"),
        (split(merge=MERGE | {"mood": "sum"}), "field 'mood' cannot be merged by 'sum'"),
        (split(merge=MERGE | {"weather": "first"}), "'weather', which is no field of the answer"),
        (split(max_parts=1), "max_parts lies between 2 and 1000, it is 1"),
        (split(overlap_characters=251), "overlap_characters lies between 0 and 250, a quarter of"),
        (split(overlap_characters=-1), "overlap_characters lies between 0"),
        (LongDocuments(merge=MERGE), "are for mode 'split', not 'refuse'"),
        (LongDocuments(mode="truncate", overlap_characters=5), "are for mode 'split'"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_could_not_be_carried_out_is_refused(
    long_documents: LongDocuments, complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"spec notes: long_documents: .*{complaint}"):
        make_spec(max_characters=1_000, long_documents=long_documents)


@pytest.mark.parametrize(
    ("changes", "is_another_question"),
    [
        ({}, False),
        ({"max_characters": 900}, True),
        ({"long_documents": split(overlap_characters=10)}, True),
        ({"long_documents": split(merge=MERGE | {"topic": "longest"})}, True),
        ({"long_documents": split(max_parts=7)}, False),
        ({"long_documents": LongDocuments()}, True),
    ],
    ids=["same", "length", "overlap", "rule", "most parts", "mode"],
)
def test_prompt_version_changes_with_how_parts_are_made_and_merged(
    changes: dict[str, Any], *, is_another_question: bool
) -> None:
    usual = {"max_characters": 1_000, "long_documents": split()}
    changed = make_frozen_spec(**(usual | changes)).prompt_version
    assert (changed != make_frozen_spec(**usual).prompt_version) is is_another_question


def test_declaration_comes_back_from_the_json_of_a_run() -> None:
    frozen = make_frozen_spec(long_documents=split(max_parts=5))
    again = FrozenSpec.model_validate_json(frozen.model_dump_json())
    assert again.long_documents == split(max_parts=5)


def test_run_of_before_there_were_long_documents_refuses_them() -> None:
    values = make_frozen_spec().model_dump(exclude={"long_documents"})
    assert FrozenSpec(**values).long_documents.mode == "refuse"


def test_prompt_that_could_cost_a_multiple_must_be_asked_for() -> None:
    with pytest.raises(
        ConfigurationError, match=r"max_characters 300,000 .*above 100,000 .*beyond_"
    ):
        make_spec(max_characters=300_000)
    assert make_spec(max_characters=300_000, beyond_price_step=True).max_characters == 300_000
