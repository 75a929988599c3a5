"""The named steps of a night: which request, to the store or to the API, is which."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from tests.chaos.fault_proxy import Call

Server = Literal["store", "api"]


@dataclass(frozen=True, slots=True)
class Step:
    """One durable step of a night."""

    name: str
    server: Server
    is_call: Callable[[Call], bool]


def _path(call: Call) -> str:
    return unquote(urlsplit(call.target).path)


def put(name: str, pattern: str) -> Step:
    """Return the step that writes a key."""
    return Step(
        name,
        "store",
        lambda call: call.method == "PUT" and re.search(pattern, _path(call)) is not None,
    )


def get(name: str, pattern: str) -> Step:
    """Return the step that reads a key."""
    return Step(
        name,
        "store",
        lambda call: call.method == "GET" and re.search(pattern, _path(call)) is not None,
    )


def ask(name: str, method: str, pattern: str) -> Step:
    """Return the step that asks the API."""
    return Step(
        name,
        "api",
        lambda call: call.method == method and re.search(pattern, _path(call)) is not None,
    )


def entry(name: str, is_it: Callable[[dict[str, Any]], bool]) -> Step:
    """Return the step that moves the entry of a shard."""

    def is_call(call: Call) -> bool:
        if call.method != "PUT" or not re.search(r"/ledger/\w+/[0-9a-f]+-\d+\.json$", _path(call)):
            return False
        return is_it(_record(call))

    return Step(name, "store", is_call)


def opened(name: str, is_it: Callable[[dict[str, Any]], bool]) -> Step:
    """Return the step that changes `open.json`."""

    def is_call(call: Call) -> bool:
        if call.method != "PUT" or not _path(call).endswith("/open.json"):
            return False
        return is_it(_record(call))

    return Step(name, "store", is_call)


def _record(call: Call) -> dict[str, Any]:
    """Return the JSON of a body; clients may send it in signed chunks."""
    start, end = call.body.index(b"{"), call.body.rindex(b"}")
    record: dict[str, Any] = json.loads(call.body[start : end + 1])
    return record


def _in_state(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda record: record["state"] == state and not _was_approved_only(record)


def _was_approved_only(record: dict[str, Any]) -> bool:
    return record["state"] == "planned" and bool(record["approved_by"])


STEPS = {
    step.name: step
    for step in (
        put("run's spec is kept", r"/spec\.json$"),
        put("slice of the listing is written", r"/listing/[^/]+\.parquet$"),
        put("listing is written", r"/listing/manifest\.json$"),
        put("segment is written", r"/requests/[^/]+\.jsonl\.zst$"),
        put("index is written", r"/requests/[^/]+\.parquet$"),
        put("known requests are written", r"/known-0\.parquet$"),
        put("request ids are written", r"/request_ids-[^/]+\.parquet$"),
        put("answer schema is written", r"/schema\.json$"),
        entry("entry is planned", _in_state("planned")),
        opened(
            "purchase is decided",
            lambda record: record["plan_number"] > 0 and record["loaded_count"] == 0,
        ),
        put("plan is written", r"/plan\.json$"),
        entry("entry is approved", _was_approved_only),
        ask("batches are listed", "GET", r"/v1/messages/batches$"),
        entry("intent is written", _in_state("intent")),
        ask("batch is created", "POST", r"/v1/messages/batches$"),
        put("batch is claimed", r"/ledger/batches/"),
        entry("entry is submitted", _in_state("submitted")),
        ask("batch is retrieved", "GET", r"/v1/messages/batches/[^/]+$"),
        entry("entry is ended", _in_state("ended")),
        get("request ids are read", r"/request_ids-[^/]+\.parquet$"),
        ask("results are downloaded", "GET", r"/v1/messages/batches/[^/]+/results$"),
        put("raw results are kept", r"/results-[^/]+\.jsonl\.zst$"),
        put("enrichments are written", r"/enrichments-[^/]+\.parquet$"),
        put("failures are written", r"/failures-[^/]+\.parquet$"),
        entry("entry is collected", _in_state("collected")),
        get("enrichments are read by the load", r"/enrichments-[^/]+\.parquet$"),
        entry("entry is loaded", _in_state("loaded")),
        opened("entry is closed", lambda record: record["loaded_count"] > 0),
        put("pointer to the retries is written", r"/retry\.json$"),
        put("plan of a retry round is written", r"/plan-1\.json$"),
        put("report is written", r"/report\.json$"),
    )
}
