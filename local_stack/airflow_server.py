"""Airflow as it runs in production, cut down to one machine: its four components."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack.errors import StackError
from local_stack.ports import HOST
from local_stack.processes import BIN, Processes, Program, bare_environ
from local_stack.state import Ports, Secrets

PROJECT = Path(__file__).parent.parent
USER = "admin"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_SERVING_LOGS = ("scheduler", "triggerer")

_PARALLELISM = 4
_MIGRATE_SECONDS = 180


@dataclass(frozen=True)
class AirflowServer:
    """One Airflow with its state in one folder."""

    folder: Path
    ports: Ports
    secrets: Secrets
    database_url: str
    dags_folder: Path = PROJECT / "dags"
    extra_env: Mapping[str, str] = field(default_factory=dict)
    """Connections and the pipeline's settings."""

    @property
    def base_url(self) -> str:
        """Return the address of UI and REST API."""
        return f"http://{HOST}:{self.ports.airflow}"

    @property
    def env(self) -> dict[str, str]:
        """Return all that an `airflow` command needs to know of this Airflow."""
        options = {
            **self._places(),
            **self._secrets(),
            **_QUICK,
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": str(_PARALLELISM),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords_path),
            "USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        return {
            "AIRFLOW_HOME": str(self.folder),
            **{f"AIRFLOW__{name}": value for name, value in options.items()},
            "PYTHONPATH": str(PROJECT),
            "NO_PROXY": f"{HOST},localhost",
            "no_proxy": f"{HOST},localhost",
            **self.extra_env,
        }

    def start(self, processes: Processes) -> None:
        """Bring the database up to date and start the components that do not run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._passwords_path.touch(mode=0o600)
        self._passwords_path.write_text(json.dumps({USER: self.secrets.admin_password}))
        if not all(processes.is_alive(component) for component in COMPONENTS):
            self._migrate(processes.log_path("migrate"))
        for component in COMPONENTS:
            processes.start(Program(component, _command(component), self.env))

    @property
    def _passwords_path(self) -> Path:
        return self.folder / "passwords.json"

    def _places(self) -> dict[str, str]:
        return {
            "API__HOST": HOST,
            "API__PORT": str(self.ports.airflow),
            "API__BASE_URL": self.base_url,
            "CORE__DAGS_FOLDER": str(self.dags_folder),
            "CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "CORE__EXECUTION_API_SERVER_URL": f"{self.base_url}/execution/",
            "DATABASE__SQL_ALCHEMY_CONN": self.database_url,
            "LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs"),
        }

    def _secrets(self) -> dict[str, str]:
        return {
            "API__SECRET_KEY": self.secrets.api_secret,
            "API_AUTH__JWT_SECRET": self.secrets.jwt_secret,
            "CORE__FERNET_KEY": self.secrets.fernet_key,
        }

    def _migrate(self, log_path: Path) -> None:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("wb") as log:
            done = subprocess.run(
                [BIN / "airflow", "db", "migrate"],
                env={**bare_environ(), **self.env},
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_MIGRATE_SECONDS,
                check=False,
            )
        if done.returncode:
            msg = f"airflow db migrate failed; see {log_path}"
            raise StackError(msg)


def _command(component: str) -> list[str]:
    # Their log servers listen at every address, and the UI reads the files here without them.
    options = ["--skip-serve-logs"] if component in _SERVING_LOGS else []
    return [str(BIN / "airflow"), component, *options]


_QUICK = {
    "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
}
"""What makes short nights short."""
