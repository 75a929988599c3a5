import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.key_patterns import _PLAIN, KeyPattern, _re2_groups
from include.specs import load_catalog

PATTERN = KeyPattern(r"^in/(?:dt=(?P<day>[^/]+)/)?(?P<customer>[^/]*)/(?P<name>.*)$")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("in/dt=2026-11-10/acme/a.txt", ("2026-11-10", "acme", "a.txt")),
        ("in/acme/a.txt", (None, "acme", "a.txt")),
        ("in/dt=2026-11-10//a.txt", ("2026-11-10", None, "a.txt")),
        ("in/日本/ü+%2F 😀'\"\\.txt", (None, "日本", "ü+%2F 😀'\"\\.txt")),
        ("in/a\u0301/\x01\x7f\ufffe", (None, "a\u0301", "\x01\x7f\ufffe")),
        ("in/acme/line\nbreak.txt", (None, None, None)),
        ("out/acme/a.txt", (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_groups_say_what_the_key_says(key: str, expected: tuple[str | None, ...]) -> None:
    values = PATTERN.values(pa.array(["nothing", key]))
    assert PATTERN.groups == ("day", "customer", "name")
    assert tuple(values[group][1].as_py() for group in PATTERN.groups) == expected


PIECES = st.sampled_from([
    "(?P<a>", "(?P<b1>", "(?P<1>", "(?:", "(", ")", ")", ")", "|", "^", "$", "*", "+", "?", "x",
    "/", "-", "[^/]", "[a-z]", "[z-a]", "[", "]", ".", r"\.", r"\d", r"\w", r"\1", "{2}", "é", " ",
])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_read_without_re2_is_read_alike_by_it(text: str) -> None:
    try:
        groups = KeyPattern(text).groups
    except ValueError:
        return
    assert groups == _re2_groups(text)


def test_patterns_as_specs_have_them_are_read_without_re2() -> None:
    patterns = [one.key_pattern for one in load_catalog().specs.values() if one.key_pattern]
    assert patterns
    assert all(_PLAIN.fullmatch(one) for one in patterns)


def test_no_pattern_takes_long() -> None:
    """Python's own engine would take years for this."""
    began = time.monotonic()
    values = KeyPattern(r"^(?P<x>(?:a+)+)$").values(pa.array(["a" * 1_000 + "b"] * 100))
    assert values["x"].null_count == 100
    assert time.monotonic() - began < 5


def test_another_pattern_has_another_version() -> None:
    assert KeyPattern("(?P<a>x)").version != KeyPattern("(?P<a>y)").version
