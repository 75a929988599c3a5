"""The six operations of the Message Batches API."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from include.simulator import batches, intake
from include.simulator.batches import Batch
from include.simulator.damage import download
from include.simulator.errors import refuse
from include.simulator.exchange import Call, Reply, json_reply
from include.simulator.faults import DOWNLOAD_KINDS, LIFECYCLE_KINDS
from include.simulator.intake import Terms
from include.simulator.pagination import cut_page, page, read_cursor
from include.simulator.results import body_name
from include.simulator.store import Item, QueueFullError
from include.simulator.world import World

_QUEUE_RETRY_SECONDS = "60"
_NEVER_SECONDS = 1e9


def create(world: World, call: Call, _: str = "") -> Reply:
    """Accept a batch; it is on disk before this returns."""
    latency_seconds, lag_seconds = _lifecycle(world)
    terms = Terms(
        batch_id=f"msgbatch_01{secrets.token_hex(11)}",
        api_version=call.headers["anthropic-version"],
        seed=world.options.seed,
        latency_seconds=latency_seconds,
        rules=world.faults.rules(),
        cache_hit_rate=world.cache_hit_rate,
    )
    with world.archive.writer(body_name(terms.batch_id)) as out:
        items = intake.read_items(call.body, terms, out.write)
    now = world.store.now()
    batch = Batch(
        number=0,
        batch_id=terms.batch_id,
        workspace=call.workspace,
        request_count=len(items),
        created_at=now,
        visible_at=now + lag_seconds,
        done_at=now + latency_seconds,
        due_at=batches.due_at(now, now + latency_seconds),
        body_bytes=call.body_bytes,
        body_sha256=call.body_sha256,
    )
    _accept(world, batch, items)
    world.faults.count_hits(terms.rules)
    return _shown(world, call, batch)


def _lifecycle(world: World) -> tuple[float, float]:
    """Return how long the next batch takes, and how long no listing shows it."""
    faults = {fault.kind: fault for fault in world.faults.take("create", LIFECYCLE_KINDS)}
    latency_seconds = world.options.latency_seconds
    if "latency" in faults:
        latency_seconds = faults["latency"].seconds
    if "never_end" in faults:
        latency_seconds = _NEVER_SECONDS
    return latency_seconds, faults["list_lag"].seconds if "list_lag" in faults else 0.0


def _accept(world: World, batch: Batch, items: Sequence[Item]) -> None:
    try:
        world.store.add_batch(batch, items, queue_limit=world.options.queue_limit)
    except QueueFullError as error:
        world.archive.remove(body_name(batch.batch_id))
        refuse(429, str(error), headers={"retry-after": _QUEUE_RETRY_SECONDS})


def list_batches(world: World, call: Call, _: str = "") -> Reply:
    """Show one page of the workspace's batches, newest first."""
    cursor = read_cursor(call.query, is_lenient=world.options.conformance)
    visible = world.store.batches(
        "workspace = ? AND visible_at <= ? AND deleted_at IS NULL ORDER BY number DESC",
        (call.workspace, world.store.now()),
    )
    shown, has_more = cut_page([batch.batch_id for batch in visible], cursor)
    data = [_rendered(world, call, batch) for batch in visible[shown]]
    return json_reply(page(data, has_more=has_more))


def retrieve(world: World, call: Call, batch_id: str) -> Reply:
    """Show one batch."""
    return _shown(world, call, _found(world, call, batch_id))


def cancel(world: World, call: Call, batch_id: str) -> Reply:
    """Begin to cancel a batch."""
    now, slow = world.store.now(), world.faults.take_one("cancel", {"slow_cancel"})
    grace_seconds = slow.seconds if slow else world.options.cancel_seconds

    def change(batch: Batch) -> Batch:
        if batch.ended_at is not None:
            # [INFER] The status is not documented.
            refuse(400, f"Batch {batch_id} has already ended and cannot be canceled")
        return batches.cancel(batch, now=now, grace_seconds=grace_seconds)

    return _shown(world, call, _changed(world, call, batch_id, change))


def delete(world: World, call: Call, batch_id: str) -> Reply:
    """Make an ended batch disappear; only the bill remembers it."""
    now = world.store.now()

    def change(batch: Batch) -> Batch:
        if batch.ended_at is None:
            # [INFER] The status is not documented.
            refuse(400, f"Batch {batch_id} has not ended and cannot be deleted")
        return replace(batch, deleted_at=now)

    _changed(world, call, batch_id, change)
    return json_reply({"id": batch_id, "type": "message_batch_deleted"})


def results(world: World, call: Call, batch_id: str) -> Reply:
    """Stream the results of an ended batch."""
    batch = _found(world, call, batch_id)
    if batch.ended_at is None or world.store.now() >= batch.archives_at:
        # [INFER] The status is not documented.
        refuse(404, f"Batch {batch_id} has no results")
    faults = world.faults.take("results", DOWNLOAD_KINDS)
    return download(lambda: world.results.lines(batch), batch.request_count, faults)


def _found(world: World, call: Call, batch_id: str) -> Batch:
    return world.store.batch(batch_id, call.workspace) or _refuse_unknown(batch_id)


def _changed(world: World, call: Call, batch_id: str, change: Callable[[Batch], Batch]) -> Batch:
    batch = world.store.change_batch(batch_id, call.workspace, change)
    return batch or _refuse_unknown(batch_id)


def _refuse_unknown(batch_id: str) -> NoReturn:
    refuse(404, f"Batch {batch_id} was not found")


def _shown(world: World, call: Call, batch: Batch) -> Reply:
    return json_reply(_rendered(world, call, batch))


def _rendered(world: World, call: Call, batch: Batch) -> dict[str, object]:
    origin = world.options.results_base or f"http://{call.headers.get('host', '127.0.0.1')}"
    return batches.render(batch, now=world.store.now(), origin=origin)
