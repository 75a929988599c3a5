import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.submission import Submission
from tests.factories import make_settings
from tests.unit.submission_model import (
    Model,
    Scenario,
    deaths,
    freezes,
    lost_writes,
    races,
    twins,
)


class Hasty(Submission):
    """Pays again without looking for what an earlier POST has made."""

    def _look_for_lost(self, *_: Any) -> None:
        return None


class Credulous(Submission):
    """Takes every batch of the right count for its own."""

    def _is_ours(self, *_: Any) -> bool:
        return True


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="include")


@pytest.mark.parametrize("scenarios", [races, deaths, lost_writes, twins])
def test_no_interleaving_crash_or_lost_answer_buys_twice_or_gets_stuck(
    tmp_path: Path, scenarios: Callable[[], Iterator[Scenario]]
) -> None:
    model = Model(tmp_path)
    for scenario in scenarios():
        night = model.play(scenario)
        assert night.is_bought_once, scenario
        assert night.is_settled, scenario


@pytest.mark.parametrize(
    ("weakness", "scenarios"),
    [
        pytest.param({"submission": Hasty}, deaths, id="not looking"),
        pytest.param({"submission": Credulous}, twins, id="taking a batch without proof"),
        pytest.param(
            {"settings": make_settings(settling_seconds=200)}, deaths, id="settling too short"
        ),
        pytest.param({"changes": {"monotonic": lambda: 0}}, freezes, id="no limit to the start"),
        pytest.param({"freezes_before_post": True}, freezes, id="the window that remains"),
    ],
)
def test_search_finds_the_double_purchase_that_a_weaker_rule_allows(
    tmp_path: Path, weakness: dict[str, Any], scenarios: Callable[[], Iterator[Scenario]]
) -> None:
    model = Model(tmp_path, **weakness)
    assert not all(model.play(scenario).is_bought_once for scenario in scenarios())
