import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_stack.errors import StackError
from local_stack.processes import Processes, Program

pytestmark = pytest.mark.integration

PARENT = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.stop()


def python(code: str) -> Program:
    return Program("server", [sys.executable, "-c", code])


def noted(folder: Path) -> psutil.Process:
    return psutil.Process(json.loads((folder / "processes.json").read_text())["server"]["pid"])


def offspring(parent: psutil.Process) -> list[psutil.Process]:
    while not (children := parent.children()):
        time.sleep(0.05)
    return children


def kill_parent(parent: psutil.Process, *, is_reaped: bool) -> list[psutil.Process]:
    children = offspring(parent)
    parent.kill()
    if is_reaped:
        parent.wait()
    return children


def test_a_later_command_ends_what_an_earlier_one_started(
    processes: Processes, tmp_path: Path
) -> None:
    processes.start(python(PARENT))
    children = offspring(noted(tmp_path))
    assert Processes(tmp_path).stop() == ["server"]
    assert not any(process.is_running() for process in children)
    assert not processes.is_alive("server")


@pytest.mark.parametrize("is_reaped", [True, False], ids=["reaped", "zombie"])
def test_orphans_of_a_dead_server_are_ended(
    processes: Processes, tmp_path: Path, *, is_reaped: bool
) -> None:
    processes.start(python(PARENT))
    children = kill_parent(noted(tmp_path), is_reaped=is_reaped)
    processes.stop()
    assert not any(process.is_running() for process in children)


def test_starting_a_dead_server_anew_ends_its_orphans(processes: Processes, tmp_path: Path) -> None:
    processes.start(python(PARENT))
    children = kill_parent(noted(tmp_path), is_reaped=True)
    processes.start(python(PARENT))
    assert not any(process.is_running() for process in children)
    assert processes.is_alive("server")


def test_a_process_that_got_the_number_of_ours_is_left_alone(
    processes: Processes, tmp_path: Path
) -> None:
    processes.start(python("import time; time.sleep(60)"))
    notes = tmp_path / "processes.json"
    truth = notes.read_text()
    lie = json.loads(truth)
    lie["server"]["started_at"] -= 1_000
    notes.write_text(json.dumps(lie))
    assert not processes.is_alive("server")
    assert Processes(tmp_path).stop() == []
    notes.write_text(truth)
    assert processes.is_alive("server")


def test_starting_twice_starts_once(processes: Processes, tmp_path: Path) -> None:
    processes.start(python("import time; time.sleep(60)"))
    first = noted(tmp_path)
    processes.start(python("import time; time.sleep(60)"))
    assert noted(tmp_path) == first


def test_a_server_that_dies_at_start_shows_the_end_of_its_log(processes: Processes) -> None:
    processes.start(python("print('cannot bind'); raise SystemExit(1)"))
    with pytest.raises(StackError, match=r"(?s)server: ended.*server\.log.*cannot bind"):
        processes.wait_until(["server"], lambda: False, timeout_seconds=10)


def test_a_server_that_ignores_the_request_to_end_is_killed(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_stack.processes._GRACE_SECONDS", 0.5)
    processes.start(python(STUBBORN))
    time.sleep(0.3)
    assert processes.stop() == ["server"]
    assert not processes.is_alive("server")


def test_settings_of_another_deployment_do_not_leak_in(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    processes.start(python("import os; print(os.environ.get('AWS_PROFILE'))"))
    log = processes.log_path("server")
    processes.wait_until(["server"], lambda: "None" in log.read_text(), timeout_seconds=10)
