"""A night of each peer, measured like ours: `make bench` has made their environments."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.job import Job
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.peers.jobs import PeerJob

ENVIRONMENTS = Path(".peers")
PEERS = {
    "sdk": "operator",
    "operator": "operator",
    "llm_batch": "llm_batch",
    "steadybatch": "steadybatch",
    "curator": "curator",
}
"""Whose night, and in which environment."""
_MOST_SECONDS = 3_600


def measure_peers(job: Job) -> Iterator[Measurement]:
    """Yield what the whole night of each peer costs; who cannot do it is named and left out."""
    for name, environment in PEERS.items():
        place = ENVIRONMENTS.absolute() / environment
        if not Path(place, ".ready").exists():
            _tell(f"{name}: left out, as {place} could not be filled")
            continue
        folder = Path(job.folder, f"peer-{name}")
        peer_job = PeerJob(job.size, job.documents_url, job.simulator_url, str(folder))
        command = [
            Path(place, "bin", "python"),
            "-m",
            f"tests.benchmarks.peers.{name}_night",
            json.dumps(asdict(peer_job)),
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_MOST_SECONDS,
            env=os.environ | {"AIRFLOW_HOME": str(folder)},
        )
        if done.returncode:
            _tell(f"{name}: left out, as it failed: {done.stderr[-500:]}")
            continue
        cost = json.loads(done.stdout.splitlines()[-1])
        del cost["made"]
        measured = Measurement(stage=f"peers.{name}", size=job.size, **cost)
        _tell(str(measured))
        yield measured


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  # a person waits for it
