"""Throws the same faults at Nightshift and at others, and writes down what came of it."""

import argparse
import datetime as dt
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.chaos.servers import open_world, start_simulator, start_store
from tests.chaos.world import StoreProcess
from tests.compare.competitors import Competitor, competitors
from tests.compare.scenarios import SCENARIOS, Scenario
from tests.integration.simulator_process import SimulatorProcess

DOCUMENT_COUNT = 20
_INTRODUCTION = """\
# The same faults, elsewhere

Measured on {day} by `make compare`, which writes this page: {versions}.
{count} documents, all against the simulator of this project, through the proxy of the chaos suite,
which does the harm.

- *plain SDK script*: `tests/compare/plain_script.py`, with the SDK's default retries, run again up
  to three times when it fails.
- *Airflow LLMBatchOperator*: its defaults, not deferred, three retries of the task in the same run.
  *The same night is run again* is a second run. Its manifest counts what failed or is missing.
- *Nightshift*: its tasks in processes of their own, three retries each, its retry rounds included.

*answers* are complete ones: a text that was cut off at `max_tokens` is none. *paid* counts the
answers that the API charged for, *paid in vain* those beyond one a document. A cut-off answer is
charged, so who asks again for the whole one pays twice for that document, on purpose. *left
without* are documents without a complete answer after the last try.

"""
HEADS = ("what goes wrong", "who", "answers", "paid", "paid in vain", "left without")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one competitor made of one scenario."""

    scenario: str
    competitor: str
    answered: int
    paid: int
    """Answers that the API charged for, by the simulator's bill."""

    @property
    def cells(self) -> tuple[str, ...]:
        wasted = max(self.paid - DOCUMENT_COUNT, 0)
        lost = DOCUMENT_COUNT - self.answered
        numbers = (self.answered, self.paid, wasted, lost)
        return (self.scenario, self.competitor, *map(str, numbers))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.compare", description=__doc__)
    parser.add_argument("python", type=Path, help="interpreter of the others' environment")
    parser.add_argument("page", type=Path, help="Markdown page to write")
    options = parser.parse_args(arguments)
    outcomes = []
    for outcome in compare(options.python):
        outcomes.append(outcome)
        print(" | ".join(outcome.cells), flush=True)  # noqa: T201  # a person waits for it
    options.page.write_text(as_page(outcomes))
    return 0


def compare(python: Path) -> Iterator[Outcome]:
    """Yield what each competitor made of each scenario."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            start_store(folder / "s3") as store,
            start_simulator(folder, latency_seconds=0) as simulator,
        ):
            for number, scenario in enumerate(SCENARIOS):
                for one in competitors(python):
                    place = folder / f"{number}-{one.name.replace(' ', '-')}"
                    place.mkdir()
                    yield _play(scenario, one, store, simulator, place)


def _play(
    scenario: Scenario,
    competitor: Competitor,
    store: StoreProcess,
    simulator: SimulatorProcess,
    folder: Path,
) -> Outcome:
    texts = {
        f"{n}.txt": f"Report number {n} is about bridges in Bern." for n in range(DOCUMENT_COUNT)
    }
    (folder / "documents.json").write_text(json.dumps(list(texts.values())))
    with open_world(store, simulator, folder) as world:
        world.upload(texts)
        simulator.set_faults(*scenario.simulator_faults)
        world.proxies["api"].trap = scenario.trap()
        answered = [competitor.run(world, folder, run) for run in scenario.runs]
        paid = int(world.bill["succeeded"])
    return Outcome(scenario.name, competitor.name, min(answered), paid)


def as_page(outcomes: list[Outcome]) -> str:
    """Return the page with one measured run."""
    lock = (Path(__file__).parent / "requirements.lock").read_text().splitlines()
    versions = [
        line.split(" ")[0]
        for line in lock
        if line.startswith(("apache-airflow-providers-common-ai==", "anthropic=="))
    ]
    lines = _INTRODUCTION.format(
        day=f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        versions=", ".join([*versions, f"apache-airflow=={metadata.version('apache-airflow')}"]),
        count=DOCUMENT_COUNT,
    ).splitlines()
    rows = [HEADS, tuple("---" for _ in HEADS), *(outcome.cells for outcome in outcomes)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
