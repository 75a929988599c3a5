"""The servers around a measured night: a bucket of documents, a work bucket, the API."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.job import Job
from tests.chaos.servers import start_simulator, start_store


@contextmanager
def start_documents(count: int) -> Iterator[str]:
    """Run the bucket of `count` made-up documents; yield its address."""
    command = [sys.executable, "-m", "tests.benchmarks.documents_server", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def open_job(size: int, folder: Path) -> Iterator[Job]:
    """Start what a night of `size` documents needs."""
    folder.mkdir(parents=True)
    with (
        start_documents(size) as documents_url,
        start_store(folder / "s3") as store,
        start_simulator(folder, latency_seconds=0) as simulator,
    ):
        bucket = f"work-{secrets.token_hex(4)}"
        client = store.server.client()
        client.create_bucket(Bucket=bucket)
        client.close()
        yield Job(
            size=size,
            documents_url=documents_url,
            store_url=store.server.endpoint_url,
            store_key=store.server.access_key,
            store_secret=store.server.secret_key,
            simulator_url=simulator.base_url,
            work_bucket=bucket,
            database=str(folder / "warehouse.duckdb"),
            folder=str(folder / "tasks"),
        )
