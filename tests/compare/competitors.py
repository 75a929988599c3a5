"""Who is compared: each runs in processes of its own, and is tried again as Airflow would."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.world import World

TRIES = 4
"""A task's first try and three retries."""
TRY_SECONDS = 300
HERE = Path(__file__).parent

Run = Callable[[World, Path, str], int]
"""Runs a night by name, in a folder; returns for how many documents there is an answer."""


@dataclass(frozen=True)
class Competitor:
    """Somebody who asks about all documents."""

    name: str
    run: Run


def competitors(python: Path) -> tuple[Competitor, ...]:
    """Return all, given the interpreter of the others' environment."""

    def script(world: World, folder: Path, run: str) -> int:
        documents, answers = folder / "documents.json", folder / f"{run}.jsonl"
        env = {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": world.proxies["api"].base_url}
        command = [python, HERE / "plain_script.py", documents, answers]
        return _try(command, env, answers)

    def operator(world: World, folder: Path, run: str) -> int:
        documents, answers = folder / "documents.json", folder / f"{run}.jsonl"
        connection = {
            "conn_type": "pydanticai",
            "host": world.proxies["api"].base_url,
            "password": "not-a-key",
        }
        env = {
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_LLM": json.dumps(connection),
        }
        state = f"file://{folder}/state"
        command = [python, HERE / "operator_task.py", documents, state, answers, run]
        return _try(command, env, answers)

    return (
        Competitor("plain SDK script", script),
        Competitor("Airflow LLMBatchOperator", operator),
        Competitor("Nightshift", _nightshift),
    )


def _try(command: Sequence[str | Path], env: dict[str, str], answers: Path) -> int:
    for _ in range(TRIES):
        done = subprocess.run(
            command,
            env=os.environ | env,
            capture_output=True,
            timeout=TRY_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            break
    lines = answers.read_text().splitlines() if answers.exists() else []
    found = (json.loads(line) for line in lines)
    return len({answer["id"] for answer in found if answer["end"] == "end_turn"})


def _nightshift(world: World, folder: Path, run: str) -> int:
    scheduler = world.scheduler()
    if not scheduler.run_night():
        world.scheduler().run_night()
    return world.answered_count()
