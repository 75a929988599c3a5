"""Fixtures for tests with real servers."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from local_stack.errors import StackError
from local_stack.ports import draw_ports
from local_stack.postgres import PostgresServer
from local_stack.processes import Processes
from tests.integration.databases import LOADER
from tests.integration.simulator_process import SimulatorProcess


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    database = tmp_path_factory.mktemp("simulator") / "simulator.db"
    process = SimulatorProcess(database, "--seed", "7", "--latency", "1").start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    folder = tmp_path_factory.mktemp("postgres")
    processes = Processes(folder)
    server = PostgresServer(folder / "server", draw_ports(1)[0], secrets.token_hex(8))
    try:
        try:
            server.start(processes)
            server.wait_until_ready(processes)
        except StackError as error:
            pytest.skip(f"no PostgreSQL here, so its warehouse is not tested: {error}")
        with psycopg.connect(server.uri(), autocommit=True) as connection:
            connection.execute(f"create role {LOADER} login createdb password '{server.password}'")
        yield server
    finally:
        processes.stop()
