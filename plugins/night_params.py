"""The params of a night: what an operator may change for one run, as the form shows it."""

from typing import Any, get_args

from airflow.sdk import Param

from include.runs import RequeueReason

MAX_LIMIT = 100_000_000
MAX_BUDGET_USD = 1_000_000
REASONS = list(get_args(RequeueReason))

# All types take null: the form marks others as required, and sends nothing once one is emptied.
WHICH: dict[str, Any] = {"section": "Which documents"}
MONEY: dict[str, Any] = {"section": "Money"}
AGAIN: dict[str, Any] = {"section": "Asking again"}

NIGHT_PARAMS = {
    "window_start": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Window start",
        description="Documents from this moment on, instead of those of the run's interval: by "
        "their date in the key, or by when they were written, as the spec says. Needs a window "
        "end.",
        **WHICH,
    ),
    "window_end": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Window end",
        description="Documents before this moment. Needs a window start.",
        **WHICH,
    ),
    "prefix": Param(
        None,
        type=["null", "string"],
        maxLength=900,
        title="Key prefix",
        description="Only keys that go on like this after the prefix of the spec, such as "
        "`invoices/2026-`. Such a run does not notice deleted objects.",
        **WHICH,
    ),
    "limit": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        maximum=MAX_LIMIT,
        title="Limit",
        description="At most so many objects, for a first try. The others are left to a later run.",
        **WHICH,
    ),
    "plan_only": Param(
        default=False,
        type=["null", "boolean"],
        title="Plan only",
        description="Say in the report what the run would cost, and buy nothing.",
        **MONEY,
    ),
    "budget_usd": Param(
        None,
        type=["null", "number"],
        minimum=0,
        maximum=MAX_BUDGET_USD,
        title="Budget in USD",
        description="Above this forecast a person is asked before anything is bought. Empty: the "
        "spec's budget, if it has one.",
        **MONEY,
    ),
    "requeue": Param(
        [],
        type=["null", "array"],
        items={"type": "string", "enum": REASONS},
        examples=REASONS,
        uniqueItems=True,
        title="Requeue",
        description="Take up again the documents of the spec, whatever the window, that were given "
        "up or skipped for these reasons. It asks anew, and is paid anew.",
        **AGAIN,
    ),
    "reprocess": Param(
        default=False,
        type=["null", "boolean"],
        title="Reprocess",
        description="Ask again about documents of the window that were answered under an older "
        "prompt, model or revision. Try it with plan only first: it tells the cost.",
        **AGAIN,
    ),
}
