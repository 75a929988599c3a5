"""Findings are ignored for a reason, and for a time; a check that was not made is no success."""

import datetime as dt

import pytest

from local_stack import audit
from local_stack.errors import StackError

TODAY = dt.date(2026, 11, 10)


def test_ignores_hold_until_their_last_day() -> None:
    lines = ["# why", "", "A 2026-11-10 client only", "B 2026-11-09 server only"]
    assert list(audit.read_ignores(lines, TODAY)) == ["A"]


@pytest.mark.parametrize("line", ["A", "A 2026-11-10", "A because we can"])
def test_ignore_without_a_day_or_a_reason_is_refused(line: str) -> None:
    with pytest.raises(StackError, match="is not '<id> <last day> <reason>'"):
        list(audit.read_ignores([line], TODAY))


@pytest.mark.parametrize(
    ("is_optional", "code", "word"), [(True, 0, "warning"), (False, 1, "error")]
)
def test_database_out_of_reach_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    is_optional: bool,
    code: int,
    word: str,
) -> None:
    monkeypatch.setattr(audit, "DATABASE", "https://127.0.0.1:9/query")
    assert audit.audit(is_optional=is_optional) == code
    said = capsys.readouterr().out
    assert said.startswith(word)
    assert "NOT audited" in said
