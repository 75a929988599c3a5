"""Objects read by a native client, for a tenth of the CPU that boto3 would take.

It asks where boto3 has read before, signed with boto3's credentials. Whatever is not a whole object
at the first try is left to boto3, which knows regions, retries, redirects and errors.
"""

import io
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import obstore
from botocore.exceptions import NoCredentialsError
from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest
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
_SIGNATURES = {"v4", "s3v4"}
"""Those that obstore makes; one by the session of a directory bucket is another."""
_NO_NAMES = {"", ".", ".."}
"""Parts of a key that obstore refuses, or reads another object for."""


class PlainReads:
    """Plain reads for one client of boto3; a context manager, safe for threads."""

    def __init__(self, client: "S3Client", *, spool_bytes: int) -> None:
        """Read what `client` may read; up to `spool_bytes` of an object stay in memory."""
        self._client = client
        self._spool_bytes = spool_bytes
        self._opening = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}
        self._of_thread = _Signed()
        is_ours = not _needs_proxy(client) and not _is_steered()
        self._failure_count = 0 if is_ours else MOST_FAILURES

    def __enter__(self) -> Self:
        self._client.meta.events.register(_EVENT, self._note_signed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.meta.events.unregister(_EVENT, self._note_signed)

    def read(self, request: Mapping[str, Any], by_client: Callable[[], IO[bytes]]) -> IO[bytes]:
        """Return an object, which the caller closes.

        Args:
            request: `Bucket`, `Key`, and `IfMatch` or `VersionId`, as `get_object` takes them.
            by_client: Reads the same object with the client, for what is not read here: the first
                of a bucket, which tells where the bucket is, and all that fails. Its errors pass.
        """
        bucket = self._buckets.get(request["Bucket"]) if self._can_read(request) else None
        file = self._read(bucket.store, request) if bucket and bucket.store else None
        if file is not None:
            self._failure_count = 0  # threads may miscount each other: one more is all the same
            return file
        file = by_client()
        self._learn(request, failed=bucket)
        return file

    def _can_read(self, request: Mapping[str, Any]) -> bool:
        key, tag = request["Key"], request.get("IfMatch", "")
        return (
            self._failure_count < MOST_FAILURES
            and key.isprintable()
            and _NO_NAMES.isdisjoint(key.split("/"))
            and tag.isascii()
            and tag.isprintable()
        )

    def _learn(self, request: Mapping[str, Any], failed: "_Bucket | None") -> None:
        """Open the bucket where the client of this thread has just read from it."""
        name = request["Bucket"]
        with self._opening:
            if failed and failed.store:
                self._failure_count += 1
            place = self._of_thread.place_of(request)
            known = self._buckets.get(name)
            if known is failed and (known is None or known.place != place):
                self._buckets[name] = self._open(name, place)

    def _open(self, name: str, place: "_Place | None") -> "_Bucket":
        signer = self._of_thread.signer
        if place is None or signer is None:
            return _Bucket(place, None)
        credentials = _Credentials(signer, place.region)
        # obstore follows redirects and takes a session token along; over TLS only S3 can redirect.
        if not place.is_tls and credentials.has_token():
            return _Bucket(place, None)
        config = _config_of(self._client)
        try:
            store = S3Store(
                name,
                endpoint=place.endpoint,
                virtual_hosted_style_request=place.is_in_host,
                region=place.region,
                credential_provider=credentials,
                client_options={
                    "allow_http": not place.is_tls,
                    "connect_timeout": timedelta(seconds=config.connect_timeout),
                    "read_timeout": timedelta(seconds=config.read_timeout),
                    "timeout": _WHOLE_READ,
                },
                retry_config={"max_retries": 0},
            )
        except (BaseError, TypeError, ValueError) as error:
            logger.debug("plain_reads_impossible error=%s", type(error).__name__)
            return _Bucket(place, None)
        return _Bucket(place, store)

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

    def _note_signed(
        self,
        request: "AWSRequest",
        request_signer: "RequestSigner",
        region_name: str,
        signature_version: object,
        **_: object,
    ) -> None:
        """Note what this thread asks for, and whose signature it gets, which boto3 says before."""
        signing: dict[str, str] = request.context.get("signing", {})
        self._of_thread.signer = request_signer if signature_version in _SIGNATURES else None
        self._of_thread.region = signing.get("region") or region_name
        self._of_thread.url = request.url or ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where boto3 finds a bucket."""

    endpoint: str
    is_in_host: bool
    """Whether the host's name begins with that of the bucket, or the path does."""
    region: str

    @property
    def is_tls(self) -> bool:
        return self.endpoint.startswith("https:")


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A bucket where it was found; without a store only boto3 can read it."""

    place: _Place | None
    store: S3Store | None


class _Signed(threading.local):
    """What boto3 has signed last in this thread."""

    signer: "RequestSigner | None" = None
    region = ""
    url = ""

    def place_of(self, request: Mapping[str, Any]) -> _Place | None:
        """Return where a request went, None where it was not sent as they are to buckets."""
        address = urlsplit(self.url)
        endpoint = f"{address.scheme}://{address.netloc}"
        styles = {f"/{request['Key']}": True, f"/{request['Bucket']}/{request['Key']}": False}
        is_in_host = styles.get(unquote(address.path))
        return None if is_in_host is None else _Place(endpoint, is_in_host, self.region)


@dataclass(frozen=True, slots=True)
class _Credentials:
    """What boto3 signs with in one region, as obstore asks for it."""

    signer: "RequestSigner"
    region: str

    def has_token(self) -> bool:
        """Return whether they are temporary."""
        found = self._found()
        return bool(found and found.token)

    def __call__(self) -> "S3Credential":
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
