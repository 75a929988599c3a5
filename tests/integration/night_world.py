"""A night's driver, and everything that it touches."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from include.plans import Plan
from tests.integration.night_driver import NightDriver
from tests.integration.simulator_process import SimulatorProcess

LATENCY_SECONDS = 60
"""How long a batch takes by the simulator's own clock."""


@dataclass
class World:
    """One night's driver, and everything that it touches."""

    night: NightDriver
    simulator: SimulatorProcess
    database: Path

    def upload(self, *names: str, text: str = "Notes on {name}.", day: str = "2026-11-10") -> None:
        """Put documents there, each with its own text unless told otherwise."""
        for name in names:
            self.night.s3.put_object(
                Bucket=self.night.settings.documents_bucket,
                Key=f"documents/dt={day}/{name}.txt",
                Body=text.format(name=name).encode(),
            )

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with closing(duckdb.connect(str(self.database), read_only=True)) as connection:
            return connection.execute(query, values or None).fetchall()

    def everything(self) -> dict[str, Counter[str]]:
        """Return all rows of all tables and views, as text."""
        with closing(duckdb.connect(str(self.database), read_only=True)) as connection:
            names = connection.execute(
                "select 'nightshift.' || table_name from information_schema.tables "
                "where table_schema = 'nightshift'"
            ).fetchall()
            return {name: Counter(map(str, connection.table(name).fetchall())) for (name,) in names}

    @property
    def bill(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.simulator.control("bill")
        return shown

    def states(self, run_key: str | None = None) -> dict[str, int]:
        """Return the documents of a run by state and reason."""
        counted = self.rows(
            "select state || coalesce(': ' || state_reason, ''), count(*) "
            "from nightshift.document_states where run_key = $run_key group by all",
            run_key=run_key or self.night.run_key,
        )
        return dict(counted)

    def answers(self) -> dict[str, list[Any]]:
        """Return what an analyst sees, without the times of loading."""
        return {
            "states": self.rows(
                "select run_key, document_id, state, state_reason "
                "from nightshift.document_states order by all"
            ),
            "view": self.rows(
                "select * exclude (loaded_at) from nightshift.document_metadata order by all"
            ),
            "costs": self.rows(
                "select batch_id, request_id, run_key, outcome, cost_usd "
                "from nightshift.results order by all"
            ),
            "runs": self.rows(
                "select run_key, listed_count, enriched_count, reused_count, skipped_count, "
                "verdict, actual_usd, forecast_usd from nightshift.runs order by all"
            ),
        }


def plan_night(night: NightDriver) -> Plan:
    """List, build, plan and approve."""
    built = [night.build_requests(key) for key in night.list_documents()]
    plan = night.plan_shards(built)
    night.approval(plan).grant()
    return plan
