"""Erasures: what was erased on request, and where it lay, as it is kept in the work bucket."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from include.identities import digest
from include.storage import ObjectStore


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunHolding(_Part):
    """Files of one run that hold a document, by key."""

    run_key: str
    index_keys: tuple[str, ...] = ()
    segment_keys: tuple[str, ...] = ()


class AskedRequest(_Part):
    """A request about a document, or a part of it."""

    request_id: str
    enrichment_id: str | None = None
    content_sha256: str | None = None
    """Of all of the document."""


class Holdings(_Part):
    """Where a document lies, and what was asked about it. No text."""

    runs: tuple[RunHolding, ...] = ()
    requests: tuple[AskedRequest, ...] = ()

    def merged(self, other: "Holdings") -> "Holdings":
        """Return what either names: what an erasure that died has rewritten is found only here."""
        runs: dict[str, RunHolding] = {}
        for run in (*self.runs, *other.runs):
            known = runs.get(run.run_key, RunHolding(run_key=run.run_key))
            runs[run.run_key] = RunHolding(
                run_key=run.run_key,
                index_keys=_union(known.index_keys, run.index_keys),
                segment_keys=_union(known.segment_keys, run.segment_keys),
            )
        requests = {one.request_id: one for one in (*other.requests, *self.requests)}
        return Holdings(runs=tuple(runs.values()), requests=tuple(requests.values()))


class Erasure(_Part):
    """`erasures/<digest>.json`: written before anything is touched, and again when all is done."""

    schema_version: Literal[1] = 1
    spec: str
    document_uri: str
    document_ids: tuple[str, ...]
    """All versions."""
    reason: str
    by: str
    erased_at: dt.datetime
    """When it was first asked for."""
    finished_at: dt.datetime | None = None
    """When everything was gone; None after a process that died half way."""
    holdings: Holdings = Holdings()

    def after(self, earlier: "Erasure | None") -> Self:
        """Return this erasure as it goes on with an earlier one of the same document."""
        if earlier is None:
            return self
        return self.model_copy(
            update={
                "document_ids": _union(earlier.document_ids, self.document_ids),
                "erased_at": earlier.erased_at,
                "holdings": earlier.holdings.merged(self.holdings),
            }
        )


def erasure_key(spec: str, document_uri: str) -> str:
    """Return where the erasure of a document lies."""
    return f"{spec}/erasures/{digest('erasure', document_uri)}.json"


def find_erasure(store: ObjectStore, spec: str, document_uri: str) -> Erasure | None:
    """Return what is known of the erasure of a document; None when it was never asked for."""
    stored = store.read(erasure_key(spec, document_uri))
    return Erasure.model_validate_json(stored.data) if stored else None


def write_erasure(store: ObjectStore, erasure: Erasure) -> None:
    """Keep an erasure."""
    key = erasure_key(erasure.spec, erasure.document_uri)
    store.write(key, erasure.model_dump_json(indent=1).encode())


def list_erasures(store: ObjectStore, spec: str) -> Iterator[Erasure]:
    """Yield every erasure of a spec, for a warehouse that is loaded again."""
    for key in store.list_keys(f"{spec}/erasures/"):
        stored = store.read(key)
        if stored is not None:
            yield Erasure.model_validate_json(stored.data)


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
