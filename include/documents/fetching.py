"""Fetch listed objects and extract them: many at once, in order, in bounded memory."""

import io
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from include import s3_errors
from include.documents.extraction import Extraction, ExtractionLimits, Picture
from include.documents.gzip_files import GZIP_MAGIC, unpack_gzip
from include.documents.listing import DELETED, ListedObject
from include.documents.parallel import map_in_order
from include.documents.plain_reads import PlainReads
from include.documents.pool import Document, ExtractionPool, too_large
from include.documents.sniffing import media_type_of_key
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed import SupportsRead
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

_SPOOL_BYTES = 1 * 2**20
"""Larger objects are spooled to disk."""
_CHUNK_BYTES = 256 * 2**10
_PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""Before a download that broke off is begun again; how often is how many there are."""
_AHEAD_PER_THREAD = 2
_HANDFUL = 8
_HANDFUL_BYTES = 256 * 2**10
"""How many objects, of how many bytes in all, are passed on together; larger ones go alone."""
_PACKED = ".gz"
"""May be a thousand times as large as it looks, so it goes as one that fills a handful."""

_CHANGED_STATUS = 412
_GONE_STATUSES = {404, 405}
"""405 is that of a delete marker."""

_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
"""Storage classes that S3 hands nothing over from; asking would cost a request each."""

_NOT_ABOUT_THE_OBJECT = {
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "InvalidToken",
    "NoSuchBucket",
    "SignatureDoesNotMatch",
}


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """An object that S3 did not hand over in several tries; a later run may get it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Original:
    """A document that is to be looked at, with its bytes."""

    extraction: Extraction
    picture: Picture
    file: IO[bytes]
    """The document itself, taken out of any gzip; who receives it closes it."""


Fetched = Extraction | Original | FetchFailure


def keep_none(_: Extraction) -> bool:
    """Want the bytes of no document."""
    return False


def fetch_and_extract(
    client: "S3Client",
    objects: Iterable[ListedObject],
    pool: ExtractionPool,
    *,
    fetch_threads: int,
    keeps: Callable[[Extraction], bool] = keep_none,
) -> Iterator[tuple[ListedObject, Fetched]]:
    """Yield what became of each object, in the order given.

    The client retries requests as it is configured to, and needs a connection for each thread;
    a download that breaks off is begun again here.

    Args:
        keeps: Whether a document that can only be looked at is yielded with its bytes.

    Raises:
        ConfigurationError: The bucket is gone, or the credentials are refused.
    """
    with PlainReads(client, spool_bytes=_SPOOL_BYTES) as plain:
        fetcher = _Fetcher(_Source(client, plain), pool, keeps)
        found = map_in_order(
            fetcher.extract_together,
            _handfuls(objects),
            threads=fetch_threads,
            ahead=fetch_threads * _AHEAD_PER_THREAD,
        )
        with closing(found):  # its threads end before the reads do
            for handful in found:
                yield from handful


def _handfuls(objects: Iterable[ListedObject]) -> Iterator[list[ListedObject]]:
    """Yield small objects together: passing them on costs more than reading them."""
    handful: list[ListedObject] = []
    handful_bytes = 0
    for listed in objects:
        is_full = len(handful) == _HANDFUL or handful_bytes + listed.size_bytes > _HANDFUL_BYTES
        if handful and is_full:
            yield handful
            handful, handful_bytes = [], 0
        handful.append(listed)
        is_packed = listed.key.lower().endswith(_PACKED)
        handful_bytes += _HANDFUL_BYTES if is_packed else listed.size_bytes
    if handful:
        yield handful


@dataclass(frozen=True, slots=True)
class _Source:
    """Two ways to the same objects: the quick one first, where there is one."""

    client: "S3Client"
    plain: PlainReads | None = None


@dataclass(frozen=True, slots=True)
class _Fetcher:
    """Turns listed objects into what became of them."""

    source: _Source
    pool: ExtractionPool
    keeps: Callable[[Extraction], bool]

    def extract_together(
        self, handful: Sequence[ListedObject]
    ) -> list[tuple[ListedObject, Fetched]]:
        documents: list[Document] = []
        kept: list[IO[bytes]] = []
        try:
            fetched = [self._fetch(listed, documents) for listed in handful]
            extractions = iter(self.pool.extract_together(documents))
            found = [
                self._keep(next(extractions), one.file, kept) if isinstance(one, Document) else one
                for one in fetched
            ]
        finally:
            for document in documents:
                if all(document.file is not one for one in kept):
                    document.file.close()
        return list(zip(handful, found, strict=True))

    def _fetch(
        self, listed: ListedObject, documents: list[Document]
    ) -> Document | Extraction | FetchFailure:
        """Return what there is to extract, added to `documents`, or what its lack means."""
        if listed.storage_class == DELETED:
            return _vanished(listed)
        if listed.storage_class in _ARCHIVES:
            return _archived(listed)
        if listed.size_bytes > self.pool.limits.max_object_bytes:
            return too_large(listed.key, listed.size_bytes, self.pool.limits)
        found = _fetch(self.source, listed)
        if isinstance(found, Extraction | FetchFailure):
            return found
        documents.append(Document(found, listed.key))
        return documents[-1]

    def _keep(self, extraction: Extraction, file: IO[bytes], kept: list[IO[bytes]]) -> Fetched:
        """Return the extraction, with the document where it is wanted; `kept` has its file then."""
        if extraction.picture is None or not self.keeps(extraction):
            return extraction
        document = unpacked(file, self.pool.limits)
        kept.append(document)
        return Original(extraction, extraction.picture, document)


def fetch(client: "S3Client", listed: ListedObject) -> IO[bytes] | Extraction | FetchFailure:
    """Return an object's bytes, which the caller closes, or what its lack means.

    Raises:
        ConfigurationError: The bucket is gone, or the credentials are refused.
    """
    return _fetch(_Source(client), listed)


def _fetch(source: _Source, listed: ListedObject) -> IO[bytes] | Extraction | FetchFailure:
    if listed.storage_class in _ARCHIVES:
        return _archived(listed)
    try:
        return _download(source, listed)
    except (ClientError, BotoCoreError) as error:
        return _without_content(listed, error)


def _download(source: _Source, listed: ListedObject) -> IO[bytes]:
    """Return the very version that was listed."""
    request: dict[str, Any] = {"Bucket": listed.bucket, "Key": listed.key}
    if listed.version_id is None:
        request["IfMatch"] = f'"{listed.etag}"'
    else:  # a version never changes, and its tag is not kept in the listing
        request["VersionId"] = listed.version_id
    by_client = partial(_download_by_client, source.client, request)
    return source.plain.read(request, by_client) if source.plain else by_client()


def _download_by_client(client: "S3Client", request: dict[str, Any]) -> IO[bytes]:
    pauses_seconds = iter(_PAUSES_SECONDS)
    while True:
        body = client.get_object(**request)["Body"]
        try:
            return _spool(body)
        except BotoCoreError as error:
            pause_seconds = next(pauses_seconds, None)
            if pause_seconds is None:
                raise
            logger.debug("download_broke_off error=%s", type(error).__name__)
            time.sleep(pause_seconds)


def unpacked(file: IO[bytes], limits: ExtractionLimits) -> IO[bytes]:
    """Return the file itself, or what it holds when it is a gzip file that was read before."""
    file.seek(0)
    is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    if not is_packed:
        return file
    content, _ = unpack_gzip(file.read(), limits.max_unpacked_bytes)
    held = _spool(io.BytesIO(content))
    held.seek(0)
    return held


def _spool(body: "SupportsRead[bytes]") -> IO[bytes]:
    file = SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 - the caller closes it
    try:
        shutil.copyfileobj(body, file, _CHUNK_BYTES)
    except BaseException:
        file.close()
        raise
    return file


def _without_content(
    listed: ListedObject, error: ClientError | BotoCoreError
) -> Extraction | FetchFailure:
    """Return what an error of S3 means for the document."""
    description = s3_errors.describe(error)
    if s3_errors.is_transient(error):
        return FetchFailure(f"S3 did not hand over the object: {description}")
    if not isinstance(error, ClientError) or s3_errors.code_of(error) in _NOT_ABOUT_THE_OBJECT:
        msg = f"bucket {listed.bucket} cannot be read: {description}"
        raise ConfigurationError(msg) from error
    if s3_errors.code_of(error) == "InvalidObjectState":
        return _archived(listed)
    media_type = media_type_of_key(listed.key)
    if s3_errors.status_of(error) in _GONE_STATUSES:
        return _vanished(listed)
    if s3_errors.status_of(error) == _CHANGED_STATUS:
        reason = "The object was changed after it was listed; a later listing finds it anew."
        return Extraction("superseded", reason, media_type)
    return Extraction("forbidden", f"S3 refuses the object: {description}", media_type)


def _archived(listed: ListedObject) -> Extraction:
    reason = "The object lies in an archive and must be restored before it can be read."
    return Extraction("archived", reason, media_type_of_key(listed.key))


def _vanished(listed: ListedObject) -> Extraction:
    reason = "The object was deleted after it was listed."
    return Extraction("vanished", reason, media_type_of_key(listed.key))
