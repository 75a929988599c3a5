"""docker-compose.yaml as Compose reads it; no engine is needed for that."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local_stack.airflow_server import PROJECT
from local_stack.env_file import write_env_file
from local_stack.errors import StackError
from local_stack.processes import BIN

ENDING = ("airflow-init", "s3-buckets")
CODE = ("dags", "include", "plugins")


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


@pytest.fixture
def services(env_path: Path) -> dict[str, Any]:
    done = config(env_path)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)["services"]
    return read


def test_a_trial_needs_nothing_but_its_secrets_written(services: dict[str, Any]) -> None:
    assert {"s3", "simulator", "worker", "triggerer"} <= set(services)
    published = {name for name, one in services.items() if one.get("ports")}
    assert published == {"api-server"}
    assert {port["host_ip"] for port in services["api-server"]["ports"]} == {"127.0.0.1"}


def test_every_service_is_confined_and_looked_after(services: dict[str, Any]) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= limits.keys(), name
        if name in ENDING:
            assert service["restart"] == "no", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_images_are_of_one_release_or_our_own(services: dict[str, Any]) -> None:
    for name, service in services.items():
        is_pinned = re.search(r":\d+\.\d+(\.\d+)?$", service["image"])
        assert is_pinned or "build" in service, name


def test_every_airflow_finds_our_code_and_runs_as_its_user(services: dict[str, Any]) -> None:
    ours = {name: one for name, one in services.items() if one["image"] == "nightshift:latest"}
    components = {"airflow-init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    assert ours.keys() == components
    for name, service in ours.items():
        assert service["user"] == "50000:0", name
        assert service["environment"]["PYTHONPATH"] == "/opt/airflow", name
        mounted = {volume["target"]: volume for volume in service["volumes"]}
        for folder in CODE if name != "airflow-init" else ():
            mount = mounted[f"/opt/airflow/{folder}"]
            assert mount["source"] == str(PROJECT / folder), name
            assert mount["read_only"], name


def test_no_task_is_told_the_password_of_a_person(services: dict[str, Any]) -> None:
    told = {
        (service_name, name)
        for service_name, service in services.items()
        for name, value in (service.get("environment") or {}).items()
        if name.endswith("ADMIN_PASSWORD") and value
    }
    assert told == {("airflow-init", "ADMIN_PASSWORD")}
    for name in ("worker", "scheduler", "triggerer"):  # stands over what .env says
        assert services[name]["environment"]["AIRFLOW_ADMIN_PASSWORD"] == "", name


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
