"""Fixtures for every level: a real S3 server, started when the first test asks for it."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from local_stack.processes import Processes
from local_stack.s3 import S3Server
from local_stack.state import Ports
from tests.chaos.table import TABLE, Row

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


# Airflow reads these when it is first imported, and would write to the user's home without them.
os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="nightshift-airflow-"),
    "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(Path(__file__).parents[1] / "plugins"),
    "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parents[1] / "dags"),
}

settings.register_profile("unhurried", deadline=None)  # a busy machine is no bug
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-faults", action="store_true", help="every fault, not the short form")
    parser.addoption("--benchmarks", action="store_true", help="ratios of CPU to their floors")
    parser.addoption("--compose", action="store_true", help="the compose stack, in Docker")
    parser.addoption("--browser", action="store_true", help="the page, in Chromium")
    parser.addoption("--screenshots", type=Path, help="where pictures of the page are put")
    parser.addoption("--faults-page", type=Path, help="where the table of faults is written")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long; begin with what takes longest of the rest."""
    options = {
        "thorough": "--all-faults",
        "compose": "--compose",
        "browser": "--browser",
        "benchmark": "--benchmarks",
    }
    marks = [mark for mark, option in options.items() if not config.getoption(option)]
    left_out = [item for item in items if any(map(item.get_closest_marker, marks))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = sorted((item for item in items if item not in left_out), key=_is_quick)


def _is_quick(item: pytest.Item) -> tuple[bool, bool]:
    """Return the place of a test."""
    folder = item.path.parent.name
    return folder != "e2e", folder != "chaos"


class _FilesButOneAirflow(LoadFileScheduling):
    """Gives a file to a process, and all nights under a real scheduler to one: they share it."""

    def _split_scope(self, nodeid: str) -> str:
        return "e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Return how files are spread over processes."""
    return _FilesButOneAirflow(config, log)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> list[Row]:
    """Return the rows of the table of faults, which is printed at the end."""
    rows: list[Row] = request.config.stash.setdefault(TABLE, [])
    return rows


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    folder = tmp_path_factory.mktemp("s3")
    processes = Processes(folder)
    ports = Ports.draw(ui_port=None)
    server = S3Server(folder, ports, access_key="test", secret_key=secrets.token_hex())
    try:
        server.start(processes)
        server.wait_until_ready(processes)
        yield server
    finally:
        processes.stop()


@pytest.fixture(scope="session")
def s3(s3_server: S3Server) -> Iterator["S3Client"]:
    client = s3_server.client()
    yield client
    client.close()


@pytest.fixture
def bucket(s3: "S3Client") -> str:
    return _create_bucket(s3, "documents")


@pytest.fixture
def versioned_bucket(s3: "S3Client") -> str:
    name = _create_bucket(s3, "versioned")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def work_bucket(s3: "S3Client") -> str:
    return _create_bucket(s3, "work")


def _create_bucket(s3: "S3Client", stem: str) -> str:
    name = f"{stem}-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=name)
    return name
