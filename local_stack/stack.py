"""The set of local servers that stands for a deployment: S3, Message Batches API, Airflow."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from local_stack.airflow_api import AirflowApi
from local_stack.airflow_server import COMPONENTS, PROJECT, USER, AirflowServer
from local_stack.postgres import PostgresServer
from local_stack.processes import Processes
from local_stack.s3 import REGION, S3Server
from local_stack.simulator import SimulatorServer
from local_stack.state import Ports, Secrets, StackState, WarehouseKind
from local_stack.warehouse import DuckDBFile, LocalWarehouse, PostgresTables

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DOCUMENTS_BUCKET = "documents"
WORK_BUCKET = "work"
UI_PORT = 8080

_HEALTHY_SECONDS = 300
_LATENCY_SECONDS = 3

SETTINGS = {
    "NIGHTSHIFT_DOCUMENTS_BUCKET": DOCUMENTS_BUCKET,
    "NIGHTSHIFT_WORK_BUCKET": WORK_BUCKET,
    "NIGHTSHIFT_MAX_DOCUMENTS_PER_SLICE": "300",
    "NIGHTSHIFT_MAX_REQUESTS_PER_SHARD": "300",
    "NIGHTSHIFT_START_ALLOWANCE_SECONDS": "30",
    "NIGHTSHIFT_POST_TIMEOUT_SECONDS": "60",
    "NIGHTSHIFT_SETTLING_SECONDS": "5",
    "NIGHTSHIFT_SUBMISSION_SPACING_SECONDS": "0",
    "NIGHTSHIFT_SUBMIT_POKE_SECONDS": "3",
    "NIGHTSHIFT_POLL_INTERVAL_SECONDS": "3",
    "NIGHTSHIFT_FIRST_POLL_DELAY_SECONDS": "8",
    "NIGHTSHIFT_MISSING_RECHECK_SECONDS": "1",
}
"""Hours become seconds: the simulator needs no patience."""


@dataclass(frozen=True)
class StackOptions:
    """What differs between the stack to work with, the demo's and those of tests."""

    ui_port: int | None = None
    """Taken for the UI if it is free."""
    dags_folder: Path = PROJECT / "dags"
    settings: Mapping[str, str] | None = None
    """Replaces settings of `SETTINGS`, by variable."""
    latency_seconds: float = _LATENCY_SECONDS
    """How long the simulator takes for a batch."""
    s3_url: str | None = None
    """What the DAGs are told instead of the S3 server's own address: that of a proxy before it."""
    api_url: str | None = None
    """The same for the Message Batches API."""
    warehouse: WarehouseKind | None = None
    """What the stack loads into; None leaves it at what it was, at first DuckDB."""


class Stack:
    """The local servers that keep their data, logs and secrets below one folder."""

    def __init__(self, root: Path, options: StackOptions | None = None) -> None:
        self.root = root.resolve()
        self._options = options or StackOptions()
        self.processes = Processes(self.root)

    @classmethod
    def named(cls, name: str, warehouse: WarehouseKind | None = None) -> "Stack":
        """Return the stack of that name below `.local/`."""
        options = StackOptions(ui_port=UI_PORT, warehouse=warehouse)
        return cls(PROJECT / ".local" / name, options)

    def start(self, report: Callable[[str], None] = lambda _: None) -> None:
        """Start what does not run yet, and wait until all of it works.

        Args:
            report: Is told of each step that was finished.

        Raises:
            StackError: A server did not start; with the end of its log.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._settle_state()
        try:
            self._start_servers(report)
        except BaseException:
            self.stop()  # half a stack helps nobody
            raise

    def stop(self) -> list[str]:
        """End all servers of this stack; return the names of those that ran."""
        return self.processes.stop()

    @cached_property
    def s3(self) -> S3Server:
        """The S3 server."""
        return S3Server(
            self.root / "s3",
            self.ports,
            access_key=self.secrets.s3_access_key,
            secret_key=self.secrets.s3_secret_key,
        )

    @cached_property
    def simulator(self) -> SimulatorServer:
        """The Message Batches API."""
        return SimulatorServer(
            self.root / "simulator", self.ports.simulator, self._options.latency_seconds
        )

    @cached_property
    def postgres(self) -> PostgresServer:
        """Airflow's own database, and the server of a warehouse in PostgreSQL."""
        return PostgresServer(
            self.root / "postgres", self.ports.postgres, self.secrets.database_password
        )

    @cached_property
    def airflow(self) -> AirflowServer:
        """The Airflow."""
        env = {**self._connections(), **SETTINGS, **(self._options.settings or {})}
        return AirflowServer(
            self.root / "airflow",
            self.ports,
            self.secrets,
            self.postgres.airflow_url,
            self._options.dags_folder,
            env,
        )

    @cached_property
    def api(self) -> AirflowApi:
        """Airflow's REST API, as its administrator."""
        return AirflowApi(self.airflow.base_url, user=USER, password=self.secrets.admin_password)

    @property
    def env(self) -> dict[str, str]:
        """What a command needs in its environment to work on this stack."""
        return self.airflow.env

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file of a warehouse that is one."""
        return self.root / "warehouse.duckdb"

    @property
    def warehouse(self) -> LocalWarehouse:
        """The warehouse."""
        if self._state.warehouse == "postgres":
            return PostgresTables(self.postgres)
        return DuckDBFile(self.warehouse_path)

    @property
    def ports(self) -> Ports:
        """The ports of all servers."""
        return self._state.ports

    @property
    def secrets(self) -> Secrets:
        """The keys and passwords of all servers."""
        return self._state.secrets

    def s3_client(self) -> "S3Client":
        """Return a client for the S3 server."""
        return self.s3.client()

    @cached_property
    def _state(self) -> StackState:
        state = StackState.read(self._state_path)
        if state is None:
            ports = Ports.draw(ui_port=self._options.ui_port)
            state = StackState(Secrets.generate(), ports)
            state.write(self._state_path)
        return replace(state, warehouse=self._options.warehouse or state.warehouse)

    @property
    def _state_path(self) -> Path:
        return self.root / "state.json"

    def _settle_state(self) -> None:
        """Move to other ports where strangers have taken ours since the last start."""
        ours = self.processes.names()
        if not any(map(self.processes.is_alive, ours)):
            state = replace(self._state, ports=self.ports.avoid_taken())
            state.write(self._state_path)
            self._state = state

    def _start_servers(self, report: Callable[[str], None]) -> None:
        self.s3.start(self.processes)
        self.simulator.start(self.processes)
        self.postgres.start(self.processes)
        self.postgres.wait_until_ready(self.processes)
        if isinstance(self.warehouse, PostgresTables):
            self.warehouse.create()
        self.airflow.start(self.processes)
        self.s3.wait_until_ready(self.processes)
        self._create_buckets()
        report("S3 takes objects")
        self.simulator.wait_until_ready(self.processes)
        report("the simulator answers")
        self._wait_until_healthy()
        report("Airflow is healthy")

    def _connections(self) -> dict[str, str]:
        connections = {
            "AWS_DEFAULT": {
                "conn_type": "aws",
                "login": self.secrets.s3_access_key,
                "password": self.secrets.s3_secret_key,
                "extra": {
                    "endpoint_url": self._options.s3_url or self.s3.endpoint_url,
                    "region_name": REGION,
                },
            },
            "ANTHROPIC_DEFAULT": {
                "conn_type": "anthropic",
                "host": self._options.api_url or self.simulator.base_url,
                "password": self.secrets.anthropic_key,
            },
            "WAREHOUSE": self.warehouse.connection,
        }
        return {f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in connections.items()}

    def _create_buckets(self) -> None:
        client = self.s3_client()
        present = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        for name in {DOCUMENTS_BUCKET, WORK_BUCKET} - present:
            client.create_bucket(Bucket=name)

    def _wait_until_healthy(self) -> None:
        self.processes.wait_until(COMPONENTS, self.api.is_healthy, timeout_seconds=_HEALTHY_SECONDS)
