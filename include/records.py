"""Records of the ledger in the bucket: read, and changed only by conditional puts."""

import secrets
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from include.entries import Record
from include.errors import (
    LedgerConflictError,
    LedgerStateError,
    StorageUnavailableError,
    WriteRefusedError,
)
from include.storage import ObjectStore

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True)
class Held(Generic[RecordT]):
    """A record as it was read, and the ETag that a change of it must match."""

    record: RecordT
    etag: str


def read_record(store: ObjectStore, key: str, model: type[RecordT]) -> Held[RecordT] | None:
    """Return a record, or None when there is none.

    Raises:
        LedgerStateError: It is none that this version can read.
    """
    stored = store.read(key)
    if stored is None:
        return None
    try:
        return Held(model.model_validate_json(stored.data), stored.etag)
    except ValidationError as error:
        msg = f"{store.uri(key)} is not a {model.__name__} that this version can read: {error}"
        raise LedgerStateError(msg) from None


def write_record(
    store: ObjectStore, key: str, record: RecordT, held: Held[RecordT] | None
) -> Held[RecordT]:
    """Put one revision; after a refusal or a lost answer, read again: my nonce means I wrote it.

    Raises:
        LedgerConflictError: Somebody else changed it first.
    """
    signed = record.model_copy(
        update={"nonce": secrets.token_hex(8), "revision": record.revision + 1}
    )
    data = signed.model_dump_json().encode()
    try:
        etag = store.create(key, data) if held is None else store.replace(key, data, etag=held.etag)
    except (WriteRefusedError, StorageUnavailableError):
        found = read_record(store, key, type(record))
        if found is None or found.record.nonce != signed.nonce:
            msg = f"{store.uri(key)} was changed by somebody else"
            raise LedgerConflictError(msg) from None
        return found
    return Held(signed, etag)
