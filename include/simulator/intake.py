"""Turn the body of a create into items, and refuse what the API refuses at once."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from include.simulator import caching, fates, tokens
from include.simulator.errors import refuse
from include.simulator.fault_box import RequestRules
from include.simulator.scanner import BodyScanner, SkeletonTooLargeError
from include.simulator.store import Item
from include.simulator.validation import MAX_REQUESTS, RequestFrames

_NOT_JSON = "The request body is not valid JSON: {}"


@dataclass(frozen=True)
class Terms:
    """Everything besides the requests themselves that decides what becomes of them."""

    batch_id: str
    api_version: str
    seed: int
    latency_seconds: float
    rules: RequestRules
    cache_hit_rate: float


def read_items(body: IO[bytes], terms: Terms, write_line: Callable[[bytes], Any]) -> list[Item]:
    """Return the items of a body, and write its requests out one by one.

    Raises:
        ApiError: The API refuses the body; what was written is to be thrown away.
    """
    scanner, frames, problem = BodyScanner(body), RequestFrames(), None
    builder = _ItemBuilder(terms)
    items: list[Item] = []
    for position, request in enumerate(_decoded(scanner)):
        problem = problem or frames.problem(position, request)
        if problem is None and position < MAX_REQUESTS:
            write_line(msgspec.json.encode(request) + b"\n")
            items.append(builder.build(position, request))
    _check_skeleton(bytes(scanner.skeleton))
    if problem:
        refuse(400, problem)
    return items


def _decoded(scanner: BodyScanner) -> Iterator[dict[str, Any]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    try:
        for raw in scanner:
            yield decoder.decode(raw)
    except msgspec.DecodeError as error:
        refuse(400, _NOT_JSON.format(error))
    except SkeletonTooLargeError as error:
        refuse(413, str(error))


def _check_skeleton(skeleton: bytes) -> None:
    """Check what lies around the requests: syntax, keys and their number."""
    try:
        body = msgspec.json.decode(skeleton)
    except msgspec.DecodeError as error:
        refuse(400, _NOT_JSON.format(error))
    if not isinstance(body, dict):
        refuse(400, "Input should be an object")
    for name in sorted(body.keys() - {"requests"}):
        refuse(400, f"{name}: Extra inputs are not permitted")
    if "requests" not in body:
        refuse(400, "requests: Field required")
    _check_requests(body["requests"])


def _check_requests(requests: Any) -> None:
    if not isinstance(requests, list):
        refuse(400, "requests: Input should be a valid array")
    if not 1 <= len(requests) <= MAX_REQUESTS:
        refuse(400, f"requests: List should have 1 to {MAX_REQUESTS} items, not {len(requests)}")
    for position, stand_in in enumerate(requests):
        if stand_in != 0:
            refuse(400, f"requests.{position}: Input should be an object")


class _ItemBuilder:
    """Decides about one request after the other."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        # Random in the batch, because the same request takes another time in another batch.
        self._random = random.Random(f"{terms.seed}:{terms.batch_id}")  # noqa: S311 - no secret
        self._encoder = msgspec.json.Encoder(order="sorted")

    def build(self, position: int, request: dict[str, Any]) -> Item:
        custom_id, params, terms = request["custom_id"], request["params"], self._terms
        fault = terms.rules.match(custom_id, terms.seed)
        fate = fates.decide(
            params,
            fault,
            api_version=terms.api_version,
            is_cache_hit=caching.is_hit(custom_id, seed=terms.seed, hit_rate=terms.cache_hit_rate),
        )
        question = self._encoder.encode(caching.without_marks(params))
        return Item(
            position=position,
            custom_id=custom_id,
            prompt_digest=hashlib.sha256(question).digest()[:16],
            model=str(params.get("model")),
            input_tokens=tokens.input_tokens(params),
            finish_seconds=self._random.random() * terms.latency_seconds,
            result_type=fate.result_type,
            fate=msgspec.json.encode(fate).decode(),
            is_charged=fate.is_charged,
        )
