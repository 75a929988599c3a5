"""One measured process: `python -m tests.benchmarks.child stages.load JOB`.

Imports and open clients come first and are counted apart; then the work, all of it in this process
and its children. What it cost goes to standard output as JSON.
"""

import json
import resource
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from tests.benchmarks.job import Job

_RESET_PEAK = "5"


def cpu_seconds() -> float:
    """Return what this process and its ended children have used."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def memory_bytes(name: str) -> int:
    """Return `VmRSS`, or its peak `VmHWM`.

    Not `ru_maxrss`: a process inherits that from the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def main(name: str, job: Job) -> dict[str, object]:
    """Do one job, and return what it cost."""
    module, _, function = name.partition(".")
    work = getattr(import_module(f"tests.benchmarks.{module}"), function)(job)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    import_seconds, import_bytes = cpu_seconds(), memory_bytes("VmRSS")
    started = time.monotonic()
    made = work()
    return {
        "made": made,
        "wall_seconds": time.monotonic() - started,
        "cpu_seconds": cpu_seconds() - import_seconds,
        "import_cpu_seconds": import_seconds,
        "import_bytes": import_bytes,
        "peak_bytes": memory_bytes("VmHWM"),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Job.parse(sys.argv[2]))))  # noqa: T201
