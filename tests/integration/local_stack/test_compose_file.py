"""docker-compose.yaml as Compose reads it; no engine is needed for that."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from local_stack.airflow_server import PROJECT
from local_stack.env_file import write_env_file
from local_stack.errors import StackError
from local_stack.processes import BIN


def config(env_path: Path) -> "subprocess.CompletedProcess[str]":
    command = [BIN / "docker-compose", "--env-file", env_path, "config", "--format", "json"]
    env = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        command, cwd=PROJECT, env=env, text=True, capture_output=True, check=False
    )


@pytest.fixture
def env_path(tmp_path: Path) -> Path:
    path = tmp_path / "trial.env"
    write_env_file(PROJECT / ".env.example", path)
    return path


def test_a_trial_needs_nothing_but_its_secrets_written(env_path: Path) -> None:
    done = config(env_path)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert {"s3", "simulator", "worker", "triggerer"} <= set(services)
    published = {name for name, one in services.items() if one.get("ports")}
    assert published == {"api-server"}
    assert {port["host_ip"] for port in services["api-server"]["ports"]} == {"127.0.0.1"}


@pytest.mark.parametrize(
    "name",
    [
        "AIRFLOW_ADMIN_PASSWORD",
        "AIRFLOW_API_SECRET_KEY",
        "AIRFLOW_JWT_SECRET",
        "AIRFLOW_FERNET_KEY",
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
        "WAREHOUSE_PASSWORD",
    ],
)
def test_no_secret_has_a_default_that_works(env_path: Path, name: str) -> None:
    lines = env_path.read_text().splitlines()
    env_path.write_text("\n".join(line for line in lines if not line.startswith(f"{name}=")))
    done = config(env_path)
    assert done.returncode != 0
    assert f"set {name} in .env" in done.stderr


def test_secrets_are_drawn_once_and_for_their_owner_alone(env_path: Path) -> None:
    assert env_path.stat().st_mode & 0o077 == 0
    with pytest.raises(StackError, match="exists and is left as it is"):
        write_env_file(PROJECT / ".env.example", env_path)
