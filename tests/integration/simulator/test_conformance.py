"""The batch tests of the SDK itself, of the version that is installed."""

import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.integration.simulator_process import SimulatorProcess

pytestmark = [pytest.mark.conformance, pytest.mark.usefixtures("on_demand")]

SDK = f"anthropic=={version('anthropic')}"
TESTS = (
    "tests/api_resources/messages/test_batches.py",
    "tests/api_resources/beta/messages/test_batches.py",
    "tests/decoders",
)
TEST_PACKAGES = (
    f"anthropic[aiohttp]=={version('anthropic')}",
    "pytest",
    "pytest-asyncio",
    "pytest-xdist",
    "respx==0.22.0",
    "http-snapshot[httpx]==0.1.9",
    "inline-snapshot",
    "dirty-equals",
    "time-machine",
    "opentelemetry-sdk",
    "rich",
)
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), check=False, capture_output=True, text=True, **options
    )


@pytest.fixture
def sdk_folder(tmp_path: Path) -> Path:
    """The SDK's tests, without its source: they shall run against what is installed."""
    pip = (UV, "tool", "run", "--from", "pip", "pip")
    arguments = ("download", "--no-deps", "--no-binary", "anthropic", "--dest", tmp_path, SDK)
    download = run(*pip, *arguments)
    if download.returncode:
        pytest.skip(f"PyPI is out of reach: {download.stderr[-300:]}")
    (archive,) = tmp_path.glob("anthropic-*.tar.gz")
    with tarfile.open(archive) as tar:
        wanted = [
            member
            for member in tar.getmembers()
            if member.name.partition("/")[2].startswith(("tests", "pyproject.toml"))
        ]
        tar.extractall(tmp_path, wanted, filter="data")
    return tmp_path / archive.name.removesuffix(".tar.gz")


@pytest.fixture
def sdk_python(tmp_path: Path) -> Path:
    """An environment of its own, because the SDK's tests pin what they need."""
    python = tmp_path / "venv" / "bin" / "python"
    run(UV, "venv", "--python", sys.executable, tmp_path / "venv")
    installed = run(UV, "pip", "install", "--python", python, *TEST_PACKAGES)
    assert installed.returncode == 0, installed.stderr
    return python


def test_the_tests_of_the_sdk_pass(tmp_path: Path, sdk_folder: Path, sdk_python: Path) -> None:
    simulator = SimulatorProcess(tmp_path / "simulator.db", "--conformance").start()
    try:
        tested = run(
            *(sdk_python, "-m", "pytest", *TESTS, "-q", "-n", "0"),
            *("-o", "addopts=-p tests._alias_httpx"),
            cwd=sdk_folder,
            env=os.environ | {"TEST_API_BASE_URL": simulator.base_url, "PYTHONPATH": ""},
        )
    finally:
        simulator.stop()
    assert tested.returncode == 0, tested.stdout[-3_000:]
