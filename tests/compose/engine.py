"""A Docker engine for the tests: the one that runs, or one of their own."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_stack.processes import BIN

_START_SECONDS = 60
_DEBIAN_PACKAGES = ("docker.io", "iptables")


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers."""

    env: dict[str, str]

    def docker(
        self, *arguments: str | Path, **options: object
    ) -> "subprocess.CompletedProcess[str]":
        """Run the client; an error is raised with its output."""
        return run(["docker", *arguments], env=self.env, **options)

    def compose(
        self, *arguments: str | Path, **options: object
    ) -> "subprocess.CompletedProcess[str]":
        """Run Compose, as pinned among the packages."""
        return run([BIN / "docker-compose", *arguments], env=self.env, **options)


def run(command: Sequence[str | Path], *, env: Mapping[str, str]) -> str:
    """Run a program and return what it prints.

    Raises:
        RuntimeError: It failed; with the end of its output.
    """
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False)
    if done.returncode:
        msg = f"{command[0]} {command[1]} failed:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        raise RuntimeError(msg)
    return done.stdout


@contextmanager
def open_engine(folder: Path) -> Iterator[Engine | None]:
    """Yield the engine that `docker` reaches, else one started in `folder`, else None.

    An engine of our own needs root, and Debian's packages, which are installed.
    """
    env = {**os.environ, "DOCKER_BUILDKIT": "0"}
    if shutil.which("docker") and _answers(env):
        yield Engine(env)
    elif os.geteuid() == 0 and _install():
        with _own_engine(folder, env) as engine:
            yield engine
    else:
        yield None


def _answers(env: dict[str, str]) -> bool:
    return (
        subprocess.run(["docker", "info"], env=env, capture_output=True, check=False).returncode
        == 0
    )


def _install() -> bool:
    if shutil.which("dockerd"):
        return True
    if not shutil.which("apt-get"):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=env)
    run(["apt-get", "install", "-qq", "--no-install-recommends", *_DEBIAN_PACKAGES], env=env)
    return True


@contextmanager
def _own_engine(folder: Path, env: dict[str, str]) -> Iterator[Engine]:
    """Run an engine on a socket of its own; put the firewall back as it was."""
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    socket = folder / "docker.sock"
    config = {
        "data-root": str(folder / "data"),
        "exec-root": str(folder / "exec"),
        "hosts": [f"unix://{socket}"],
        "pidfile": str(folder / "docker.pid"),
    }
    config_path = folder / "daemon.json"
    config_path.write_text(json.dumps(config))
    engine = Engine({**env, "DOCKER_HOST": f"unix://{socket}"})
    with (folder / "dockerd.log").open("w") as log:
        daemon = subprocess.Popen(
            ["dockerd", "--config-file", config_path],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(engine.env):
            if daemon.poll() is not None or time.monotonic() > deadline:
                msg = f"dockerd did not start: {(folder / 'dockerd.log').read_text()[-2000:]}"
                raise RuntimeError(msg)
            time.sleep(0.5)
        yield engine
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=60)
        subprocess.run(["iptables-restore"], input=rules, text=True, check=False)
        subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)
