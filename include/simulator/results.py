"""The result lines of an ended batch: written once, read as often as wanted."""

import random
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from include.simulator import batches, messages
from include.simulator.answers import Answerer
from include.simulator.archive import Archive
from include.simulator.batches import Batch
from include.simulator.fates import Fate
from include.simulator.store import Store

_SHUFFLE_LINES = 1_000


class Results:
    """Answers the requests of ended batches."""

    def __init__(self, store: Store, archive: Archive, answerer: Answerer, seed: int) -> None:
        self._store = store
        self._archive = archive
        self._answerer = answerer
        self._seed = seed

    def lines(self, batch: Batch) -> Iterator[bytes]:
        """Yield the lines in an order of their own, the same in every download.

        The first download writes them down on the way, so that a second costs nothing.
        """
        name = results_name(batch)
        if self._archive.exists(name):
            return self._archive.lines(name)
        return self._written(batch, name)

    def ensure_written(self, batch: Batch) -> None:
        """Answer the whole batch, if nobody has downloaded it yet."""
        if not self._archive.exists(results_name(batch)):
            for _ in self.lines(batch):
                """Writing them down is all that is wanted."""

    def _written(self, batch: Batch, name: str) -> Iterator[bytes]:
        output_tokens: list[tuple[int, int]] = []
        order = random.Random(f"{self._seed}:{batch.batch_id}")  # noqa: S311 - no secret
        with self._archive.writer(name) as out:
            for line in shuffled(self._answered(batch, output_tokens), order):
                out.write(line)
                yield line
            self._store.write_output_tokens(batch, output_tokens)

    def _answered(self, batch: Batch, output_tokens: list[tuple[int, int]]) -> Iterator[bytes]:
        """Answer the requests in the order of the body, and note what the answers cost."""
        requests = self._archive.lines(body_name(batch.batch_id))
        for request, item in zip(requests, self._store.items(batch), strict=True):
            result = self._result(batch, msgspec.json.decode(request), item)
            if result["type"] == "succeeded":
                tokens = result["message"]["usage"]["output_tokens"]
                output_tokens.append((tokens, item["position"]))
            line = {"custom_id": item["custom_id"], "result": result}
            yield msgspec.json.encode(line) + b"\n"

    def _result(self, batch: Batch, request: dict[str, Any], item: sqlite3.Row) -> dict[str, Any]:
        result_type = batches.outcome(
            batch, finish_seconds=item["finish_seconds"], result_type=item["result_type"]
        )
        fate = msgspec.json.decode(item["fate"], type=Fate)
        if result_type == "errored":
            error = {"type": fate.error_type, "message": fate.message}
            return {
                "type": "errored",
                "error": {"type": "error", "error": error, "request_id": None},
            }
        if result_type != "succeeded":
            return {"type": result_type}
        message = messages.build_message(
            request["params"],
            fate,
            answerer=self._answerer,
            message_id=messages.message_id(self._seed, batch.batch_id, item["custom_id"]),
            service_tier="batch",
        )
        return {"type": "succeeded", "message": message}


def body_name(batch_id: str) -> str:
    """Return the name of the file that holds the requests of a batch."""
    return f"{batch_id}.requests.jsonl"


def results_name(batch: Batch) -> str:
    """Return the name of the file that holds the results of a batch."""
    return f"{batch.batch_id}.results.jsonl"


def shuffled(lines: Iterable[bytes], order: random.Random) -> Iterator[bytes]:
    """Yield the lines in another order, holding a bounded number of them."""
    held: list[bytes] = []
    for line in lines:
        if len(held) < _SHUFFLE_LINES:
            held.append(line)
            continue
        place = order.randrange(_SHUFFLE_LINES)
        yield held[place]
        held[place] = line
    order.shuffle(held)
    yield from held
