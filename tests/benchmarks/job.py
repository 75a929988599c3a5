"""What a measured process needs to know: where the servers are, and what earlier stages made."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from anthropic import Anthropic
from botocore.config import Config

from include.config import Settings
from local_stack.nights import DEMO_SPEED, NightDriver
from tests.integration.databases import Database

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from include.storage import ObjectStore

SPEED = {
    **DEMO_SPEED,
    "start_allowance_seconds": 600,
    "post_timeout_seconds": 3_600,
    "extraction_workers": 2,
    "max_documents_per_slice": 5_000,
    "max_requests_per_shard": 10_000,
}
"""Slices and shards that are full at the smallest size too: memory is comparable."""


@dataclass(frozen=True)
class Job:
    """One night at one size; travels as JSON."""

    size: int
    documents_url: str
    store_url: str
    store_key: str
    store_secret: str
    simulator_url: str
    work_bucket: str
    database: str
    folder: str
    made: dict[str, Any] = field(default_factory=dict)
    """What earlier stages returned, by name."""

    @classmethod
    def parse(cls, text: str) -> "Job":
        return cls(**json.loads(text))

    def dump(self) -> str:
        return json.dumps(asdict(self))

    def s3(self, url: str) -> "S3Client":
        return boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=self.store_key,
            aws_secret_access_key=self.store_secret,
            region_name="us-east-1",
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "max_attempts": 6},
                max_pool_connections=20,
            ),
        )

    def anthropic(self) -> Anthropic:
        return Anthropic(api_key="test", base_url=self.simulator_url, max_retries=0)

    def night(self, stage: str, **settings: Any) -> "BenchNight":
        """Return the driver of the night, with open clients and a folder of its own."""
        folder = Path(self.folder, f"{stage}-{secrets.token_hex(4)}")
        folder.mkdir(parents=True)
        return BenchNight(
            s3=self.s3(self.documents_url),
            work_s3=self.s3(self.store_url),
            anthropic=self.anthropic(),
            warehouse=Database.at(self.database).open(),
            settings=Settings(
                documents_bucket="documents", work_bucket=self.work_bucket, **SPEED | settings
            ),
            work_dir=folder,
        )


@dataclass(frozen=True, kw_only=True)
class BenchNight(NightDriver):
    """A night whose documents lie on another server than its files."""

    work_s3: "S3Client"

    @property
    def store(self) -> "ObjectStore":
        from include.storage import ObjectStore

        return ObjectStore(self.work_s3, self.settings.work_bucket, self.settings.work_prefix)
