"""A Docker engine for the tests: the one that runs, or one of their own."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_stack.airflow_server import PROJECT
from local_stack.processes import BIN

_DATA = PROJECT / ".local" / "docker"
"""Images of an engine of our own; kept, so that they are built once."""
_START_SECONDS = 60
_STOP_SECONDS = 60
_DEBIAN_PACKAGES = ("docker.io", "iptables", "debootstrap")
_EMPTY_TABLES = """\
*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
COMMIT
"""
"""A firewall without rules, which `iptables-save` would not tell of."""


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers."""

    env: dict[str, str]

    def docker(self, *arguments: str | Path) -> str:
        """Run the client and return what it prints; see `run`."""
        return run(["docker", *arguments], env=self.env)

    def compose(self, *arguments: str | Path) -> str:
        """Run Compose, as pinned among the packages; see `run`."""
        return run([BIN / "docker-compose", *arguments], env=self.env)

    def answers(self) -> bool:
        """Return whether the engine can be spoken to."""
        command = ["docker", "info"]
        done = subprocess.run(command, env=self.env, capture_output=True, check=False)
        return done.returncode == 0


def run(command: Sequence[str | Path], *, env: Mapping[str, str]) -> str:
    """Run a program and return what it prints.

    Raises:
        RuntimeError: It failed; with the end of its output.
    """
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False)
    if done.returncode:
        words = " ".join(map(str, command[:2]))
        msg = f"{words} failed:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        raise RuntimeError(msg)
    return done.stdout


@contextmanager
def open_engine(folder: Path) -> Iterator[Engine | None]:
    """Yield the engine that `docker` reaches, else one of our own, else None.

    An engine of our own needs root, and Debian's packages, which are installed.

    Args:
        folder: For the socket and the log of an engine of our own.
    """
    engine = Engine({**os.environ, "DOCKER_BUILDKIT": "0"})
    if shutil.which("docker") and engine.answers():
        yield engine
    elif os.geteuid() == 0 and _install():
        with _own_engine(folder, engine.env) as own:
            yield own
    else:
        yield None


def _install() -> bool:
    if all(map(shutil.which, ("docker", "dockerd", "iptables", "debootstrap"))):
        return True
    if not shutil.which("apt-get"):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=env)
    run(["apt-get", "install", "-qq", "--no-install-recommends", *_DEBIAN_PACKAGES], env=env)
    return True


@contextmanager
def _own_engine(folder: Path, env: Mapping[str, str]) -> Iterator[Engine]:
    """Run an engine on a socket of its own, and put the network back as it was."""
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    socket = folder / "docker.sock"
    config = {
        "data-root": str(_DATA),
        "exec-root": str(folder / "exec"),
        "hosts": [f"unix://{socket}"],
        "pidfile": str(folder / "docker.pid"),
    }
    config_path = folder / "daemon.json"
    config_path.write_text(json.dumps(config))
    engine = Engine({**env, "DOCKER_HOST": f"unix://{socket}"})
    # It ends with these tests, also when they are killed.
    command = ["setpriv", "--pdeathsig", "TERM", "dockerd", "--config-file", str(config_path)]
    log_path = folder / "dockerd.log"
    with log_path.open("w") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(engine, daemon, log_path)
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(timeout=_STOP_SECONDS)
        _restore_network(rules)


def _wait_for(engine: Engine, daemon: "subprocess.Popen[bytes]", log_path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not engine.answers():
        if daemon.poll() is not None or time.monotonic() > deadline:
            msg = f"dockerd did not start: {log_path.read_text()[-2000:]}"
            raise RuntimeError(msg)
        time.sleep(0.5)


def _restore_network(rules: str) -> None:
    before = _EMPTY_TABLES + rules
    subprocess.run(["iptables-restore"], input=before, text=True, capture_output=True, check=True)
    subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)
