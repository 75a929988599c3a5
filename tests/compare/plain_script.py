"""A script as the SDK's documentation suggests it: submit, poll, read the results.

Runs in an environment of its own; the command line names the documents and where answers go.
"""

import json
import sys
import time
from pathlib import Path

import anthropic

POLL_SECONDS = 1


def main(documents: Path, answers: Path) -> None:
    """Ask about all documents in one batch, with the SDK's own retries."""
    client = anthropic.Anthropic()
    batch = client.messages.batches.create(
        requests=[
            {
                "custom_id": f"document-{number}",
                "params": {
                    "model": "claude-haiku-5-5",
                    "max_tokens": 1_024,
                    "messages": [{"role": "user", "content": f"What is this about? {text}"}],
                },
            }
            for number, text in enumerate(json.loads(documents.read_text()))
        ]
    )
    while batch.processing_status != "ended":
        time.sleep(POLL_SECONDS)
        batch = client.messages.batches.retrieve(batch.id)
    with answers.open("w") as file:
        for line in client.messages.batches.results(batch.id):
            if line.result.type == "succeeded":
                stop_reason = line.result.message.stop_reason
                file.write(json.dumps({"id": line.custom_id, "end": stop_reason}) + "\n")


main(Path(sys.argv[1]), Path(sys.argv[2]))
