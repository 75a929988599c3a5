from pathlib import Path

import pytest

from tests.unit.simulator.in_process import InProcessSimulator


@pytest.fixture
def simulator(tmp_path: Path) -> InProcessSimulator:
    return InProcessSimulator(tmp_path)
