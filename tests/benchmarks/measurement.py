"""What one measured process cost."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.job import Job


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One stage, or its floor, at one size."""

    stage: str
    size: int
    cpu_seconds: float
    """Of the work alone, in the process and its children."""
    wall_seconds: float
    peak_bytes: int
    """Of the process that works; imports and open clients included."""
    import_bytes: int
    import_cpu_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.stage:24} {self.size:>9,} {self.cpu_seconds:9.2f} CPU-s "
            f"{self.wall_seconds:9.2f} s {self.work_bytes / 1e6:7.0f} MB"
        )

    @property
    def work_bytes(self) -> int:
        """Memory that the work took, over imports and clients."""
        return max(self.peak_bytes - self.import_bytes, 0)


def measure(name: str, job: Job) -> tuple[Measurement, Any]:
    """Run one job in a fresh process; return what it cost and what it made."""
    command = [sys.executable, "-m", "tests.benchmarks.child", name, job.dump()]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    made = told.pop("made")
    return Measurement(stage=name, size=job.size, **told), made
