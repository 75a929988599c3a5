"""The one screen that the demo ends with."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local_stack.airflow_server import USER
from local_stack.night import STATES, Night, Row

_MAX_REASONS = 6
_MAX_KINDS = 5
_LABEL_WIDTH = 10


@dataclass(frozen=True)
class Summary:
    """What the demo has to say."""

    airflow_url: str
    password: str
    simulator_url: str
    night_date: dt.date
    files_by_kind: Counter[str]
    night: Night
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
    night = summary.night
    yield "Airflow", f"{summary.airflow_url}   {USER} / {summary.password}"
    yield "simulator", f"{summary.simulator_url}   what the API was asked, and its bill"
    yield "uploaded", _kinds(summary.files_by_kind)
    counts = [(state, night.counts[state]) for state in STATES if night.counts[state]]
    parts = " + ".join(f"{count:,} {state}" for state, count in counts) or "nothing"
    yield "night 1", f"{summary.night_date}: {night.listed_count:,} listed = {parts}"
    yield (
        "bought",
        f"{night.request_count:,} requests in {night.batch_count:,} batches: "
        f"forecast {_usd(night.forecast_usd)}, actual {_usd(night.actual_usd)}, "
        f"list price {_usd(night.list_price_usd)}; simulated",
    )
    label = "why not"
    for state, reason, count in night.reasons[:_MAX_REASONS]:
        yield label, f"{count:>5,}  {state}: {reason}"
        label = ""
    yield "night 2", "the same night again: 0 bought, 0 rows changed"


def _kinds(files_by_kind: Counter[str]) -> str:
    common = files_by_kind.most_common(_MAX_KINDS)
    rest = files_by_kind.total() - sum(count for _, count in common)
    named = [f"{count:,} {kind}" for kind, count in common] + [f"{rest:,} others"] * bool(rest)
    return f"{files_by_kind.total():,} documents of {len(files_by_kind)} kinds: {', '.join(named)}"


def _sample_table(sample: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("document", ratio=6, no_wrap=True, overflow="ellipsis")
    table.add_column("type", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("topic", ratio=5, no_wrap=True, overflow="ellipsis")
    table.add_column("sentiment", width=9, no_wrap=True)
    table.add_column("lang", width=4, no_wrap=True)
    table.add_column("summary", ratio=8, no_wrap=True, overflow="ellipsis")
    for key, *cells in sample:
        name = "/".join(PurePosixPath(str(key)).parts[-2:])
        table.add_row(*(Text(" ".join(str(cell).split())) for cell in (name, *cells)))
    return table


def _next_steps(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "look", f"{summary.airflow_url}/dags/enrich_document_metadata"
    yield "ask", 'make query SQL="from nightshift.document_metadata"'
    yield "your own", "make demo DOCS=folder"
    yield "end", "make down"


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
