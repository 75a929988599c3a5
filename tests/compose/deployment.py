"""The stack of docker-compose.yaml, brought up as a user would, from a copy of the project."""

import datetime as dt
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from local_stack.airflow_api import AirflowApi
from local_stack.airflow_server import PROJECT, USER
from local_stack.env_file import write_env_file
from local_stack.ports import HOST, draw_ports
from local_stack.simulator import SimulatorServer
from local_stack.stack import SETTINGS
from tests.compose.engine import Engine

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROJECT_NAME = "nightshift-test"
_PARTS = ("dags", "include", "plugins", "Dockerfile", "docker-compose.yaml", ".dockerignore")
_OVERRIDE = Path(__file__).with_name("override.yaml")
_UP_SECONDS = 900
_LIMITS = {
    # A handful of documents is several slices and several shards.
    "NIGHTSHIFT_MAX_DOCUMENTS_PER_SLICE": "3",
    "NIGHTSHIFT_MAX_REQUESTS_PER_SHARD": "3",
    # A POST is cut off by the death of its worker, not by the clock.
    "NIGHTSHIFT_POST_TIMEOUT_SECONDS": "900",
}


@dataclass(frozen=True)
class Deployment:
    """A running stack."""

    engine: Engine
    folder: Path
    ports: dict[str, int]
    env: dict[str, str]
    """The content of `.env`."""

    @classmethod
    def prepare(cls, engine: Engine, folder: Path) -> "Deployment":
        """Copy the project, draw its secrets and build its images."""
        for part in (*_PARTS, *(path.name for path in PROJECT.glob("requirements*.lock"))):
            copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
            copy(PROJECT / part, folder / part)
        env_path = folder / ".env"
        write_env_file(PROJECT / ".env.example", env_path)
        names = ("AIRFLOW_PORT", "TEST_S3_PORT", "TEST_SIMULATOR_PORT")
        ports = dict(zip(names, draw_ports(len(names)), strict=True))
        settings = {**SETTINGS, **_LIMITS, **ports}
        with env_path.open("a") as env_file:
            env_file.writelines(f"{name}={value}\n" for name, value in settings.items())
        pairs = (line.partition("=") for line in env_path.read_text().splitlines())
        env = {name: value for name, _, value in pairs if name.isidentifier()}
        for target, tag in (("pipeline", "nightshift"), ("simulator", "nightshift-simulator")):
            engine.docker("build", "--target", target, "--tag", f"{tag}:latest", folder)
        return cls(engine, folder, ports, env)

    def compose(self, *arguments: str) -> str:
        """Run Compose on the stack and return what it prints."""
        files = ("--file", self.folder / "docker-compose.yaml", "--file", _OVERRIDE)
        place = ("--project-name", PROJECT_NAME, "--project-directory", self.folder)
        return self.engine.compose(*place, *files, *arguments)

    def up(self, *, workers: int) -> None:
        """Start all services and wait until they are healthy."""
        wait = ("--wait", "--wait-timeout", str(_UP_SECONDS))
        scale = ("--scale", f"worker={workers}")
        self.compose("--progress", "quiet", "up", "--detach", "--no-build", *scale, *wait)

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.api.close()
        self.s3.close()
        self.compose("down", "--volumes", "--timeout", "5")

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """Return what Compose tells of the running containers, of some services or of all."""
        lines = self.compose("ps", "--format", "json", *services).splitlines()
        return [json.loads(line) for line in lines]

    def complaint(self) -> str:
        """Return the state of every container and its last lines."""
        return self.compose("ps", "--all") + self.compose("logs", "--tail", "40", "--no-color")

    def upload(self, day: dt.date, texts: dict[str, str]) -> None:
        """Put documents where the nightly spec looks for them."""
        for name, text in texts.items():
            key = f"documents/dt={day}/{name}"
            self.s3.put_object(
                Bucket=self.env["NIGHTSHIFT_DOCUMENTS_BUCKET"], Key=key, Body=text.encode()
            )

    @cached_property
    def simulator(self) -> SimulatorServer:
        """The simulator, whose data is in a volume."""
        return SimulatorServer(self.folder, self.ports["TEST_SIMULATOR_PORT"], latency_seconds=2)

    def query(self, sql: str) -> list[list[str]]:
        """Ask the warehouse, in PostgreSQL's own client."""
        psql = ("psql", "--username=nightshift", "--dbname=warehouse", "--csv", "--tuples-only")
        output = self.compose("exec", "--no-TTY", "postgres", *psql, "--command", sql)
        return [line.split(",") for line in output.splitlines()]

    @cached_property
    def api(self) -> AirflowApi:
        """Airflow's REST API."""
        url = f"http://{HOST}:{self.ports['AIRFLOW_PORT']}"
        return AirflowApi(url, user=USER, password=self.env["AIRFLOW_ADMIN_PASSWORD"])

    @cached_property
    def s3(self) -> "S3Client":
        """A client of the S3 server."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://{HOST}:{self.ports['TEST_S3_PORT']}",
            region_name="us-east-1",
            aws_access_key_id=self.env["LOCAL_S3_ACCESS_KEY"],
            aws_secret_access_key=self.env["LOCAL_S3_SECRET_KEY"],
        )


def wait_until(ready: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.5)
