"""Objects read by presigned requests over kept connections: a fifth of what the client would take.

The client signs, so that credentials, region and addressing are its own. Whatever is not a whole
object at the first try is left to the client, which knows retries, redirects and errors.
"""

import http.client
import logging
import shutil
import ssl
import threading
from collections.abc import Mapping
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from botocore.utils import get_environ_proxies

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

MOST_FAILURES = 5
"""After so many in a row only the client is asked: it may know a certificate that we do not."""

_CHUNK_BYTES = 256 * 2**10


class PlainReads:
    """Plain reads for one client; a context manager, safe for threads."""

    def __init__(self, client: "S3Client", *, spool_bytes: int) -> None:
        """Read what `client` may read; up to `spool_bytes` of an object stay in memory."""
        self._client = client
        self._spool_bytes = spool_bytes
        self._own = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._failure_count = MOST_FAILURES if _needs_proxy(client) else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for connection in self._connections:
            connection.close()

    def read(self, request: Mapping[str, Any]) -> IO[bytes] | None:
        """Return an object, or None when the client should be asked.

        Args:
            request: What `get_object` takes; of conditions only `IfMatch`.
        """
        if self._failure_count >= MOST_FAILURES:
            return None
        url = self._client.generate_presigned_url("get_object", Params=dict(request))
        headers = {"If-Match": request["IfMatch"]} if "IfMatch" in request else {}
        file = self._read(url, headers)
        if file is not None:
            self._failure_count = 0
        return file

    def count_failure(self) -> None:
        """Note that the client has read what could not be read here."""
        self._failure_count += (
            1  # threads may miscount each other: one more or less is all the same
        )

    def _read(self, url: str, headers: Mapping[str, str]) -> IO[bytes] | None:
        parts = urlsplit(url)
        connection = self._connection(parts.scheme, parts.netloc)
        file = SpooledTemporaryFile(self._spool_bytes)  # noqa: SIM115 - the caller closes it
        try:
            connection.request("GET", f"{parts.path}?{parts.query}", headers=dict(headers))
            response = connection.getresponse()
            expected_bytes = response.length
            if response.status == HTTPStatus.OK and expected_bytes is not None:
                shutil.copyfileobj(response, file, _CHUNK_BYTES)
                if file.tell() == expected_bytes:
                    return file
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            logger.debug("plain_read_failed error=%s", type(error).__name__)
            connection.close()
        except BaseException:
            file.close()
            raise
        file.close()
        return None

    def _connection(self, scheme: str, place: str) -> http.client.HTTPConnection:
        """Return this thread's connection, which opens itself again after a failure."""
        kept: dict[str, http.client.HTTPConnection] = self._own.__dict__
        origin = f"{scheme}://{place}"
        connection = kept.get(origin)
        if connection is None:
            timeout = _config_of(self._client).read_timeout
            if scheme == "https":
                connection = http.client.HTTPSConnection(
                    place, timeout=timeout, context=ssl.create_default_context()
                )
            else:
                connection = http.client.HTTPConnection(place, timeout=timeout)
            kept[origin] = connection
            self._connections.append(connection)
        return connection


def _needs_proxy(client: "S3Client") -> bool:
    return bool(_config_of(client).proxies or get_environ_proxies(client.meta.endpoint_url))


def _config_of(client: "S3Client") -> Any:
    """Return the client's options, of which its types do not know the names."""
    return client.meta.config
