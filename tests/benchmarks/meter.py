"""What a process used, as the kernel tells it. Knows Python alone: peers are metered by it too."""

import resource
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_RESET_PEAK = "5"


def metered(work: Callable[[], Any]) -> dict[str, Any]:
    """Do some work; return what it made and what it cost, imports so far counted apart."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    import_seconds, import_bytes = _cpu_seconds(), _memory_bytes("VmRSS")
    started = time.monotonic()
    made = work()
    return {
        "made": made,
        "wall_seconds": time.monotonic() - started,
        "cpu_seconds": _cpu_seconds() - import_seconds,
        "import_cpu_seconds": import_seconds,
        "import_bytes": import_bytes,
        "peak_bytes": _memory_bytes("VmHWM"),
    }


def _cpu_seconds() -> float:
    """Return what this process and its ended children have used."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def _memory_bytes(name: str) -> int:
    """Return `VmRSS`, or its peak `VmHWM`.

    Not `ru_maxrss`: a process inherits that from the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
