"""What the dag-processor pays for a DAG file, again and again."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLOW = {"adbc_driver_postgresql", "anthropic", "boto3", "botocore", "duckdb", "genai_prices"} | {
    "numpy", "psycopg", "pyarrow",
}  # fmt: skip
PROGRAM = """
import json, runpy, sys

import airflow.sdk

for path in sys.argv[1:]:
    runpy.run_path(path)
    print(json.dumps([path, sorted(sys.modules)]))
"""


def test_reading_the_dag_files_imports_nothing_slow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, sorted((ROOT / "dags").glob("*.py")))],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(told) > 1
    for path, modules in told:
        assert not SLOW & set(modules), path
