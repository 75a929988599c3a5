"""Foretells nights over a corpus for each spec, runs them at the simulator, and compares."""

import argparse
import datetime as dt
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from include.config import Settings
from include.spec import Spec
from include.specs import load_catalog
from include.warehouse.duckdb_warehouse import open_duckdb
from local_stack.nights import DAY, DEMO_SPEED, NightDriver
from local_stack.processes import Processes
from local_stack.s3 import S3Server
from local_stack.state import Ports
from tests.forecast.measuring import HEADS, Measured, at_day_prefix, measure
from tests.integration.simulator_process import SimulatorProcess

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NIGHTS = (DAY, DAY + dt.timedelta(days=1))
_LATENCY_SECONDS = 60


@dataclass(frozen=True)
class _Servers:
    """What nights need, on this machine."""

    s3: "S3Client"
    simulator: SimulatorProcess
    folder: Path


def main(arguments: list[str]) -> int:
    """Compare, print a line a night, and tell whether all is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.forecast", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--within", type=float, default=0.05)
    parser.add_argument("--spec", action="append", help="only this spec; may be repeated")
    options = parser.parse_args(arguments)
    wanted = options.spec or sorted(load_catalog().specs)
    sys.stdout.write("  ".join((*HEADS, "deviation", "interval")) + "\n")
    all_fine = True
    with _servers() as servers:
        for name in wanted:
            for measured in _measure(load_catalog().specs[name], options.corpus, servers):
                sys.stdout.write("  ".join(measured.cells) + "\n")
                sys.stdout.flush()
                is_near = abs(measured.deviation) <= options.within
                all_fine = all_fine and measured.holds and is_near
    return 0 if all_fine else 1


def _measure(spec: Spec, corpus: Path, servers: _Servers) -> Iterator[Measured]:
    servers.simulator.reset()
    token = secrets.token_hex(4)
    settings = Settings(
        documents_bucket=f"documents-{token}",
        work_bucket=f"work-{token}",
        **DEMO_SPEED | {"extraction_workers": 2, "max_documents_per_slice": 1_000},
    )
    for bucket in (settings.documents_bucket, settings.work_bucket):
        servers.s3.create_bucket(Bucket=bucket)
    _upload(corpus, servers.s3, settings.documents_bucket)
    with servers.simulator.client() as client:
        night = NightDriver(
            s3=servers.s3,
            anthropic=client,
            warehouse=open_duckdb(servers.folder / f"{spec.name}.duckdb"),
            settings=settings,
            work_dir=servers.folder / spec.name,
            spec=at_day_prefix(spec),
            wait_for_batch=lambda _: servers.simulator.advance(seconds=_LATENCY_SECONDS + 1),
        )
        nights = (night.another(run_id=f"{day:%F}", night=day) for day in _NIGHTS)
        yield from measure(nights, servers.simulator)


def _upload(corpus: Path, s3: "S3Client", bucket: str) -> None:
    """Put every other document into the first night, and the rest into the second."""
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    for number, path in enumerate(files):
        day = _NIGHTS[number % len(_NIGHTS)]
        key = f"documents/dt={day:%F}/{path.relative_to(corpus).as_posix()}"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())


@contextmanager
def _servers() -> Iterator[_Servers]:
    with tempfile.TemporaryDirectory(prefix="nightshift-forecast-") as name:
        folder = Path(name)
        processes = Processes(folder)
        store = S3Server(
            folder, Ports.draw(ui_port=None), access_key="test", secret_key=secrets.token_hex()
        )
        simulator = SimulatorProcess(
            folder / "simulator.db", "--seed", "7", "--latency", str(_LATENCY_SECONDS)
        )
        try:
            store.start(processes)
            store.wait_until_ready(processes)
            with closing(store.client()) as s3:
                yield _Servers(s3, simulator.start(), folder)
        finally:
            simulator.stop()
            processes.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
