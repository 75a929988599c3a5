from typing import get_args

import pytest

from include.documents.extraction import ExtractionOutcome, state_of


def test_text_goes_on() -> None:
    assert state_of("text") is None


@pytest.mark.parametrize("outcome", sorted(set(get_args(ExtractionOutcome)) - {"text"}))
def test_every_other_outcome_is_skipped_for_a_reason(outcome: ExtractionOutcome) -> None:
    assert state_of(outcome) == ("skipped", outcome)
