import re

import pytest

from include.simulator.patterns import matching_text


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]{2,3}$", r"^\d{4}-\d{2}$", "^(a|b)+?c*$", r"[^a]\s.", "^[^0-9a-f]$", r"^\w+@x\.org$"],
)
def test_a_simple_pattern_is_matched(pattern):
    assert re.search(pattern, matching_text(pattern))


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=b)a", r"^[^\w\W]$"])
def test_a_difficult_pattern_is_left_alone(pattern):
    assert matching_text(pattern) is None
