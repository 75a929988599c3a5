"""Processes of a real Airflow die where it hurts; the night heals by itself, and pays once."""

import datetime as dt

import pytest

from local_stack.airflow_api import Run
from tests.chaos.fault_proxy import Call, Trap, kill_client
from tests.chaos.steps import STEPS
from tests.chaos.table import Healed, Row
from tests.chaos.world import kill_program
from tests.e2e.conftest import Proxies
from tests.e2e.nights import Nights

pytestmark = pytest.mark.e2e

PAST = dt.date(2026, 9, 1)


def upload(nights: Nights, day: dt.date) -> None:
    texts = {f"{day}-{name}.txt": f"About {name} on {day}." for name in ("a", "b")}
    nights.upload(day, texts)


def look(nights: Nights, run: Run, bought: int) -> Healed:
    """Clear the whole run once more, and return what was found."""
    tasks = nights.stack.api.tasks(run.dag_id, run.run_id)
    retried = sorted({task.task_id for task in tasks if task.try_number > 1})
    before = nights.tables()
    assert nights.clear(run, "list_documents").state == "success"
    after = nights.tables()
    return Healed(
        by=", ".join(f"retry of {name}" for name in retried) or "going on",
        lost=2 - list(nights.states(run).values()).count("enriched"),
        bought_twice=nights.bought() - bought - 2,
        changed_tables=sum(before[name] != after[name] for name in after),
    )


def test_worker_killed_after_the_api_accepted_and_before_that_was_recorded(
    nights: Nights, proxies: Proxies, table: list[Row]
) -> None:
    upload(nights, PAST)
    bought, batches = nights.bought(), len(nights.stack.simulator.control("state")["batches"])
    trap = Trap(STEPS["batch is created"].is_call, "after", kill_client)
    proxies["api"].trap = trap

    run = nights.finish(nights.start(PAST))

    assert (run.state, trap.sprung) == ("success", 1)
    assert len(nights.stack.simulator.control("state")["batches"]) == batches + 1
    healed = look(nights, run, bought)
    table.append(Row("Airflow: worker killed after batch is created", 1, healed))
    assert healed == Healed("retry of shard.submit_batch", 0, 0, 0)


@pytest.mark.thorough
def test_scheduler_and_triggerer_killed_while_a_batch_is_recorded(
    nights: Nights, proxies: Proxies, table: list[Row]
) -> None:
    """Their machine is lost, and another takes its place."""
    day = PAST + dt.timedelta(days=1)
    upload(nights, day)
    bought = nights.bought()

    def lose_machine(call: Call) -> None:
        for name in ("scheduler", "triggerer"):
            kill_program(nights.stack.root, name)

    trap = Trap(STEPS["batch is claimed"].is_call, "after", lose_machine)
    proxies["store"].trap = trap
    run = nights.start(day)
    nights.wait_until(lambda: trap.sprung == 1)
    nights.stack.start()

    run = nights.finish(run)

    assert run.state == "success"
    healed = look(nights, run, bought)
    table.append(Row("Airflow: scheduler and triggerer killed as a batch is recorded", 1, healed))
    assert (healed.lost, healed.bought_twice, healed.changed_tables) == (0, 0, 0)
