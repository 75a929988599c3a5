"""Measurements as a table, as JSON and as a picture."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.measurement import Measurement

HEADS = (
    "stage", "documents", "CPU s", "CPU ms each", "× floor", "wall s", "documents/s", "peak MB",
    "over imports MB", "exponent",
)  # fmt: skip
PEER_HEADS = (
    "whole night", "documents", "CPU s", "× ours", "imports CPU s", "wall s", "over imports MB",
    "× ours",
)  # fmt: skip
BATCH = "one_batch."
PEERS = "peers."
NIGHT = "stages.whole night"


def totals(measured: Iterable[Measurement]) -> Iterator[Measurement]:
    """Yield the whole night, and the sum of its floors, for each size; fetching is in building."""
    ones = [one for one in measured if not one.stage.endswith(".fetch")]
    for kind in ("stages", "floors"):
        for size in sorted({one.size for one in ones}):
            parts = [one for one in ones if one.size == size and one.stage.startswith(kind)]
            if parts:
                yield Measurement(
                    stage=f"{kind}.whole night",
                    size=size,
                    cpu_seconds=sum(one.cpu_seconds for one in parts),
                    wall_seconds=sum(one.wall_seconds for one in parts),
                    peak_bytes=max(one.peak_bytes for one in parts),
                    import_bytes=max(parts, key=lambda one: one.work_bytes).import_bytes,
                    import_cpu_seconds=sum(one.import_cpu_seconds for one in parts),
                )


def exponent(ones: Sequence[Measurement]) -> float | None:
    """Return how CPU grows with size between the smallest and the largest: 1 is in proportion."""
    first, last = min(ones, key=lambda one: one.size), max(ones, key=lambda one: one.size)
    if first.size == last.size or min(first.cpu_seconds, last.cpu_seconds) <= 0:
        return None
    return math.log(last.cpu_seconds / first.cpu_seconds) / math.log(last.size / first.size)


def floor_of(stage: str) -> str:
    """Return the name of the floor that a stage is measured beside."""
    module, _, name = stage.partition(".")
    return f"floors.{name}" if module == "stages" else f"{module}.floor_{name.split('_')[-1]}"


def as_page(measured: Sequence[Measurement]) -> str:
    """Return Markdown tables: the stages of a night, whole nights of peers, the largest batch."""
    nights = [*nights_of(measured), *totals(nights_of(measured))]
    batch = [one for one in measured if one.stage.startswith(BATCH)]
    peers = [one for one in measured if one.stage.startswith(PEERS)]
    tables = [as_table(nights)]
    if peers:
        (ours,) = (one for one in nights if (one.stage, one.size) == (NIGHT, peers[0].size))
        tables.append(as_peers_table(ours, peers))
    if batch:
        tables.append(as_table(batch))
    return "\n".join(tables)


def nights_of(measured: Iterable[Measurement]) -> list[Measurement]:
    """Return the stages of our nights, with their floors."""
    return [one for one in measured if not one.stage.startswith((BATCH, PEERS))]


def as_peers_table(ours: Measurement, peers: Iterable[Measurement]) -> str:
    """Return a Markdown table: our whole night, and that of each peer beside it."""
    lines = [f"| {' | '.join(PEER_HEADS)} |", f"|{'---|' * len(PEER_HEADS)}"]
    for one in (ours, *peers):
        cells = (
            "Nightshift" if one is ours else one.stage.removeprefix(PEERS),
            f"{one.size:,}",
            f"{one.cpu_seconds:.1f}",
            f"{one.cpu_seconds / ours.cpu_seconds:.1f}",
            f"{one.import_cpu_seconds:.1f}",
            f"{one.wall_seconds:.0f}",
            f"{one.work_bytes / 1e6:.0f}",
            f"{one.work_bytes / ours.work_bytes:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def as_table(measured: Sequence[Measurement]) -> str:
    """Return a Markdown table: a line for each stage and size, beside its floor."""
    by_place = {(one.stage, one.size): one for one in measured}
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    for name in dict.fromkeys(one.stage for one in measured if not one.stage.startswith("floors.")):
        ones = [one for one in measured if one.stage == name]
        for one in ones:
            grown = exponent(ones) if one is ones[-1] else None
            lines.append(_line(one, by_place.get((floor_of(name), one.size)), grown))
    return "\n".join(lines) + "\n"


def _line(one: Measurement, floor: Measurement | None, grown: float | None) -> str:
    cells = (
        one.stage.partition(".")[2].replace("_", " "),
        f"{one.size:,}",
        f"{one.cpu_seconds:.2f}",
        f"{one.cpu_seconds / one.size * 1000:.3f}",
        f"{one.cpu_seconds / floor.cpu_seconds:.1f}" if floor else "",
        f"{one.wall_seconds:.1f}",
        f"{one.size / one.wall_seconds:,.0f}",
        f"{one.peak_bytes / 1e6:.0f}",
        f"{one.work_bytes / 1e6:.0f}",
        f"{grown:.2f}" if grown is not None else "",
    )
    return f"| {' | '.join(cells)} |"


def write_results(folder: Path, measured: Sequence[Measurement]) -> None:
    """Write `bench.json`, `bench.md` and `bench.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps([asdict(one) for one in measured], indent=1))
    (folder / "bench.md").write_text(as_page(measured))
    nights = nights_of(measured)
    draw(folder / "bench.png", [*nights, *totals(nights)])


def draw(path: Path, measured: Sequence[Measurement]) -> None:
    """Draw CPU and memory over size, each stage in a colour of its own, its floor dashed."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (cpu, memory) = pyplot.subplots(1, 2, figsize=(14, 6), layout="constrained")
    stages = dict.fromkeys(one.stage.partition(".")[2] for one in measured)
    for number, stage in enumerate(stages):
        for kind, line in (("stages", "-"), ("floors", "--")):
            named = (one for one in measured if one.stage == f"{kind}.{stage}")
            ones = sorted(named, key=lambda one: one.size)
            sizes = [one.size for one in ones]
            style = {"color": f"C{number}", "linestyle": line, "marker": "o"}
            cpu.loglog(sizes, [one.cpu_seconds for one in ones], **style)
            if kind == "stages":
                bytes_over = [one.work_bytes / 1e6 for one in ones]
                memory.semilogx(sizes, bytes_over, label=stage.replace("_", " "), **style)
    cpu.set(title="CPU seconds; dashed: floors", xlabel="documents")
    memory.set(title="peak memory over imports, MB", xlabel="documents")
    figure.legend(loc="outside right upper")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
