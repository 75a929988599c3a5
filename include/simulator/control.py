"""The control plane: look inside, move the clock, set faults, start anew."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from include.simulator import batches
from include.simulator.bill import answer_all, bill
from include.simulator.errors import ApiError, refuse
from include.simulator.exchange import Call, Reply, json_reply
from include.simulator.faults import Fault
from include.simulator.page import render_page
from include.simulator.world import World

_MAX_CALLS = 1_000
Endpoint = Callable[[World, Call], Reply]


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How far the clock moves; it never moves back."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class _Caching(msgspec.Struct, forbid_unknown_fields=True):
    """How much of what could be cached is found in the cache."""

    hit_rate: Annotated[float, msgspec.Meta(ge=0, le=1)]


def answer(world: World, call: Call) -> Reply:
    """Answer one call of the control plane."""
    try:
        endpoint = _ROUTES.get((call.method, call.path.rstrip("/")))
        if endpoint is None:
            refuse(404, f"{call.method} {call.path} is not here; GET / tells what is")
        world.store.settle(world.store.now())
        return endpoint(world, call)
    except msgspec.DecodeError as error:
        refusal = ApiError(400, str(error))
    except ApiError as error:
        refusal = error
    return json_reply(refusal.envelope(call.request_id), refusal.status)


def _page(world: World, call: Call) -> Reply:
    html = render_page(world, base_url=f"http://{call.headers.get('host', '127.0.0.1')}")
    return Reply(200, html.encode(), "text/html; charset=utf-8")


def _state(world: World, _: Call) -> Reply:
    now = world.store.now()
    known = world.store.batches("TRUE ORDER BY number DESC")
    return json_reply(
        {
            "now": batches.timestamp(now),
            "batches": [_shown(batch, now) for batch in known],
            "calls": world.store.calls(_MAX_CALLS),
            "faults": world.faults.remaining(),
        }
    )


def _shown(batch: batches.Batch, now: float) -> dict[str, Any]:
    return batches.render(batch, now=now, origin="") | {
        "workspace": batch.workspace,
        "deleted_at": batches.timestamp(batch.deleted_at),
        "body_bytes": batch.body_bytes,
        "body_sha256": batch.body_sha256,
    }


def _bill(world: World, _: Call) -> Reply:
    answer_all(world)
    return json_reply(bill(world.store))


def _advance(world: World, call: Call) -> Reply:
    world.store.advance(call.json(_Advance).seconds)
    now = world.store.now()
    world.store.settle(now)
    return json_reply({"now": batches.timestamp(now)})


def _caching(world: World, call: Call) -> Reply:
    world.store.write_setting("cache_hit_rate", call.json(_Caching).hit_rate)
    return json_reply({"hit_rate": world.cache_hit_rate})


def _faults(world: World, _: Call) -> Reply:
    return json_reply(world.faults.remaining())


def _add_faults(world: World, call: Call) -> Reply:
    world.faults.add(call.json(list[Fault]))
    return _faults(world, call)


def _clear_faults(world: World, call: Call) -> Reply:
    world.faults.clear()
    return _faults(world, call)


def _reset(world: World, _: Call) -> Reply:
    world.reset()
    return json_reply({})


_ROUTES: dict[tuple[str, str], Endpoint] = {
    ("GET", ""): _page,
    ("GET", "/_sim"): _page,
    ("GET", "/_sim/state"): _state,
    ("GET", "/_sim/bill"): _bill,
    ("GET", "/_sim/faults"): _faults,
    ("POST", "/_sim/faults"): _add_faults,
    ("DELETE", "/_sim/faults"): _clear_faults,
    ("POST", "/_sim/advance"): _advance,
    ("POST", "/_sim/caching"): _caching,
    ("POST", "/_sim/reset"): _reset,
}
