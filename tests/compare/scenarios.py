"""What is thrown at every competitor, alike."""

from dataclasses import dataclass
from typing import Any, Literal

from tests.chaos.fault_proxy import Damage, Trap, cut, kill_client, refuse
from tests.chaos.steps import STEPS

NIGHT = ("night",)
TWICE = ("night", "same night again")


@dataclass(frozen=True)
class Scenario:
    """One fault, or none, and the runs that meet it."""

    name: str
    moment: Literal["before", "after"] = "after"
    damage: Damage | None = None
    """Done once, to the call that creates a batch."""
    simulator_faults: tuple[dict[str, Any], ...] = ()
    runs: tuple[str, ...] = NIGHT

    def trap(self) -> Trap | None:
        """Return what is to go wrong at the API's door."""
        if self.damage is None:
            return None
        return Trap(STEPS["batch is created"].is_call, self.moment, self.damage)


SCENARIOS = (
    Scenario("nothing goes wrong"),
    Scenario("the answer to create is lost", damage=cut),
    Scenario("create is answered with 500 after it was accepted", damage=refuse(500)),
    Scenario("kill -9 after create was accepted, then a retry", damage=kill_client),
    Scenario("kill -9 before create is sent, then a retry", moment="before", damage=kill_client),
    Scenario("the same night is run again", runs=TWICE),
    Scenario(
        "the result stream ends early at a line's end",
        simulator_faults=({"kind": "cut_at_line", "after_lines": 5, "times": 1},),
    ),
    Scenario("a result line is missing once", simulator_faults=({"kind": "drop_lines"},)),
    Scenario(
        "a fifth of the requests fails once (overloaded)",
        simulator_faults=({"kind": "overloaded", "rate": 0.2, "times": 1},),
    ),
    Scenario(
        "a fifth of the answers is cut off at max_tokens once",
        simulator_faults=({"kind": "max_tokens", "rate": 0.2, "times": 1},),
    ),
)
