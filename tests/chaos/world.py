"""One night between two fault proxies, and what must hold when it has healed."""

import json
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psutil

from include.runs import RunParams
from local_stack.processes import Processes
from local_stack.s3 import S3Server
from local_stack.warehouse import DuckDBFile
from tests.chaos.fault_proxy import FaultProxy
from tests.chaos.scheduler import Scheduler
from tests.chaos.steps import Server
from tests.chaos.table import Healed
from tests.chaos.tasks import Deployment
from tests.integration.simulator_process import SimulatorProcess

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEXTS = {
    "a.txt": "Bridges in Bern.",
    "b.txt": "Boats in Basel.",
    "twin.txt": "Boats in Basel.",
    "empty.txt": "",
}
"""A shard of two requests, a document that is reused and one that is skipped."""
KILL_SECONDS = 10
JUMP_SECONDS = 60
"""Of the API's clock: longer than a batch takes, or a lost POST is looked for."""


def kill_program(folder: Path, name: str) -> None:
    """End a program of a stack as a lost machine does."""
    notes = json.loads((folder / "processes.json").read_text())
    process = psutil.Process(notes[name]["pid"])
    process.kill()
    psutil.wait_procs([process], timeout=KILL_SECONDS)


@dataclass(frozen=True)
class StoreProcess:
    """The S3 server, which can be killed."""

    server: S3Server
    processes: Processes
    folder: Path

    def start(self) -> None:
        self.server.start(self.processes)
        self.server.wait_until_ready(self.processes)

    def restart_killed(self) -> None:
        """End it as a lost machine does, and start it again."""
        kill_program(self.folder, "s3")
        self.start()


@dataclass
class World:
    """Servers, proxies before them, and one deployment that knows only the proxies."""

    deployment: Deployment
    store: StoreProcess
    simulator: SimulatorProcess
    proxies: dict[Server, FaultProxy]
    s3: "S3Client"

    def upload(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            key = f"documents/dt=2026-11-10/{name}"
            bucket = self.deployment.settings.documents_bucket
            self.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def scheduler(self, *, run_id: str | None = None, jump: bool = True) -> Scheduler:
        """Return a scheduler of the night, or of another run of the same documents.

        Args:
            run_id: Of the other run, which is by hand.
            jump: Let the API's clock jump while tasks wait. Only where no other worker lives: its
                own clock would stand still.
        """
        deployment = self.deployment
        if run_id:
            window = {"window_start": "2026-11-10T00:00Z", "window_end": "2026-11-11T00:00Z"}
            params = RunParams.model_validate(window)
            deployment = replace(deployment, run_id=run_id, params=params)
        return Scheduler(deployment, self._jump if jump else self._sleep)

    def restart_killed_simulator(self) -> None:
        """End the API as a lost machine does, and start it again."""
        self.simulator.kill()
        self.simulator.start()

    def _jump(self) -> None:
        self.simulator.advance(seconds=JUMP_SECONDS)

    def _sleep(self) -> None:
        time.sleep(1)

    def heal(self, scheduler: Scheduler) -> Healed:
        """Run the night until it is green, then once more, and count what went wrong."""
        ways: list[str] = []
        if not scheduler.run_night():
            ways.append("clearing the run")
            again = self.scheduler()
            assert again.run_night(), again.complaints
        ways += [f"retry of {name}" for name in dict.fromkeys(scheduler.retried)]
        ways += ["adopting the batch"] * self._has_adopted()
        before = DuckDBFile(self.deployment.database).digest_tables()
        assert self.scheduler().run_night()
        after = DuckDBFile(self.deployment.database).digest_tables()
        return Healed(
            by=", then ".join(ways) or "going on",
            lost=self._lost(),
            bought_twice=int(self.bill["bought_twice"]),
            changed_tables=sum(before[name] != after[name] for name in after),
        )

    def answered_count(self) -> int:
        """Return how many documents have an answer in the warehouse."""
        with duckdb.connect(str(self.deployment.database), read_only=True) as connection:
            view = connection.table("nightshift.document_metadata")
            return len(view.fetchall())

    @property
    def bill(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.simulator.control("bill")
        return shown

    def _lost(self) -> int:
        """Return how many documents have no final state, and check what was paid."""
        with duckdb.connect(str(self.deployment.database), read_only=True) as connection:
            ended = connection.execute(
                "select count(*) from nightshift.documents"
                " where state in ('enriched', 'reused', 'skipped')"
            ).fetchone()
            paid = connection.execute(
                "select count(*), coalesce(sum(cost_usd), 0) from nightshift.results"
            ).fetchone()
        assert ended is not None
        assert paid == (self.bill["requests"], Decimal(self.bill["cost_usd"]))
        return len(TEXTS) - int(ended[0])

    def _has_adopted(self) -> bool:
        with duckdb.connect(str(self.deployment.database), read_only=True) as connection:
            adopted = connection.execute("select count(*) from nightshift.batches where is_adopted")
            return adopted.fetchall() != [(0,)]
