"""The params of a night: what an operator may change for one run, as the form shows it."""

from typing import get_args

from airflow.sdk import Param

from include.runs import RequeueReason

NIGHT_PARAMS = {
    "window_start": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Window start",
        description="Documents from this moment on, instead of the run's interval.",
    ),
    "window_end": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Window end",
        description="Documents before this moment. Goes with a window start.",
    ),
    "prefix": Param(
        None,
        type=["null", "string"],
        maxLength=900,
        title="Key prefix",
        description="Only keys that go on like this after the prefix of the spec.",
    ),
    "limit": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Limit",
        description="At most so many objects: for a first try.",
    ),
    "budget_usd": Param(
        None,
        type=["null", "number"],
        minimum=0,
        title="Budget in USD",
        description="Above this estimate a person is asked before anything is bought.",
    ),
    "plan_only": Param(
        default=False,
        type="boolean",
        title="Plan only",
        description="Say what the run would cost, and buy nothing.",
    ),
    "requeue": Param(
        [],
        type="array",
        items={"type": "string", "enum": list(get_args(RequeueReason))},
        examples=list(get_args(RequeueReason)),
        title="Requeue",
        description="Take up again what was given up or skipped for these reasons.",
    ),
    "reprocess": Param(
        default=False,
        type="boolean",
        title="Reprocess",
        description="Ask again what was answered under an older prompt; with plan_only: its cost.",
    ),
}
