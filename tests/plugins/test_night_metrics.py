"""What tasks tell Airflow's metrics, as its OpenTelemetry backend passes it on."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import night_metrics
import pytest
from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.sdk._shared.observability.metrics.otel_logger import SafeOtelLogger
from airflow.sdk.observability import stats
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from include.steps.sweep_ledger import SweepReport
from include.submission import Submitted
from include.warehouse.loading import LoadSummary, PaidResults
from tests.unit.test_reports import make_report

Point = tuple[str, dict[str, Any], float]


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    stats.initialize(factory=lambda: SafeOtelLogger(provider), export_legacy_names=True)
    yield reader
    stats.initialize(factory=NoStatsLogger, export_legacy_names=True)
    provider.shutdown()


def points(reader: InMemoryMetricReader) -> list[Point]:
    """Return name, tags and value of every metric; of a histogram its sum."""
    data = reader.get_metrics_data()
    return [
        (metric.name, dict(point.attributes), getattr(point, "value", getattr(point, "sum", None)))
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    ]


def paid(outcome: str, **changes: Any) -> PaidResults:
    values: dict[str, Any] = {
        "model": "claude-haiku-5-5",
        "result_count": 2,
        "input_tokens": 4_000,
        "output_tokens": 300,
        "cache_read_tokens": 10,
        "cache_write_tokens": 5,
        "cost_usd": Decimal("0.000275"),
    }
    return PaidResults(outcome, **(values | changes))


@pytest.mark.parametrize(
    ("origin", "names"),
    [
        ("posted", ["airflow.nightshift.batches.submitted"]),
        ("adopted", ["airflow.nightshift.batches.adopted"]),
        ("known", []),
    ],
)
def test_a_batch_is_counted_by_who_made_or_found_it(
    reader: InMemoryMetricReader, origin: Any, names: list[str]
) -> None:
    night_metrics.count_submission("notes", Submitted("msgbatch_1", origin))
    assert points(reader) == [(name, {"spec": "notes"}, 1) for name in names]


def test_a_load_counts_what_was_new_by_outcome_and_model(reader: InMemoryMetricReader) -> None:
    unnamed = paid("errored", model=None, result_count=1, input_tokens=0, cost_usd=Decimal(0))
    lags = (dt.timedelta(minutes=2), dt.timedelta(minutes=3))
    summary = LoadSummary(3, 1, 2, 3, paid=(paid("succeeded"), unnamed), lags=lags)
    assert night_metrics.count_load("notes", summary) == {
        "result_count": 3,
        "batch_count": 1,
        "enrichment_count": 2,
        "settled_count": 3,
    }
    usable = {"spec": "notes", "outcome": "succeeded", "model": "claude-haiku-5-5"}
    found = points(reader)
    assert [(name, value) for name, tags, value in found if tags == usable] == [
        ("airflow.nightshift.results.loaded", 2),
        ("airflow.nightshift.tokens.sent", 4_000),
        ("airflow.nightshift.tokens.answered", 300),
        ("airflow.nightshift.tokens.cached", 15),
        ("airflow.nightshift.cost.spent", 275),
    ]
    failed = {"spec": "notes", "outcome": "errored", "model": "none"}
    assert ("airflow.nightshift.results.loaded", failed, 1) in found
    assert ("airflow.nightshift.batches.loaded", {"spec": "notes"}, 300_000) in found


def test_a_load_of_what_was_loaded_counts_nothing(reader: InMemoryMetricReader) -> None:
    night_metrics.count_load("notes", LoadSummary(0, 0, 0, 0))
    assert points(reader) == []


def test_a_night_shows_its_documents_and_its_cost(reader: InMemoryMetricReader) -> None:
    report = make_report(verdict="red", documents={"enriched": 2, "pending": 1})
    night_metrics.show_night(report)
    found = points(reader)
    tags = {"spec": report.spec}
    assert ("airflow.nightshift.documents.settled", tags | {"state": "pending"}, 1) in found
    assert ("airflow.nightshift.cost.settled", tags, float(report.actual_usd)) in found
    assert ("airflow.nightshift.runs.reconciled", tags | {"verdict": "red"}, 1) in found


def test_a_sweep_shows_what_needs_a_person(reader: InMemoryMetricReader) -> None:
    sweep = SweepReport(stuck=["s-1"], failed=["s-2"], unclaimed_batch_ids=["b-1"])
    sweep.loads.append(LoadSummary(1, 1, 1, 0, paid=(paid("succeeded", result_count=1),)))
    assert "loads" not in night_metrics.count_sweep("notes", sweep)
    found = {name.removeprefix("airflow.nightshift."): value for name, _, value in points(reader)}
    assert found["shards.stuck"] == 2
    assert found["batches.unclaimed"] == 1
    assert found["results.loaded"] == 1


def test_the_page_lists_exactly_the_metrics_that_there_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "observability.md").read_text()
    listed = re.findall(r"^\| `(nightshift\.[a-z.]+)`", page, re.MULTILINE)
    assert sorted(listed) == sorted(night_metrics.all_metrics())
