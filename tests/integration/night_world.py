"""A night's driver, and everything that it touches."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from include.plans import Plan
from local_stack.nights import NightDriver
from tests.integration.databases import Database
from tests.integration.simulator_process import SimulatorProcess

on_both = pytest.mark.parametrize("database", ["duckdb", "postgres"], indirect=True)
"""Runs a test on each kind of warehouse; the others run on DuckDB."""

LATENCY_SECONDS = 60
"""How long a batch takes by the simulator's own clock."""


@dataclass
class World:
    """One night's driver, and everything that it touches."""

    night: NightDriver
    simulator: SimulatorProcess
    database: Database

    def upload(self, *names: str, text: str = "Notes on {name}.", day: str = "2026-11-10") -> None:
        """Put documents there, each with its own text unless told otherwise."""
        for name in names:
            self.night.s3.put_object(
                Bucket=self.night.settings.documents_bucket,
                Key=f"documents/dt={day}/{name}.txt",
                Body=text.format(name=name).encode(),
            )

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.database.rows(query, values)]

    def everything(self) -> dict[str, Counter[str]]:
        """Return all rows of all tables and views, as text."""
        return self.database.everything()

    @property
    def bill(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.simulator.control("bill")
        return shown

    def states(self, run_key: str | None = None) -> dict[str, int]:
        """Return the documents of a run by state and reason."""
        counted = self.rows(
            "select state || coalesce(': ' || state_reason, ''), count(*) "
            "from nightshift.document_states where run_key = $run_key group by 1",
            run_key=run_key or self.night.run_key,
        )
        return dict(counted)

    def answers(self) -> dict[str, list[Any]]:
        """Return what an analyst sees, without the times of loading."""
        queries = {
            "states": "select run_key, document_id, state, state_reason "
            "from nightshift.document_states",
            "view": "from nightshift.document_metadata",
            "costs": "select batch_id, request_id, run_key, outcome, cost_usd "
            "from nightshift.results",
            "runs": "select run_key, listed_count, enriched_count, reused_count, skipped_count, "
            "verdict, actual_usd, forecast_usd from nightshift.runs",
        }
        return {name: self._timeless_rows(query) for name, query in queries.items()}

    def _timeless_rows(self, query: str) -> list[dict[str, Any]]:
        rows = self.database.rows(query)
        return sorted(
            ({name: row[name] for name in sorted(row) if name != "loaded_at"} for row in rows),
            key=str,
        )


def plan_night(night: NightDriver) -> Plan:
    """List, build, plan and approve."""
    built = [night.build_requests(key) for key in night.list_documents()]
    plan = night.plan_shards(built)
    night.approval(plan).grant()
    return plan
