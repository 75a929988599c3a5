"""The one screen that the demo ends with."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from include.reports import NightReport, StateCount
from local_stack.airflow_server import USER
from local_stack.warehouse import Row

_MAX_REASONS = 6
_MAX_KINDS = 5
_LABEL_WIDTH = 11
_NAME_WIDTH = 28


@dataclass(frozen=True)
class Summary:
    """What the demo has to say."""

    airflow_url: str
    password: str
    simulator_url: str
    night: dt.date
    files_by_kind: Counter[str]
    report: NightReport
    sample: list[Row]
    """Rows of the analyst's view: key, type, topic, sentiment, language, summary."""


def print_summary(console: Console, summary: Summary) -> None:
    """Print the screen."""
    console.print()
    for label, text in _facts(summary):
        line = Text(label.ljust(_LABEL_WIDTH), style="bold")
        console.print(line.append(text, style="not bold"), no_wrap=True, overflow="ellipsis")
    console.print()
    console.print(_sample_table(summary.sample))
    console.print()
    for label, text in _next_steps(summary):
        console.print(Text(label.ljust(_LABEL_WIDTH), style="bold").append(text, style="not bold"))


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    report = summary.report
    yield "Airflow", f"{summary.airflow_url}   {USER} / {summary.password}"
    yield "simulator", f"{summary.simulator_url}   what the API was asked, and its bill"
    yield "uploaded", _kinds(summary.files_by_kind)
    parts = [f"{count:,} {state}" for state, count in report.documents.items() if count]
    yield (
        "night 1",
        f"{summary.night}: {report.listed_count:,} listed = {' + '.join(parts) or 'nothing'}",
    )
    yield (
        "bought",
        f"{report.bought_count:,} requests in {sum(batch.is_own for batch in report.batches)} "
        f"batches for {_usd(report.actual_usd)}; forecast {_usd(report.forecast_usd)}, "
        f"list price {_usd(report.list_usd)}; simulated",
    )
    label = "why not"
    for reason in _reasons(report):
        yield label, f"{reason.document_count:>5,}  {reason.state}: {reason.state_reason}"
        label = ""
    yield "night 2", "the same night again: 0 bought, 0 rows changed"


def _reasons(report: NightReport) -> list[StateCount]:
    given = [reason for reason in report.reasons if reason.state_reason is not None]
    return sorted(given, key=lambda reason: -reason.document_count)[:_MAX_REASONS]


def _kinds(files_by_kind: Counter[str]) -> str:
    common = files_by_kind.most_common(_MAX_KINDS)
    rest = files_by_kind.total() - sum(count for _, count in common)
    named = [f"{count:,} {kind}" for kind, count in common] + [f"{rest:,} others"] * bool(rest)
    return f"{files_by_kind.total():,} documents of {len(files_by_kind)} kinds: {', '.join(named)}"


def _sample_table(sample: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("document", width=_NAME_WIDTH, no_wrap=True)
    table.add_column("type", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("topic", ratio=5, no_wrap=True, overflow="ellipsis")
    table.add_column("sentiment", width=9, no_wrap=True)
    table.add_column("lang", width=4, no_wrap=True)
    table.add_column("summary", ratio=8, no_wrap=True, overflow="ellipsis")
    for key, *cells in sample:
        cells_on_one_line = (Text(" ".join(str(cell).split())) for cell in cells)
        table.add_row(Text(_tail(str(key))), *cells_on_one_line)
    return table


def _tail(key: str) -> str:
    """Cut a key at its front: the end is what tells documents apart."""
    return key if len(key) <= _NAME_WIDTH else f"…{key[1 - _NAME_WIDTH :]}"


def _next_steps(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "look", f"{summary.airflow_url}/dags/enrich_document_metadata"
    yield "ask", 'make query SQL="from nightshift.document_metadata"'
    yield "your own", "make demo DOCS=folder"
    yield "end", "make down"


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
