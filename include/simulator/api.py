"""Which call is which operation, and what every call must bring along."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import msgspec

from include.simulator import batches_api, conformance, messages_api
from include.simulator.errors import ApiError, refuse
from include.simulator.exchange import Call, Reply, json_reply
from include.simulator.faults import CALL_KINDS, Fault, Operation
from include.simulator.world import World

_BATCHES = "/v1/messages/batches"
_ONE = f"{_BATCHES}/([^/]+)"
Endpoint = Callable[[World, Call, str], Reply]
_ROUTES: tuple[tuple[str, str, Operation, Endpoint], ...] = (
    ("POST", _BATCHES, "create", batches_api.create),
    ("GET", _BATCHES, "list", batches_api.list_batches),
    ("GET", _ONE, "retrieve", batches_api.retrieve),
    ("DELETE", _ONE, "delete", batches_api.delete),
    ("POST", f"{_ONE}/cancel", "cancel", batches_api.cancel),
    ("GET", f"{_ONE}/results", "results", batches_api.results),
    ("POST", "/v1/messages", "messages", messages_api.create_message),
    ("POST", "/v1/messages/count_tokens", "count_tokens", messages_api.count_tokens),
    ("GET", "/v1/models", "models", messages_api.list_models),
    ("GET", "/v1/models/([^/]+)", "models", messages_api.retrieve_model),
)


def answer(world: World, call: Call) -> Reply:
    """Answer one call of the API, unless a fault is in the way."""
    world.store.log_call(call)
    try:
        operation, endpoint, argument = _route(call)
    except ApiError as error:
        return error_reply(error, call)

    def execute() -> Reply:
        try:
            return _execute(world, call, operation, endpoint, argument)
        except ApiError as error:
            return error_reply(error, call)

    fault = world.faults.take_one(operation, CALL_KINDS)
    return _struck(fault, call, execute) if fault else execute()


def error_reply(error: ApiError, call: Call) -> Reply:
    """Return an error in the API's envelope."""
    return json_reply(error.envelope(call.request_id), error.status, error.headers)


def workspace_of(key: str) -> str:
    """Return the workspace that a key belongs to; every key has its own."""
    return f"wrkspc_01{hashlib.sha256(key.encode()).hexdigest()[:22]}" if key else ""


def _route(call: Call) -> tuple[Operation, Endpoint, str]:
    for method, pattern, operation, endpoint in _ROUTES:
        match = re.fullmatch(pattern, call.path)
        if match and method == call.method:
            return operation, endpoint, "".join(match.groups())
    return refuse(404, f"{call.method} {call.path} is not an endpoint of the simulator")


def _execute(
    world: World, call: Call, operation: Operation, endpoint: Endpoint, argument: str
) -> Reply:
    _check_access(call)
    now = world.store.now()
    if call.path.startswith(_BATCHES):
        world.rate_limit.check(call.workspace, now)
    world.store.settle(now)
    conformance.prepare(world, operation, call, argument)
    try:
        return endpoint(world, call, argument)
    except msgspec.DecodeError as error:
        refuse(400, f"The request body is not valid JSON: {error}")


def _check_access(call: Call) -> None:
    if not call.workspace:
        refuse(401, "invalid x-api-key")
    if "anthropic-version" not in call.headers:
        refuse(400, "anthropic-version: header is required")


def _struck(fault: Fault, call: Call, execute: Callable[[], Reply]) -> Reply:
    """Return what a fault makes of a call."""
    silence = Reply(is_silent=True, ending="reset")
    match fault.kind:
        case "reset_before":
            return silence
        case "hang":
            return replace(silence, delay_seconds=fault.seconds)
        case "reset_after":
            execute()
            return silence
        case "slow_after":
            return replace(execute(), delay_seconds=fault.seconds)
        case "html":
            return _html_error(fault)
        case _:
            error = ApiError(
                fault.code,
                fault.message,
                error_type=fault.error_type,
                error_code=fault.error_code,
                headers=fault.headers,
            )
            return error_reply(error, call)


def _html_error(fault: Fault) -> Reply:
    """Return the page of a proxy that never asked the API."""
    page = f"<html><head><title>{fault.code}</title></head><body>cloudflare</body></html>"
    return Reply(fault.code, page.encode(), "text/html; charset=UTF-8", fault.headers)
