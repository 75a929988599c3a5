"""One measured process: `python -m tests.benchmarks.child stages.load JOB`.

Imports and open clients come first and are counted apart; then the work, all of it in this process
and its children. What it cost goes to standard output as JSON.
"""

import json
import sys
from importlib import import_module
from typing import Any

from tests.benchmarks.job import Job
from tests.benchmarks.meter import metered


def main(name: str, job: Job) -> dict[str, Any]:
    """Do one job, and return what it made and what it cost."""
    module, _, function = name.partition(".")
    return metered(getattr(import_module(f"tests.benchmarks.{module}"), function)(job))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Job.parse(sys.argv[2]))))  # noqa: T201
