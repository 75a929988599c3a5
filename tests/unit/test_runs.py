import datetime as dt
from typing import Any

import pytest

from include.errors import ConfigurationError, PermanentError
from include.runs import (
    LOOKBACK,
    RunContext,
    RunFiles,
    RunManifest,
    RunParams,
    choose_night,
    choose_window,
    keep_manifest,
    read_manifest,
)
from include.storage import ObjectStore
from tests.factories import make_frozen_spec

MONDAY = dt.datetime(2026, 11, 9, 2, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TUESDAY, SUNDAY = MONDAY + DAY, MONDAY - DAY


def context(run_type: str = "scheduled", **changes: Any) -> RunContext:
    values: dict[str, Any] = {
        "dag_id": "enrich_notes",
        "run_id": f"{run_type}__2026-11-09T02:00:00+00:00",
        "run_type": run_type,
        "run_after": TUESDAY,
        "started_at": TUESDAY,
        "interval_start": MONDAY,
        "interval_end": TUESDAY,
        "params": RunParams(),
    }
    return RunContext(**(values | changes))


@pytest.mark.parametrize(
    ("run", "last_end", "window"),
    [
        pytest.param(context(), None, (MONDAY, TUESDAY), id="first night: not the past"),
        pytest.param(context(), MONDAY, (MONDAY - LOOKBACK, TUESDAY), id="night after night"),
        pytest.param(context(), SUNDAY, (SUNDAY - LOOKBACK, TUESDAY), id="after a missed night"),
        pytest.param(
            context(), TUESDAY + DAY, (MONDAY - LOOKBACK, TUESDAY), id="cleared after later nights"
        ),
        pytest.param(context("backfill"), SUNDAY, (MONDAY, TUESDAY), id="backfill: exactly"),
        pytest.param(context("manual"), SUNDAY, (MONDAY, TUESDAY), id="manual with an interval"),
        pytest.param(
            context("manual", interval_start=None, interval_end=None),
            SUNDAY,
            (MONDAY, TUESDAY),
            id="manual without one: the last day",
        ),
        pytest.param(
            context(params=RunParams(window_start=SUNDAY, window_end=MONDAY)),
            SUNDAY,
            (SUNDAY, MONDAY),
            id="params win",
        ),
    ],
)
def test_window_is_chosen_by_one_rule(
    run: RunContext, last_end: dt.datetime | None, window: tuple[dt.datetime, dt.datetime]
) -> None:
    assert choose_window(run, last_end) == window


@pytest.mark.parametrize(
    ("run", "night"),
    [
        (context(), MONDAY.date()),
        (context(params=RunParams(window_start=SUNDAY, window_end=TUESDAY)), SUNDAY.date()),
        (context(interval_start=MONDAY.astimezone(dt.timezone(-DAY / 4))), MONDAY.date()),
    ],
    ids=["of the interval, not of the window behind it", "of the window given", "in UTC"],
)
def test_run_has_one_night(run: RunContext, night: dt.date) -> None:
    assert choose_night(run) == night


def test_interval_without_width_is_refused() -> None:
    with pytest.raises(PermanentError, match="interval without width"):
        choose_window(context(interval_end=MONDAY), None)


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"window_start": MONDAY}, "window_start and window_end go together"),
        ({"window_start": TUESDAY, "window_end": MONDAY}, "must lie before"),
        ({"window_start": MONDAY, "window_end": MONDAY}, "must lie before"),
        (
            {"window_start": "2026-11-09T00:00:00", "window_end": "2026-11-10T00:00:00"},
            "need a time zone",
        ),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"budget_usd": -1}, "budget_usd: Input should be greater"),
        ({"requeue": ["boredom"]}, r"requeue\.0: Input should be 'too_large'"),
        ({"requeue": ["encrypted"]}, r"requeue\.0: Input should be 'too_large'"),
        ({"limmit": 3}, "limmit: Extra inputs are not permitted"),
    ],
    ids=str,
)
def test_unusable_params_are_named(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        RunParams.parse(params)


def test_several_unusable_params_are_named_together() -> None:
    with pytest.raises(ConfigurationError, match=r"limit: .*; budget_usd: "):
        RunParams.parse({"limit": 0, "budget_usd": "much"})


def manifest(**changes: Any) -> RunManifest:
    run = context()
    values: dict[str, Any] = {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "run_key": run.run_key,
        "run_type": run.run_type,
        "started_at": run.started_at,
        "night": MONDAY.date(),
        "window_start_at": MONDAY,
        "window_end_at": TUESDAY,
        "params": run.params,
        "spec": make_frozen_spec(),
    }
    return RunManifest(**(values | changes))


def test_run_that_has_planned_keeps_its_manifest_when_it_is_cleared(store: ObjectStore) -> None:
    first = keep_manifest(store, manifest())
    store.write(RunFiles("notes", first.run_key).plan_key(0), b"{}")
    changed = manifest(window_end_at=TUESDAY + DAY, spec=make_frozen_spec(revision=2))
    assert keep_manifest(store, changed) == first == read_manifest(store, "notes", first.run_key)


def test_run_that_has_not_planned_takes_up_a_corrected_spec(store: ObjectStore) -> None:
    keep_manifest(store, manifest())
    corrected = manifest(spec=make_frozen_spec(revision=2))
    assert keep_manifest(store, corrected) == corrected
    assert read_manifest(store, "notes", corrected.run_key) == corrected


def test_missing_manifest_names_the_file(store: ObjectStore) -> None:
    with pytest.raises(PermanentError, match=r"runs/never/spec\.json is missing"):
        read_manifest(store, "notes", "never")


def test_files_of_a_run_lie_together() -> None:
    files = RunFiles("notes", "run-1")
    keys = [files.manifest_key, files.listing_key, files.plan_key(0), files.plan_key(2)]
    assert keys == [
        f"notes/runs/run-1/{name}"
        for name in ("spec.json", "listing/manifest.json", "plan.json", "plan-2.json")
    ]
    assert files.report_key == "notes/runs/run-1/report.json"
