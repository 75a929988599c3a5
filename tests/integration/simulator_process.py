"""The simulator as its users run it: a process of its own, reached over HTTP."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import anthropic
import httpx2

from include.simulator.options import Options

_START_SECONDS = 30
_STOP_SECONDS = 10
_ROOT = Path(__file__).parents[2]


class SimulatorProcess:
    """One running simulator; `kill` and `start` keep its port and what it has stored."""

    def __init__(self, database: Path, *arguments: str) -> None:
        self._database = database
        self._arguments = arguments
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def port(self) -> int:
        return self._port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def data_folder(self) -> Path:
        return Options(database=self._database).data_folder

    def start(self) -> Self:
        command = [sys.executable, "-m", "include.simulator", "--db", str(self._database)]
        self._process = subprocess.Popen(
            [*command, "--port", str(self._port), *self._arguments],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        assert ready.startswith("listening on "), f"the simulator did not start: {ready!r}"
        self._port = int(ready.rsplit(":", 1)[1])
        return self

    def stop(self) -> None:
        """End it in good order."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a lost machine does."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(_STOP_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def control(self, path: str, json: Any = None) -> Any:
        """Ask the control plane: GET, or POST when there is something to say."""
        method = "GET" if json is None else "POST"
        reply = httpx2.request(
            method,
            f"{self.base_url}/_sim/{path}",
            json=json,
            timeout=_START_SECONDS,
            trust_env=False,
        )
        reply.raise_for_status()
        return reply.json()

    def reset(self) -> None:
        """Forget all batches, calls and faults."""
        self.control("reset", {})

    def advance(self, *, seconds: float) -> None:
        """Move its clock forward."""
        self.control("advance", {"seconds": seconds})

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Set what goes wrong from now on."""
        self.control("faults", list(faults))

    def client(self, api_key: str = "test", **options: Any) -> anthropic.Anthropic:
        """Return the real SDK, which tries everything once."""
        return anthropic.Anthropic(
            api_key=api_key, base_url=self.base_url, **({"max_retries": 0} | options)
        )
