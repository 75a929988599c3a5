"""Server processes that outlive the command that started them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from local_stack.errors import StackError

BIN = Path(sys.executable).parent
"""Where the programs of this Python environment lie."""

_GRACE_SECONDS = 5
_POLL_SECONDS = 0.2
_FOREIGN_SETTINGS = ("AIRFLOW_", "ANTHROPIC_", "AWS_", "NIGHTSHIFT_")
_CLOCK_TOLERANCE_SECONDS = 2
_LOG_LINES = 15


@dataclass(frozen=True)
class Program:
    """A server to start."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Processes:
    """The processes of one stack, noted in a file so that a later command finds them."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "processes.json"
        self._logs = folder / "logs"
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, program: Program) -> None:
        """Start a program in a session of its own, unless it runs already."""
        if self.is_alive(program.name):
            return
        self._end([program.name])  # a dead server may have left offspring
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log_path(program.name).open("ab") as log:
            child = subprocess.Popen(
                program.command,
                env={**bare_environ(), **program.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children.append(child)
        started_at = psutil.Process(child.pid).create_time()
        self._note({**self._read(), program.name: {"pid": child.pid, "started_at": started_at}})

    def is_alive(self, name: str) -> bool:
        """Return whether the process noted under a name still runs."""
        note = self._read().get(name)
        return note is not None and _is_running(int(note["pid"]), note["started_at"])

    def wait_until(
        self, names: Sequence[str], is_ready: Callable[[], bool], *, timeout_seconds: float
    ) -> None:
        """Wait for programs to become ready.

        Raises:
            StackError: One ended, or they did not become ready in time; with the end of the log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            for name in names:
                if not self.is_alive(name):
                    raise StackError(self._complaint(name, "ended"))
            if time.monotonic() > deadline:
                problem = f"not ready after {timeout_seconds:.0f} s"
                raise StackError(self._complaint(names[0], problem))
            time.sleep(_POLL_SECONDS)

    def stop(self) -> list[str]:
        """End all noted processes with their offspring; return the names of those that ran."""
        ended = self._end(self.names())
        for child in self._children:
            child.wait()
        self._notes.unlink(missing_ok=True)
        return ended

    def names(self) -> list[str]:
        """Return the names of all noted programs, dead or alive."""
        return list(self._read())

    def log_path(self, name: str) -> Path:
        """Return where a program's output goes."""
        return self._logs / f"{name}.log"

    def _end(self, names: Sequence[str]) -> list[str]:
        notes = self._read()
        sessions = {
            name: list(_session(int(notes[name]["pid"]), notes[name]["started_at"]))
            for name in names
            if name in notes
        }
        members = [process for session in sessions.values() for process in session]
        _signal_all(members, signal.SIGTERM)
        _, stubborn = psutil.wait_procs(members, timeout=_GRACE_SECONDS)
        _signal_all(stubborn, signal.SIGKILL)
        psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)
        return [name for name, session in sessions.items() if session]

    def _complaint(self, name: str, problem: str) -> str:
        path = self.log_path(name)
        lines = path.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join(
            [f"{name}: {problem}. The end of {path}:", *(f"  {line}" for line in lines)]
        )

    def _read(self) -> dict[str, dict[str, float]]:
        if not self._notes.exists():
            return {}
        notes: dict[str, dict[str, float]] = json.loads(self._notes.read_text())
        return notes

    def _note(self, notes: Mapping[str, Mapping[str, float]]) -> None:
        self._notes.write_text(json.dumps(notes, indent=1))


def bare_environ() -> dict[str, str]:
    """Return this process's environment without settings that are meant for another deployment."""
    return {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN_SETTINGS)}


def _is_running(pid: int, started_at: float) -> bool:
    """Return whether this very process runs."""
    try:
        return _is_same(pid, started_at) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_same(pid: int, started_at: float) -> bool:
    """Return whether a number belongs to this very process, and not to a later one."""
    return abs(psutil.Process(pid).create_time() - started_at) < _CLOCK_TOLERANCE_SECONDS


def _session(leader: int, started_at: float) -> Iterator[psutil.Process]:
    """Yield what runs in a session, also when its leader has died.

    The system gives out a number anew only when no session has it any more.
    """
    if psutil.pid_exists(leader) and not _is_same(leader, started_at):
        return
    for process in psutil.process_iter():
        try:
            is_member = os.getsid(process.pid) == leader
            if is_member and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue


def _signal_all(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
