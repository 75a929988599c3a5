"""Start a simulator: `python -m include.simulator --port 8765 --db simulator.db`."""

import argparse
import logging
import signal
import threading
from pathlib import Path
from typing import get_args

from include.simulator.options import AnswerMode, Options
from include.simulator.server import DEFAULT_HOST, SimulatorServer


def main() -> None:
    """Serve until a signal ends it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    arguments = _parser().parse_args()
    options = Options(
        database=arguments.db,
        seed=arguments.seed,
        latency_seconds=arguments.latency,
        cancel_seconds=arguments.cancel_latency,
        answers=arguments.answers,
        cache_hit_rate=arguments.cache_hit_rate,
        requests_per_minute=arguments.requests_per_minute,
        queue_limit=arguments.queue_limit,
        max_body_bytes=arguments.max_body_bytes,
        results_base=arguments.results_base,
        conformance=arguments.conformance,
    )
    with SimulatorServer(options, arguments.port, host=arguments.host) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            # From another thread, because shutdown() waits for the loop that this one runs.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"listening on {server.base_url}", flush=True)  # noqa: T201 - who starts it reads this
        server.serve_forever(poll_interval=0.1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.simulator",
        description="A Message Batches server. GET / shows what it holds.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add, default = parser.add_argument, Options(database=Path("simulator.db"))
    add("--host", default=DEFAULT_HOST, help="the address to listen at")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--db", type=Path, default=default.database, help="SQLite file; bodies lie beside it")
    add("--seed", type=int, default=default.seed, help="changes answers, order and who is hit")
    add("--latency", type=float, default=default.latency_seconds, help="seconds a batch takes")
    add(
        "--cancel-latency",
        type=float,
        default=default.cancel_seconds,
        help="seconds a batch stays canceling",
    )
    add(
        "--answers",
        choices=get_args(AnswerMode),
        default=default.answers,
        help="read the documents, or only fill the schema, which costs next to nothing",
    )
    add(
        "--cache-hit-rate",
        type=float,
        default=default.cache_hit_rate,
        help="share of requests that find a cached prefix, where they ask for one",
    )
    add(
        "--requests-per-minute",
        type=int,
        default=default.requests_per_minute,
        help="calls of the batch endpoints in a workspace",
    )
    add(
        "--queue-limit",
        type=int,
        default=default.queue_limit,
        help="requests of unfinished batches in a workspace",
    )
    add("--max-body-bytes", type=int, default=default.max_body_bytes, help="above it: 413")
    add("--results-base", help="origin of results_url; that of the request if not given")
    add("--conformance", action="store_true", help="answer the fixed ids of the SDK's own tests")
    return parser


if __name__ == "__main__":
    main()
