import pytest

from include.reports import StateCount
from include.steps.reconcile_run import rate_problems


@pytest.mark.parametrize(
    ("dead", "others", "again", "limit", "is_red"),
    [
        (0, 0, 0, 0.0, False),
        (0, 5, 0, 0.0, False),
        (1, 99, 0, 0.0, True),
        (1, 19, 0, 0.05, False),
        (1, 18, 0, 0.05, True),
        (29, 71, 0, 0.29, False),
        (3, 0, 0, 1.0, False),
        (3, 0, 3, 0.0, False),
        (3, 0, 2, 0.5, True),
        (3, 1, 2, 0.5, False),
    ],
    ids=[
        "no documents",
        "no dead letters",
        "none are allowed",
        "exactly at the limit",
        "just above it",
        "exactly at a limit that binary cannot hold",
        "all are allowed",
        "all were requeued in vain",
        "one is new",
        "one is new among two",
    ],
)
def test_rate_of_dead_letters_is_judged(
    dead: int, others: int, again: int, limit: float, *, is_red: bool
) -> None:
    reasons = [
        StateCount(state="dead_letter", state_reason="refused", document_count=dead),
        StateCount(state="enriched", state_reason=None, document_count=others),
    ]
    assert bool(rate_problems(reasons, given_up_again=again, limit=limit)) is is_red
