"""Every fault, one at a time: the night heals, loses nothing, and pays once."""

import os
import signal
import threading

import pytest

from tests.chaos.fault_proxy import (
    Call,
    CutError,
    Damage,
    Trap,
    cut,
    freeze_client,
    kill_client,
    pid_of,
    refuse,
)
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.steps import STEPS
from tests.chaos.table import Row
from tests.chaos.world import TEXTS, World

pytestmark = pytest.mark.integration

A_MOMENT_SECONDS = 0.1
"""About when the warehouse's transaction is open."""
CUT_OFF = {"kind": "max_tokens", "rate": 1.0, "times": 1}


def test_each_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40


def test_night_heals(world: World, fault: Fault, table: list[Row]) -> None:
    world.upload(TEXTS)
    if fault.in_retry_round:
        world.simulator.set_faults(CUT_OFF)
    step = STEPS[fault.step]
    trap = Trap(step.is_call, fault.moment, damage_of(fault, world), skip=fault.skip)
    world.proxies[step.server].trap = trap

    healed = world.heal(world.scheduler(jump=fault.harm != "freeze worker"))

    assert trap.sprung == 1, "the step was never reached"
    table.append(Row(fault.name, trap.sprung, healed))
    assert (healed.lost, healed.bought_twice, healed.changed_tables) == (0, 0, 0)


def damage_of(fault: Fault, world: World) -> Damage:
    if fault.harm == "freeze worker":
        return freeze_client(lambda: run_another(world))
    if fault.harm == "kill server":
        return kill_server(world, STEPS[fault.step].server)
    return {
        "kill worker": kill_client,
        "kill worker a moment later": kill_later,
        "cut line": cut,
        "answer 500": refuse(500),
    }[fault.harm]


def run_another(world: World) -> None:
    another = world.scheduler(run_id="manual__another", jump=False)
    assert another.run_night(), another.complaints


def kill_server(world: World, server: str) -> Damage:
    def kill(call: Call) -> None:
        if server == "store":
            world.store.restart_killed()
        else:
            world.restart_killed_simulator()
        raise CutError

    return kill


def kill_later(call: Call) -> None:
    threading.Timer(A_MOMENT_SECONDS, os.kill, (pid_of(call), signal.SIGKILL)).start()
