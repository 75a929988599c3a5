"""The plain SDK, as its documentation suggests it: submit, poll, read the results, one table."""

import json
import time
from pathlib import Path

import anthropic
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.peers import asking
from tests.benchmarks.peers.jobs import PeerJob


def ask(job: PeerJob, texts: list[str]) -> int:
    """Ask about all texts in one batch, and write the answers to Parquet."""
    client = anthropic.Anthropic(timeout=3_600)
    batch = client.messages.batches.create(
        requests=[
            {
                "custom_id": f"document-{number}",
                "params": {
                    "model": asking.MODEL,
                    "max_tokens": asking.MAX_TOKENS,
                    "system": asking.QUESTION,
                    "messages": [{"role": "user", "content": text}],
                    "output_config": {
                        "format": {
                            "type": "json_schema",
                            "schema": asking.Answer.model_json_schema(),
                        }
                    },
                },
            }
            for number, text in enumerate(texts)
        ]
    )
    while batch.processing_status != "ended":
        time.sleep(asking.POLL_SECONDS)
        batch = client.messages.batches.retrieve(batch.id)
    rows = []
    for line in client.messages.batches.results(batch.id):
        if line.result.type == "succeeded":
            (block,) = line.result.message.content
            assert block.type == "text"
            rows.append({"id": line.custom_id, **json.loads(block.text)})
    pq.write_table(pa.Table.from_pylist(rows), Path(job.folder, "answers.parquet"))
    return len(rows)


if __name__ == "__main__":
    asking.run(ask)
