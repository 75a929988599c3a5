"""What all peers do alike: read the bucket as anybody would, ask the same, tell what it cost.

Runs in the environment of a peer, which has boto3 and the SDK, and nothing of the pipeline's.
"""

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config
from pydantic import BaseModel, ConfigDict

from tests.benchmarks.meter import metered
from tests.benchmarks.peers.jobs import PeerJob

MODEL = "claude-haiku-4-5"
QUESTION = "Describe this document."
MAX_TOKENS = 1_024
POLL_SECONDS = 1
_THREADS = 16


class Answer(BaseModel):
    """What is asked of every document."""

    model_config = ConfigDict(extra="forbid")

    main_topic: str
    document_type: str
    sentiment: str
    key_entities: list[str]
    language: str
    summary: str


def read_texts(job: PeerJob) -> list[str]:
    """Return the texts of the bucket, read by boto3 in threads; markup stays in them."""
    client = boto3.client(
        "s3",
        endpoint_url=job.documents_url,
        aws_access_key_id="any",
        aws_secret_access_key="any",  # the server asks for none
        region_name="us-east-1",
        config=Config(max_pool_connections=_THREADS),
    )

    def read(key: str) -> str:
        return client.get_object(Bucket="documents", Key=key)["Body"].read().decode()

    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="documents", Prefix="documents/"
    )
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(read, keys))


def run(ask: Callable[[PeerJob, list[str]], int]) -> None:
    """Be one measured night: read, `ask`, and tell what it cost.

    Raises:
        ValueError: Not every document got its answer.
    """
    job = PeerJob(**json.loads(sys.argv[1]))
    os.environ |= {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": job.simulator_url}
    Path(job.folder).mkdir(parents=True, exist_ok=True)
    cost = metered(lambda: ask(job, read_texts(job)))
    if cost["made"] != job.size:
        msg = f"{cost['made']} of {job.size} documents have an answer"
        raise ValueError(msg)
    print(json.dumps(cost))  # noqa: T201
