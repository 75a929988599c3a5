"""steadybatch: its runner, which keeps what it does in SQLite and checks each answer."""

from pathlib import Path

from steadybatch import Request, Runner  # type: ignore[import-not-found]  # of its own environment
from steadybatch.providers.anthropic_batch import (  # type: ignore[import-not-found]
    AnthropicBatch,
)

from tests.benchmarks.peers import asking
from tests.benchmarks.peers.jobs import PeerJob


def ask(job: PeerJob, texts: list[str]) -> int:
    """Ask about all texts, and return how many answers are valid."""
    runner = Runner(
        AnthropicBatch(),
        asking.MODEL,
        response_schema=asking.Answer.model_json_schema(),
        checkpoint=Path(job.folder, "steadybatch.sqlite"),
        poll_every=asking.POLL_SECONDS,
    )
    requests = [
        Request(
            key=str(number),
            system=asking.QUESTION,
            messages=[{"role": "user", "content": text}],
            max_tokens=asking.MAX_TOKENS,
        )
        for number, text in enumerate(texts)
    ]
    answered: int = runner.run(requests).ok
    return answered


if __name__ == "__main__":
    asking.run(ask)
