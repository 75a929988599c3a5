"""Objects read by a native client, for a tenth of the CPU that boto3 would take.

It signs with boto3's credentials, for the region and the host that boto3 would ask. Whatever is
not a whole object at the first try is left to boto3, which knows retries, redirects and errors.
"""

import io
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies

import obstore
from botocore.exceptions import NoCredentialsError
from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from botocore.signers import RequestSigner
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Credential

logger = logging.getLogger(__name__)

MOST_FAILURES = 5
"""After so many in a row only boto3 is asked: it may know a certificate that we do not."""

_CHUNK_BYTES = 256 * 2**10
_WHOLE_READ = timedelta(minutes=5)
"""What takes longer is begun again by boto3, which waits as long as bytes come."""
_CREDENTIALS_KEPT = timedelta(minutes=10)
"""boto3 renews what expires while it is still good for so long."""
_HARMLESS_VARIABLES = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_EXECUTION_ENV"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"),
    *("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_EC2_METADATA_DISABLED"),
}
"""obstore obeys others before what it is told: another endpoint, no signature, who pays."""
_EVENT = "before-sign.s3.GetObject"
_ANY_KEY = "key"


class PlainReads:
    """Plain reads for one client of boto3; a context manager, safe for threads."""

    def __init__(self, client: "S3Client", *, spool_bytes: int) -> None:
        """Read what `client` may read; up to `spool_bytes` of an object stay in memory."""
        self._client = client
        self._spool_bytes = spool_bytes
        self._opening = threading.Lock()
        self._stores: dict[str, S3Store | None] = {}
        self._signing: _Signing | None = None
        is_ours = not _needs_proxy(client) and not _is_steered()
        self._failure_count = 0 if is_ours else MOST_FAILURES

    def __enter__(self) -> Self:
        self._client.meta.events.register(_EVENT, self._note_signing)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.meta.events.unregister(_EVENT, self._note_signing)

    def can_read(self, request: Mapping[str, Any]) -> bool:
        """Return whether it is worth trying: a key with empty parts would be read as another."""
        key: str = request["Key"]
        return (
            self._failure_count < MOST_FAILURES
            and "//" not in key
            and not key.startswith("/")
            and not key.endswith("/")
        )

    def read(self, request: Mapping[str, Any]) -> IO[bytes] | None:
        """Return an object that `can_read`, or None when boto3 should be asked.

        Args:
            request: `Bucket`, `Key`, and `IfMatch` or `VersionId`, as `get_object` takes them.
        """
        store = self._store(request["Bucket"])
        file = self._read(store, request) if store else None
        # Threads may miscount each other: one more or less is all the same.
        self._failure_count = 0 if file else self._failure_count
        return file

    def count_failure(self, bucket: str) -> None:
        """Note that boto3 has read from a bucket what could not be read here.

        It may have learned on the way in which region the bucket is, so it is asked again.
        """
        self._failure_count += 1
        with self._opening:
            self._stores.pop(bucket, None)

    def _read(self, store: S3Store, request: Mapping[str, Any]) -> IO[bytes] | None:
        condition: obstore.GetOptions = {}
        if "IfMatch" in request:
            condition["if_match"] = request["IfMatch"]
        if "VersionId" in request:
            condition["version"] = request["VersionId"]
        try:
            response = obstore.get(store, request["Key"], options=condition)
            if not _is_asked_for(response, request):
                return None
            if response.meta["size"] <= self._spool_bytes:
                return io.BytesIO(response.bytes())
            return _spool(response, self._spool_bytes)
        except (BaseError, OSError, ValueError) as error:  # its text has addresses and headers
            logger.debug("plain_read_failed error=%s", type(error).__name__)
            return None

    def _store(self, bucket: str) -> S3Store | None:
        with self._opening:
            if bucket not in self._stores:
                try:
                    self._stores[bucket] = self._open(bucket)
                except (BaseError, TypeError, ValueError) as error:
                    logger.debug("plain_reads_impossible error=%s", type(error).__name__)
                    self._stores[bucket] = None
            return self._stores[bucket]

    def _open(self, bucket: str) -> S3Store | None:
        """Open a bucket where boto3 finds it, or return None where only boto3 knows how."""
        url = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": _ANY_KEY}
        )
        address, signing = urlsplit(url), self._signing
        folder = address.path.removesuffix(_ANY_KEY)
        if folder not in {"/", f"/{bucket}/"} or signing is None:
            return None
        # obstore follows redirects and takes a session token along; over TLS only S3 can redirect.
        if address.scheme != "https" and signing.has_token():
            return None
        config = _config_of(self._client)
        return S3Store(
            bucket,
            endpoint=f"{address.scheme}://{address.netloc}",
            virtual_hosted_style_request=folder == "/",
            region=signing.region,
            credential_provider=signing.credentials,
            client_options={
                "allow_http": address.scheme == "http",
                "connect_timeout": timedelta(seconds=config.connect_timeout),
                "read_timeout": timedelta(seconds=config.read_timeout),
                "timeout": _WHOLE_READ,
            },
            retry_config={"max_retries": 0},
        )

    def _note_signing(self, request_signer: "RequestSigner", region_name: str, **_: object) -> None:
        """Note what boto3 signs with, which it says before it does."""
        self._signing = _Signing(request_signer, region_name)


@dataclass(frozen=True, slots=True)
class _Signing:
    """What boto3 signs with in one region."""

    signer: "RequestSigner"
    region: str

    def has_token(self) -> bool:
        """Return whether the credentials are temporary."""
        found = self._found()
        return bool(found and found.token)

    def credentials(self) -> "S3Credential":
        """Return what boto3 would sign with now."""
        found = self._found()
        if found is None or found.access_key is None or found.secret_key is None:
            raise NoCredentialsError
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(UTC) + _CREDENTIALS_KEPT,
        }

    def _found(self) -> "ReadOnlyCredentials | None":
        auth: Any = self.signer.get_auth_instance("s3", self.region, "s3v4")
        credentials: ReadOnlyCredentials | None = auth.credentials
        return credentials


def _is_asked_for(response: "obstore.GetResult", request: Mapping[str, Any]) -> bool:
    """Return whether this is the object asked for, not a page that a redirect led to."""
    if "VersionId" in request:
        return bool(response.meta["version"] == request["VersionId"])
    return bool(response.meta["e_tag"] == request.get("IfMatch"))


def _spool(response: "obstore.GetResult", spool_bytes: int) -> IO[bytes]:
    file = SpooledTemporaryFile(spool_bytes)  # noqa: SIM115 - the caller closes it
    try:
        for chunk in response.stream(min_chunk_size=_CHUNK_BYTES):
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    return file


def _needs_proxy(client: "S3Client") -> bool:
    """Return whether any proxy is known: obstore reads exceptions otherwise than boto3."""
    known = {"http", "https", "all"} & getproxies().keys()
    return bool(known or _config_of(client).proxies)


def _is_steered() -> bool:
    return any(
        name.startswith("AWS_")
        and not name.startswith("AWS_CONTAINER_")
        and name not in _HARMLESS_VARIABLES
        for name in os.environ
    )


def _config_of(client: "S3Client") -> Any:
    """Return the client's options, of which its types do not know the names."""
    return client.meta.config
