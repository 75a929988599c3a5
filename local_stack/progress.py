"""Shows on a terminal, or in a file, what the demo is doing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.status import Status
from rich.text import Text

from local_stack.airflow_api import Run, Task

_WORKING = ("queued", "running", "deferred", "up_for_reschedule", "up_for_retry")
_FINISHED = ("success", "skipped", "failed", "upstream_failed")
_WIDTH = 100


def open_console() -> Console:
    """Return a console no wider than the page that the output is made for."""
    console = Console(highlight=False)
    console.width = min(console.width, _WIDTH) if console.is_terminal else _WIDTH
    return console


@dataclass
class Progress:
    """Finished steps stay as lines; what goes on now is one line that changes."""

    console: Console
    _started: float = field(default_factory=time.monotonic)
    _status: Status | None = None
    _shown: str = ""

    def done(self, text: str) -> None:
        """Print a finished step with the time since the start."""
        self.console.print(Text(f"{self._clock()}  {text}"))

    @contextmanager
    def during(self, text: str) -> Iterator[None]:
        """Show what goes on."""
        if not self.console.is_terminal:
            self.update(text)
            yield
            return
        with self.console.status(Text(text)) as self._status:
            yield
        self._status = None

    def update(self, text: str, detail: str = "") -> None:
        """Show what goes on now; in a file, only when it is something new, and no detail."""
        if self._status is not None:
            self._status.update(Text(f"{self._clock()}  {text}{detail}"))
        elif text != self._shown:
            self.done(f"  {text}")
        self._shown = text

    def follow(self, run: Run, tasks: list[Task]) -> None:
        """Show which tasks of a run are being worked on."""
        working = sorted({_describe(task) for task in tasks if task.state in _WORKING})
        if working:
            finished = sum(task.state in _FINISHED for task in tasks)
            self.update(f"{run.state}: {', '.join(working)}", f" ({finished} of {len(tasks)} done)")

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes:2d}:{seconds:02d}"


def _describe(task: Task) -> str:
    return f"{task.task_id} (to be tried again)" if task.state == "up_for_retry" else task.task_id
