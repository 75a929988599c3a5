"""A fortnight of made-up nights, for the charts."""

import datetime as dt
from decimal import Decimal
from typing import Any

from include.night_index import note_night
from include.reports import OutcomeCount, StateCount
from include.storage import ObjectStore
from tests.e2e.nights import SPEC
from tests.factories import make_report


def write_history(store: ObjectStore) -> None:
    """Let a fortnight of nights have ended before: they wrote what is written here."""
    today = dt.datetime.now(dt.UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    for days in range(14, 0, -1):
        end = today - dt.timedelta(days=days)
        bought = 900 + 37 * (days * 7 % 11)
        failed = days * 5 % 13
        cost = bought * Decimal("0.00014")
        values: dict[str, Any] = {
            "spec": SPEC,
            "run_key": f"history-{days}",
            "run_id": f"scheduled__{end.isoformat()}",
            "night": (end - dt.timedelta(days=1)).date(),
            "window_start_at": end - dt.timedelta(days=1),
            "window_end_at": end,
            "started_at": end,
            "finished_at": end + dt.timedelta(minutes=47),
            "listed_count": bought + 260,
            "documents": {
                "enriched": bought - failed,
                "reused": 40,
                "unchanged": 180,
                "skipped": 40,
                "dead_letter": failed,
                "pending": 0,
            },
            "reasons": (
                StateCount(state="skipped", state_reason="image_only", document_count=40),
                StateCount(state="dead_letter", state_reason="refused", document_count=failed),
            ),
            "outcomes": (
                _outcome("succeeded", bought - failed),
                _outcome("truncated", 3 * failed),
                _outcome("refused", failed),
            ),
            "needed_count": bought + 40,
            "known_count": 40,
            "bought_count": bought,
            "forecast_usd": cost * Decimal("0.94"),
            "actual_usd": cost,
            "list_usd": 2 * cost,
        }
        note_night(store, make_report(**values))


def _outcome(name: str, count: int) -> OutcomeCount:
    return OutcomeCount(
        outcome=name,
        result_count=count,
        input_tokens=0,
        output_tokens=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cost_usd=count * Decimal("0.00014"),
        list_cost_usd=count * Decimal("0.00028"),
    )
