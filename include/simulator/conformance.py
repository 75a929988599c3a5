"""What the SDK's own tests take for granted: one fixed id that is always in the right state."""

from dataclasses import replace

from include.simulator.batches import Batch
from include.simulator.exchange import Call
from include.simulator.faults import Operation
from include.simulator.world import World

FIXED_ID = "message_batch_id"


def prepare(world: World, operation: Operation, call: Call, batch_id: str) -> None:
    """Put the fixed batch into the state that the operation needs; other ids are left alone."""
    if not world.options.conformance or batch_id != FIXED_ID:
        return
    now = world.store.now()
    batch = _fresh(call, now)
    if operation == "delete":
        batch = replace(batch, ended_at=now)
    world.store.replace_batch(batch)


def _fresh(call: Call, now: float) -> Batch:
    return Batch(
        number=0,
        batch_id=FIXED_ID,
        workspace=call.workspace,
        request_count=0,
        created_at=now,
        visible_at=now,
        done_at=now + 3_600,
        due_at=now + 3_600,
        body_bytes=0,
        body_sha256="",
    )
