"""llm-batch-py: runs of a scheduler's kind, with a cache of results in Parquet."""

import time

import polars as pl  # type: ignore[import-not-found]  # of its own environment
from llm_batch_py import (  # type: ignore[import-not-found]
    AnthropicConfig,
    BatchConfig,
    ResultCacheStoreConfig,
    Runner,
    StructuredOutputJob,
    structured_template,
)

from tests.benchmarks.peers import asking
from tests.benchmarks.peers.jobs import PeerJob


def ask(job: PeerJob, texts: list[str]) -> int:
    """Ask about all texts, run after run, until all have an answer."""
    frame = pl.DataFrame({"id": range(len(texts)), "text": texts})
    enrich = StructuredOutputJob(
        name="enrich",
        key_cols=["id"],
        input_df=frame,
        prompt_builder=structured_template(
            system=asking.QUESTION, messages="{{ row.text }}", name="ask", version="v1"
        ),
        output_model=asking.Answer,
        provider=AnthropicConfig(
            model=asking.MODEL,
            max_output_tokens=asking.MAX_TOKENS,
            timeout=3_600,
            input_token_estimation="skip",
        ),
        result_cache=ResultCacheStoreConfig(root_uri=f"{job.folder}/cache"),
        batch=BatchConfig(batch_size=100_000),
    )
    runner = Runner()
    while True:
        found = runner.run(enrich, metadata_columns=["llm_batch_py_status"])
        answered = int(found["main_topic"].is_not_null().sum())
        if answered == len(texts):
            return answered
        time.sleep(asking.POLL_SECONDS)


if __name__ == "__main__":
    asking.run(ask)
