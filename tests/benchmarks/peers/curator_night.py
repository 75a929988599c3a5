"""bespokelabs-curator: a dataset in, a dataset out."""

import os

os.environ |= {"TELEMETRY_ENABLED": "0", "CURATOR_DISABLE_RICH_DISPLAY": "1"}

from bespokelabs import curator  # type: ignore[import-not-found]  # of its own environment
from datasets import Dataset  # type: ignore[import-not-found]

from tests.benchmarks.peers import asking
from tests.benchmarks.peers.jobs import PeerJob


class Describer(curator.LLM):  # type: ignore[misc]
    """Asks about a text, and takes the answer as it is: as JSON it is not always read."""

    def prompt(self, row: dict[str, str]) -> str:
        return f"{asking.QUESTION}\n\n{row['text']}"

    def parse(self, row: dict[str, str], response: str) -> dict[str, str]:
        return {"answer": response}


def ask(job: PeerJob, texts: list[str]) -> int:
    """Ask about all texts in one batch, and return how many rows come back."""
    describer = Describer(
        model_name=asking.MODEL,
        backend="anthropic",
        batch=True,
        generation_params={"max_tokens": asking.MAX_TOKENS},
        backend_params={
            "base_url": job.simulator_url,
            "batch_size": 100_000,
            "batch_check_interval": asking.POLL_SECONDS,
            "in_mtok_cost": 1,  # it fails on a model whose price it does not know
            "out_mtok_cost": 5,
        },
    )
    found = describer(Dataset.from_dict({"text": texts}), working_dir=job.folder)
    return len(getattr(found, "dataset", found))


if __name__ == "__main__":
    asking.run(ask)
