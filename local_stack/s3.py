"""SeaweedFS: a real S3 server with conditional writes and versioning."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_stack.ports import GRPC_OFFSET, HOST
from local_stack.processes import BIN, Processes, Program
from local_stack.state import Ports

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"

_PROBE_BUCKET = "probe"
_START_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """One SeaweedFS with one identity, its data in one folder."""

    folder: Path
    ports: Ports
    access_key: str
    secret_key: str

    @property
    def endpoint_url(self) -> str:
        """Return the address of the S3 API."""
        return f"http://{HOST}:{self.ports.s3}"

    def start(self, processes: Processes) -> None:
        """Start the server without waiting for it."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        options = {
            "dir": data,
            "ip": HOST,  # or it takes the machine's outside address
            "ip.bind": HOST,
            "master.volumeSizeLimitMB": 256,
            "volume.max": 1_000,  # each bucket takes at least one
            "master.telemetry": "false",
            "master.port": self.ports.s3_master,
            "volume.port": self.ports.s3_volume,
            "filer.port": self.ports.s3_filer,
            "s3.port": self.ports.s3,
            "s3.port.grpc": self.ports.s3 + GRPC_OFFSET,
            "s3.port.iceberg": 0,  # these two would listen at fixed ports
            "s3.port.lance": 0,
        }
        arguments = [f"-{name}={value}" for name, value in options.items()]
        command = [str(BIN / "weed"), "server", "-filer", "-s3", *arguments]
        env = {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",  # not seven volumes at a time
        }
        processes.start(Program("s3", command, env))

    def wait_until_ready(self, processes: Processes) -> None:
        """Wait until objects can be written, which is later than the first answer."""
        processes.wait_until(["s3"], self._takes_objects, timeout_seconds=_START_SECONDS)

    def client(self, *, retries: int = 4) -> "S3Client":
        """Return a client for this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}),
        )

    def _takes_objects(self) -> bool:
        client = self.client(retries=0)
        try:
            client.create_bucket(Bucket=_PROBE_BUCKET)
            client.put_object(Bucket=_PROBE_BUCKET, Key="probe", Body=b"probe")
            client.delete_object(Bucket=_PROBE_BUCKET, Key="probe")
            client.delete_bucket(Bucket=_PROBE_BUCKET)
        except (BotoCoreError, ClientError):
            return False
        return True
