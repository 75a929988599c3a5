"""The DAGs as the dag-processor sees them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dag_bag() -> "DagBag":
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(PROJECT / "dags")
