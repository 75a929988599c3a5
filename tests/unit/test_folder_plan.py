from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from include.config import Settings
from include.errors import ConfigurationError
from include.folder_plan import main, plan_folder
from tests.factories import make_frozen_spec

SETTINGS = Settings.without_buckets({"NIGHTSHIFT_EXTRACTION_WORKERS": "1"})


class Counter:
    """Takes every request for 500 tokens."""

    def count(self, params: dict[str, Any]) -> int:
        assert params["model"] == "claude-haiku-5-5"
        return 500


def test_folder_is_read_as_a_night_reads_it_and_priced(tmp_path: Path) -> None:
    for name, text in (("a.txt", "Rain."), ("b.txt", "Rain."), ("c.md", "Sun."), ("d.txt", " ")):
        (tmp_path / name).write_text(text)
    (tmp_path / "e.txt").write_text("long " * 100)
    plan = plan_folder(
        tmp_path,
        make_frozen_spec(max_characters=100),
        SETTINGS,
        open_counter=lambda: nullcontext(Counter()),
    )
    assert plan.outcomes == {"asked about": 3, "skipped: empty": 1, "skipped: too_long": 1}
    assert plan.forecast is not None
    assert (plan.forecast.request_count, plan.forecast.reused_count) == (2, 1)
    assert (plan.forecast.input_tokens.expected, plan.forecast.counted_count) == (1_000, 2)
    shown = "\n".join(plan.lines())
    assert "2 requests to claude-haiku-5-5" in shown
    assert "by a sample that the API counted (2 requests)" in shown
    assert "by reuse of 1 answers" in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere", "document_metadata"], "'nowhere' is no folder"),
        (["{folder}", "nobody"], "there is no usable spec 'nobody': there are "),
    ],
)
def test_what_cannot_be_planned_is_said(
    tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit, match=f"Nothing was planned: .*{complaint}"):
        main([one.format(folder=tmp_path) for one in arguments])


def test_settings_name_a_wrong_price() -> None:
    for value, complaint in (
        ("{", "not JSON"),
        ('{"m": {"discount": 2}}', "less than 1"),
        ('{"m": {}}', "name a discount above 0, or standard and batch prices"),
        ('{"m": {"batch": {"input": 1}}}', "Field required"),
    ):
        with pytest.raises(ConfigurationError, match=f"NIGHTSHIFT_PRICE_OVERRIDES.*{complaint}"):
            Settings.without_buckets({"NIGHTSHIFT_PRICE_OVERRIDES": value})
