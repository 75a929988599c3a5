import datetime as dt
from typing import Any

import pytest

from include.documents.extraction import Extraction
from include.documents.fetching import FetchFailure
from include.requests import RequestBuilder, content_sha256
from include.runs import RunManifest, RunParams
from include.segments import body_bytes
from include.steps.build_requests import _Question
from tests.factories import make_frozen_spec, make_settings
from tests.fakes import START

SPEC = make_frozen_spec(max_characters=50)
LINE = RequestBuilder(SPEC).build("some notes").line


def question(**settings: Any) -> _Question:
    manifest = RunManifest(
        dag_id="enrich_notes",
        run_id="run",
        run_key="run",
        run_type="manual",
        started_at=START,
        window_start_at=START,
        window_end_at=START + dt.timedelta(days=1),
        params=RunParams(),
        spec=SPEC,
    )
    return _Question(manifest, make_settings(**settings))


def extraction(text: str | None = "some notes", **changes: Any) -> Extraction:
    values: dict[str, Any] = {"outcome": "text", "reason": "", "media_type": "text/plain"}
    return Extraction(**(values | {"text": text, "characters": len(text or "")} | changes))


def test_readable_document_is_asked_about() -> None:
    row, line = question().ask(extraction(pages=3))
    assert line == LINE
    assert (row["content_sha256"], row["pages"]) == (content_sha256("some notes"), 3)
    assert (row["prompt_characters"], "fixed_state" in row) == (len(LINE), False)


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        (FetchFailure("slow down"), "pending", "fetch_failed"),
        (extraction(None, outcome="vanished"), "skipped", "superseded"),
        (extraction(None, outcome="encrypted"), "skipped", "encrypted"),
        (extraction(None), "skipped", "empty"),
        (extraction("x" * 51), "skipped", "too_long"),
    ],
    ids=["fetch failed", "changed", "encrypted", "no text", "too long"],
)
def test_document_that_is_not_asked_about_says_why(
    found: Extraction | FetchFailure, state: str, reason: str
) -> None:
    row, line = question().ask(found)
    assert (row["fixed_state"], row["fixed_reason"], line) == (state, reason, None)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_request_bytes": len(LINE)},
        {"max_shard_bytes": body_bytes(len(LINE), 1)},
    ],
    ids=["of a request", "of a batch"],
)
def test_request_too_large_is_a_dead_letter(settings: dict[str, int]) -> None:
    ((name, size),) = settings.items()
    assert question(**settings).ask(extraction())[1] is not None
    row, line = question(**{name: size - 1}).ask(extraction())
    assert (row["fixed_state"], row["fixed_reason"], line) == ("dead_letter", "too_large", None)
    assert "request_id" not in row
