import pytest

from include.steps.reconcile_run import RedRunError, raise_if_failed, raise_if_red
from tests.unit.test_reports import make_report


def test_failed_tasks_make_a_run_red_by_name() -> None:
    with pytest.raises(RedRunError, match="tasks failed: plan_shards, shard"):
        raise_if_failed(["plan_shards", "shard"])
    raise_if_failed([])


def test_problems_make_a_run_red() -> None:
    with pytest.raises(RedRunError, match="first; second"):
        raise_if_red(make_report(verdict="red", problems=("first", "second")))
    raise_if_red(make_report())
