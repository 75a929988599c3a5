"""What goes wrong: every fault is a step of the night, a moment, and the harm that is done."""

from dataclasses import dataclass
from typing import Literal

from tests.chaos.fault_proxy import Moment
from tests.chaos.steps import STEPS

Harm = Literal[
    "kill worker",
    "kill worker a moment later",
    "cut line",
    "answer 500",
    "kill server",
    "freeze worker",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; the table in `FAULTS` is all that there is to extend."""

    harm: Harm
    moment: Moment
    step: str
    skip: int = 0
    """How many such steps pass first."""
    in_retry_round: bool = False
    """Every answer is cut off at first, so that a retry round asks again."""

    @property
    def name(self) -> str:
        where = ", in the retry round" if self.in_retry_round else ""
        return f"{self.harm} {self.moment} {self.step}{where}"


KILLS = [
    Fault("kill worker", moment, step)
    for step in STEPS
    if "retr" not in step
    for moment in ("before", "after")
]
LOST_ANSWERS = [
    Fault("cut line", "after", step) for step in STEPS if "retr" not in step and "read" not in step
]
CUTS = [
    Fault("cut line", "before", step)
    for step in (
        "purchase is decided",
        "batches are listed",
        "intent is written",
        "batch is created",
        "entry is submitted",
        "results are downloaded",
        "entry is collected",
        "entry is loaded",
    )
]
ERRORS = [
    Fault("answer 500", moment, step)
    for step in (
        "purchase is decided",
        "intent is written",
        "batches are listed",
        "batch is created",
        "batch is retrieved",
        "results are downloaded",
    )
    for moment in ("before", "after")
]
SERVERS = [
    Fault("kill server", moment, step)
    for step in (
        "entry is planned",
        "purchase is decided",
        "intent is written",
        "batch is created",
        "batch is claimed",
        "results are downloaded",
        "entry is collected",
        "entry is loaded",
    )
    for moment in ("before", "after")
]
ZOMBIES = [
    Fault("freeze worker", moment, step)
    for step, moments in (
        ("entry is planned", ("before", "after")),
        ("purchase is decided", ("before", "after")),
        ("entry is approved", ("before", "after")),
        ("batches are listed", ("before", "after")),
        ("intent is written", ("before", "after")),
        ("batch is created", ("after",)),
        ("batch is claimed", ("before", "after")),
        ("entry is submitted", ("before", "after")),
        ("results are downloaded", ("after",)),
        ("entry is collected", ("before", "after")),
        ("entry is loaded", ("before", "after")),
        ("entry is closed", ("before", "after")),
    )
    for moment in moments
]
"""Another run does the whole night while a worker stands still.

Not before "batch is created": a worker that stands still between its look at the clock and its POST
for longer than a lost POST is looked for is the one window that cannot be closed.
"""
LOADS = [Fault("kill worker a moment later", "after", "enrichments are read by the load")]
RETRY_ROUND = [
    Fault("kill worker", moment, step, skip=skip, in_retry_round=True)
    for step, skip in (
        ("pointer to the retries is written", 0),
        ("request ids are written", 1),
        ("entry is planned", 1),
        ("plan of a retry round is written", 0),
        ("intent is written", 1),
        ("batch is created", 1),
        ("entry is submitted", 1),
        ("entry is collected", 1),
        ("entry is loaded", 1),
    )
    for moment in ("before", "after")
]
FAULTS = [
    *KILLS,
    *LOST_ANSWERS,
    *CUTS,
    *ERRORS,
    *SERVERS,
    *ZOMBIES,
    *LOADS,
    *RETRY_ROUND,
]
SHORT = [
    Fault("kill worker", "after", "purchase is decided"),
    Fault("kill worker", "after", "batch is created"),
    Fault("kill worker a moment later", "after", "enrichments are read by the load"),
    Fault("kill worker", "before", "entry is loaded"),
    Fault("cut line", "after", "intent is written"),
    Fault("cut line", "after", "batch is created"),
    Fault("kill server", "after", "batch is created"),
    Fault("freeze worker", "before", "purchase is decided"),
    Fault("freeze worker", "after", "intent is written"),
    Fault("kill worker", "after", "batch is created", skip=1, in_retry_round=True),
]
"""Of every kind the one that hurts most; they run with all other tests."""
