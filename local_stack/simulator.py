"""The Message Batches simulator as a server of the stack."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from local_stack.errors import StackError
from local_stack.ports import HOST
from local_stack.processes import Processes, Program

_START_SECONDS = 60
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class SimulatorServer:
    """One simulator with its database in one folder."""

    folder: Path
    port: int
    latency_seconds: float
    """How long a batch takes."""

    @property
    def base_url(self) -> str:
        """Return the address of the API and of the simulator's page."""
        return f"http://{HOST}:{self.port}"

    def start(self, processes: Processes) -> None:
        """Start the server without waiting for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "--port": self.port,
            "--db": self.folder / "simulator.db",
            "--seed": 1,
            "--latency": self.latency_seconds,
        }
        arguments = [str(part) for option in options.items() for part in option]
        command = [sys.executable, "-m", "include.simulator", *arguments]
        processes.start(Program("simulator", command))

    def wait_until_ready(self, processes: Processes) -> None:
        """Wait until the control plane answers."""
        processes.wait_until(["simulator"], self._answers, timeout_seconds=_START_SECONDS)

    def control(self, path: str, body: Any = None) -> Any:
        """Call the control plane below `/_sim/`: POST with a body, else GET.

        Raises:
            StackError: The simulator does not answer, or refuses.
        """
        url = f"{self.base_url}/_sim/{path}"
        try:
            response = httpx2.request(
                "GET" if body is None else "POST",
                url,
                json=body,
                timeout=_TIMEOUT_SECONDS,
                trust_env=False,
            )
            return response.raise_for_status().json()
        except httpx2.HTTPError as error:
            msg = f"{url}: {error}"
            raise StackError(msg) from error

    def _answers(self) -> bool:
        try:
            self.control("state")
        except StackError:
            return False
        return True
