"""Where the buttons on a shard's tasks lead."""

from types import SimpleNamespace
from typing import Any

import pytest
from batch_links import BATCH_LINKS
from batch_sensor import BatchEndedSensor

SHARD = {"spec": "notes", "run_key": "run-1", "shard_id": "shard-1"}


def links_of(operator: Any) -> dict[str, str]:
    key: Any = None
    return {link.name: link.get_link(operator, ti_key=key) for link in BATCH_LINKS}


def test_wait_leads_to_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.test/base/")
    links = links_of(BatchEndedSensor(task_id="wait_for_batch", batch_id="msgbatch_1"))
    assert links["Nightshift page"] == (
        "https://airflow.test/base/plugin/nightshift/base/nightshift/page?batch=msgbatch_1"
    )
    assert links["Claude Console"].startswith("https://platform.claude.com/")


@pytest.mark.parametrize("arguments", [{"op_args": (SHARD,)}, {"op_kwargs": {"shard": SHARD}}])
def test_submit_leads_to_its_shard(arguments: dict[str, Any]) -> None:
    operator = SimpleNamespace(**({"op_args": (), "op_kwargs": {}} | arguments))
    assert links_of(operator)["Nightshift page"].endswith("?spec=notes&shard=shard-1")
