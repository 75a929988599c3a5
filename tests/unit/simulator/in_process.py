"""A simulator without a socket: calls go straight to the API."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

from include.simulator import api, control
from include.simulator.exchange import Call, Reply
from include.simulator.options import Options
from include.simulator.world import World, open_world

BATCHES = "/v1/messages/batches"


class InProcessSimulator:
    """One simulator whose batches take ten minutes of its own clock."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.options = Options(
            database=folder / "simulator.db",
            **({"latency_seconds": 600, "cancel_seconds": 60, "answers": "instant"} | options),
        )
        self.world: World = open_world(self.options)

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "test", **query: Any
    ) -> Reply:
        content = b"" if body is None else json.dumps(body).encode()
        call = Call(
            method=method,
            path=path,
            query={name: str(value) for name, value in query.items()},
            headers={"anthropic-version": "2026-10-21", "host": "simulator"},
            body=io.BytesIO(content),
            body_bytes=len(content),
            body_sha256=hashlib.sha256(content).hexdigest(),
            request_id="req_1",
            workspace=api.workspace_of(key),
        )
        answer = control.answer if path.startswith("/_sim") else api.answer
        return answer(self.world, call)

    def json(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        reply = self.ask(method, path, body, **options)
        assert isinstance(reply.body, bytes)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def create(self, *requests: Any, key: str = "test") -> str:
        return str(self.json("POST", BATCHES, {"requests": list(requests)}, key=key)["id"])

    def results(self, batch_id: str, *, key: str = "test") -> list[Any]:
        reply = self.ask("GET", f"{BATCHES}/{batch_id}/results", key=key)
        assert reply.status == 200
        return [json.loads(line) for line in b"".join(reply.body).splitlines()]

    def advance(self, seconds: float) -> None:
        self.json("POST", "/_sim/advance", {"seconds": seconds})

    def set_fault(self, **fault: Any) -> None:
        self.json("POST", "/_sim/faults", [fault])

    def bill(self) -> Any:
        return self.json("GET", "/_sim/bill")


def make_request(custom_id: str = "one", text: str = "Hello", **changes: Any) -> Any:
    messages = [{"role": "user", "content": text}]
    params = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": messages}
    return {"custom_id": custom_id, "params": params | changes}
