"""Three nights against real servers, told and shown, and compared with what should come of them.

`python -m local_stack.walkthrough` exits with 1 when the tables are not those of the page.
"""

import argparse
import difflib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import anthropic
from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.text import Text

from include.config import Settings
from include.errors import PipelineError
from include.reports import NightReport
from include.requests import RequestBuilder
from include.warehouse.connections import WarehouseConnection, connect_warehouse
from local_stack.airflow_server import PROJECT
from local_stack.errors import StackError
from local_stack.nights import DEMO_SPEED, NightDriver, night_start
from local_stack.postgres import PostgresServer
from local_stack.processes import Processes
from local_stack.progress import open_console
from local_stack.rows import Rows
from local_stack.s3 import S3Server
from local_stack.simulator import SimulatorServer
from local_stack.stack import DOCUMENTS_BUCKET, WORK_BUCKET
from local_stack.state import Ports, Secrets, WarehouseKind
from local_stack.three_nights import QUESTIONS, SPEC, STORIES, Story
from local_stack.warehouse import DuckDBFile, LocalWarehouse, PostgresTables

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE = PROJECT / "docs" / "walkthrough.md"
LATENCY_SECONDS = 60
"""How long a batch takes by the simulator's own clock, which is moved on."""

_HEAD = """# Three nights

What three nights do to a small bucket, and what the tables then hold. `make walkthrough` runs them
against a real S3 server and the simulator of the API, prints them, and fails when anything is not
as on this page; `make walkthrough ACCEPT=1` writes the page anew. Ids, times and amounts are left
out here; what was paid is compared with the bill of the API after each night.
"""
_NOTHING = "Nothing.\n"
KINDS: tuple[WarehouseKind, ...] = get_args(WarehouseKind)
_STYLES = {"-": "red", "+": "green", "@": "cyan"}


@dataclass(frozen=True)
class Walkthrough:
    """The nights, and what they are run against."""

    night: NightDriver
    warehouse: LocalWarehouse
    control: Callable[[str, Any], Any]
    """Calls the simulator's control plane."""
    console: Console
    kind: WarehouseKind

    def run(self) -> str:
        """Run and show every night; return the page.

        Raises:
            StackError: The bill is not what the warehouse says, or the last night changed something
                when it ran again.
        """
        nights = [self._run_night(number, story) for number, story in enumerate(STORIES, 1)]
        before = self._tables()
        self._drive(STORIES[-1], "again")
        self._check(self._tables() == before, "the last night, run again, changed the tables")
        self._check_bill()
        self.console.print(Text("\nThe last night again: nothing bought, nothing changed."))
        return "\n".join([_HEAD, *nights])

    def _run_night(self, number: int, story: Story) -> str:
        self._prepare(story)
        self.console.print()
        title = f"night {number}, {story.night}, on {self.kind}: {story.title}"
        self.console.print(Rule(title, align="left", style="bold"))
        self.console.print(Markdown("\n".join(f"- {line}" for line in story.told)))
        report = self._drive(story, "first")
        self._check_bill()
        tables = self._tables()
        for title, rows in tables.items():
            self.console.print(Text(f"\n{title}", style="bold"))
            self.console.print(rows.as_table() if rows.values else _NOTHING.strip())
        self.console.print(Text(f"\npaid ${report.actual_usd:.6f}, as on the bill of the API"))
        return _page_of(number, story, tables)

    def _prepare(self, story: Story) -> None:
        bucket = self.night.settings.documents_bucket
        for key, content in story.written.items():
            body = content.encode() if isinstance(content, str) else content
            self.night.s3.put_object(Bucket=bucket, Key=key, Body=body)
        for key in story.deleted:
            self.night.s3.delete_object(Bucket=bucket, Key=key)
        builder = RequestBuilder(SPEC.freeze())
        self.control(
            "faults",
            [
                {
                    "kind": kind,
                    "times": times,
                    "custom_id_regex": builder.build(text).request_id,
                }
                for text, (kind, times) in story.faults.items()
            ],
        )

    def _drive(self, story: Story, attempt: str) -> NightReport:
        start = night_start(story.night)
        night = self.night.another(
            spec=SPEC,
            run_id=f"scheduled__{start:%Y-%m-%dT%H:%M:%S+00:00}",
            night=start,
            work_dir=self.night.work_dir / f"{story.night}-{attempt}",
            wait_for_batch=lambda _: self.control("advance", {"seconds": LATENCY_SECONDS + 1}),
        )
        return night.run()

    def _tables(self) -> dict[str, Rows]:
        return {title: self._ask(query) for title, query in QUESTIONS.items()}

    def _ask(self, query: str) -> Rows:
        return Rows.of(self.warehouse.table(query))

    def _check_bill(self) -> None:
        bill = self.control("bill", None)
        ((paid, count),) = self._ask(
            "select coalesce(sum(cost_usd), 0), count(*) from nightshift.results"
        ).values
        self._check(
            (paid, bill["bought_twice"]) == (Decimal(bill["cost_usd"]), 0),
            f"the bill of the API says {bill['cost_usd']} and {bill['bought_twice']} bought twice, "
            f"the warehouse {paid} for {count} results",
        )

    @staticmethod
    def _check(is_so: bool, complaint: str) -> None:  # noqa: FBT001 - a claim, checked
        if not is_so:
            raise StackError(complaint)


def _page_of(number: int, story: Story, tables: dict[str, Rows]) -> str:
    told = "".join(f"- {line}\n" for line in story.told)
    shown = "".join(
        f"\n### {title}\n\n{rows.as_markdown() if rows.values else _NOTHING}"
        for title, rows in tables.items()
    )
    return f"## Night {number}, {story.night}: {story.title}\n\n{told}{shown}"


def is_as_written(page: Path, found: str, kind: str, console: Console) -> bool:
    """Return whether a page says what was found on a kind of warehouse; show where it does not."""
    written, shown = _sections(page.read_text(encoding="utf-8")), _sections(found)
    if written == shown:
        console.print(Text(f"{kind}: all tables are as in {page.name}.", style="green"))
        return True
    console.print(Text(f"\n{kind}: this is not what {page.name} says.", style="bold red"))
    for title in dict.fromkeys([*written, *shown]):
        lines = difflib.unified_diff(
            written.get(title, []), shown.get(title, []), "written", "found", lineterm=""
        )
        for number, line in enumerate(lines):
            if number == 0:
                console.print(Text(f"\n{title}", style="bold"))
            console.print(Text(line, style=_STYLES.get(line[:1], "")))
    console.print(
        Text("\nIf it is right, `make walkthrough ACCEPT=1` writes it down.", style="bold")
    )
    return False


def _sections(page: str) -> dict[str, list[str]]:
    """Return the lines of a page by the heading that they stand under, its night included."""
    sections: dict[str, list[str]] = {}
    night = title = ""
    for line in page.splitlines():
        if line.startswith("## "):
            night = title = line.removeprefix("## ")
        elif line.startswith("### "):
            title = f"{night}. {line.removeprefix('### ')}"
        sections.setdefault(title, []).append(line)
    return sections


@dataclass(frozen=True)
class Servers:
    """What the nights are run against; each walkthrough finds empty buckets and tables."""

    root: Path
    s3: "S3Client"
    api: anthropic.Anthropic
    simulator: SimulatorServer
    postgres: PostgresServer

    def walkthrough(self, kind: WarehouseKind, console: Console) -> Walkthrough:
        """Return the nights on one kind of warehouse."""
        self.simulator.control("reset", {})
        buckets = {name: f"{name}-{kind}" for name in (DOCUMENTS_BUCKET, WORK_BUCKET)}
        for bucket in buckets.values():
            self.s3.create_bucket(Bucket=bucket)
        warehouse = self._warehouse(kind)
        connection: dict[str, Any] = warehouse.connection
        settings = Settings(
            documents_bucket=buckets[DOCUMENTS_BUCKET],
            work_bucket=buckets[WORK_BUCKET],
            **DEMO_SPEED,
        )
        night = NightDriver(
            s3=self.s3,
            anthropic=self.api,
            warehouse=connect_warehouse(WarehouseConnection(**connection)),
            settings=settings,
            work_dir=self.root / f"tasks-{kind}",
        )
        return Walkthrough(night, warehouse, self.simulator.control, console, kind)

    def _warehouse(self, kind: WarehouseKind) -> LocalWarehouse:
        if kind == "duckdb":
            return DuckDBFile(self.root / "warehouse.duckdb")
        tables = PostgresTables(self.postgres)
        tables.create()
        return tables


@contextmanager
def open_servers(root: Path) -> Iterator[Servers]:
    """Start the servers below a folder, which is emptied, and end them afterwards.

    Raises:
        StackError: A server did not start; with the end of its log.
    """
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    processes, ports, secrets = Processes(root), Ports.draw(ui_port=None), Secrets.generate()
    s3 = S3Server(
        root / "s3", ports, access_key=secrets.s3_access_key, secret_key=secrets.s3_secret_key
    )
    simulator = SimulatorServer(root / "simulator", ports.simulator, LATENCY_SECONDS)
    postgres = PostgresServer(root / "postgres", ports.postgres, secrets.database_password)
    try:
        for server in (s3, simulator, postgres):
            server.start(processes)
        for server in (s3, simulator, postgres):
            server.wait_until_ready(processes)
        with anthropic.Anthropic(
            api_key=secrets.anthropic_key, base_url=simulator.base_url, max_retries=0
        ) as api:
            yield Servers(root, s3.client(), api, simulator, postgres)
    finally:
        processes.stop()


def main() -> int:
    """Walk through the nights; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.walkthrough", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write the page anew")
    accept: bool = parser.parse_args().accept
    console = open_console()
    try:
        with open_servers(PROJECT / ".local" / "walkthrough") as servers:
            found = {kind: servers.walkthrough(kind, console).run() for kind in KINDS}
    except (StackError, PipelineError) as error:
        console.print(Text(str(error), style="red"))
        return 1
    if accept:
        PAGE.write_text(found[KINDS[0]], encoding="utf-8")
    return 0 if all(is_as_written(PAGE, found[kind], kind, console) for kind in KINDS) else 1


if __name__ == "__main__":
    sys.exit(main())
