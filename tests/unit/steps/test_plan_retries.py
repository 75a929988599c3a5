import datetime as dt
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.steps.plan_retries import RetryPointer, RetryRound, read_pointer
from include.storage import ObjectStore
from tests.fakes import START, FakeClock


def pointer() -> RetryPointer:
    return RetryPointer(
        spec="notes",
        run_key="run-1",
        retryable_count=2,
        start_until=START + dt.timedelta(hours=20),
    )


@pytest.mark.parametrize("key", [None, "", 7, "notes/runs/never/retry.json"], ids=repr)
def test_child_without_a_pointer_says_how_it_is_started(store: ObjectStore, key: Any) -> None:
    with pytest.raises(ConfigurationError, match="retry_failures is started by a night's"):
        read_pointer(store, key)


def test_pointer_comes_back_as_it_was_written(store: ObjectStore) -> None:
    store.write("retry.json", pointer().model_dump_json().encode())
    assert read_pointer(store, "retry.json") == pointer()


def test_round_that_comes_too_late_asks_nothing() -> None:
    """It would otherwise read the round before, which is not there."""
    late: Any = FakeClock(pointer().start_until + dt.timedelta(seconds=1))
    planning: Any = type("Planning", (), {"now": late})
    nothing: Any = None
    assert RetryRound(2, pointer(), nothing, planning).plan() is None
