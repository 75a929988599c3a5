"""What a task pays before it does anything."""

import subprocess
import sys

import pytest

PROGRAM = "import sys, include.steps.{0}; sys.exit('anthropic' in sys.modules)"


@pytest.mark.parametrize(
    "step",
    [
        "build_requests",
        "erase_document",
        "expire_files",
        "list_documents",
        "load_warehouse",
        "rebuild_warehouse",
        "reconcile_run",
    ],
)
def test_steps_that_ask_the_api_nothing_do_not_load_its_sdk(step: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM.format(step)], check=True)
