"""Measure a night by stage, beside its floors and its peers: `python -m tests.benchmarks`."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.benchmarks import floors, one_batch, stages
from tests.benchmarks.job import Job
from tests.benchmarks.measurement import Measurement, measure
from tests.benchmarks.peers.measuring import measure_peers
from tests.benchmarks.servers import open_job
from tests.benchmarks.table import as_page, write_results

LARGEST_BATCH = 100_000
MOST_FOR_PEERS = 10_000
"""More takes some of them hours."""
Step = Callable[[Job], Callable[[], Any]]
UNMEASURED = (one_batch.prepare, one_batch.answer, stages.answer)
"""What others do, or what is made up."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--out", type=Path, default=Path(".local/bench"))
    options = parser.parse_args(arguments)
    measured: list[Measurement] = []
    for size in options.sizes:
        is_for_peers = size == min(options.sizes) and size <= MOST_FOR_PEERS
        measured += measure_all(size, night_steps(), with_peers=is_for_peers)
    measured += measure_all(min(max(options.sizes), LARGEST_BATCH), one_batch.STEPS)
    write_results(options.out, measured)
    print(as_page(measured))  # noqa: T201
    return 0


def night_steps() -> list[Step]:
    """Return the stages of a night, each followed by its floor, which meets the same noise."""
    return [
        step
        for stage in stages.STAGES
        for step in (stage, getattr(floors, stage.__name__, None))
        if step is not None
    ]


def measure_all(size: int, steps: Sequence[Step], *, with_peers: bool = False) -> list[Measurement]:
    """Run steps one after the other, each in a process of its own, against the same servers."""
    measured = []
    made: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        open_job(size, Path(folder, "night")) as job,
    ):
        for step in steps:
            name = f"{step.__module__.rpartition('.')[2]}.{step.__name__}"
            one, result = measure(name, replace(job, made=made))
            print(one, file=sys.stderr, flush=True)  # noqa: T201  # a person waits for it
            if step not in UNMEASURED:
                measured.append(one)
            if step.__module__ != floors.__name__:
                made |= {step.__name__: result}
        if with_peers:
            measured += measure_peers(job)
    return measured


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
