"""Identities: the same thing has the same name in every run, on every machine."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def digest(kind: str, *parts: Any, length: int = 32) -> str:
    """Return `length` hex digits over JSON parts; `kind` keeps the kinds of identity apart."""
    return hashlib.sha256(_encode([kind, *parts]).encode()).hexdigest()[:length]


def run_key(run_id: str) -> str:
    """Return a run id as it may stand in an S3 key, still unique."""
    return f"{_UNSAFE.sub('_', run_id)}-{digest('run', run_id, length=8)}"


def document_uri(bucket: str, key: str) -> str:
    """Return the full address of an object, whatever its versions."""
    return f"s3://{bucket}/{key}"


def document_id(uri: str, object_version: str) -> str:
    """Return the identity of one version of an object."""
    return digest("document", uri, object_version)


def request_id(spec_name: str, prompt_version: str, content_sha256: str) -> str:
    """Return the `custom_id` of a request: 40 hex digits, the same for the same question."""
    return digest("request", spec_name, prompt_version, content_sha256, length=40)


def part_request_id(
    spec_name: str,
    prompt_version: str,
    content_sha256: str,
    *,
    part_number: int,
    part_count: int,
) -> str:
    """Return the `custom_id` of a request about one part of a document, by content and place."""
    return digest(
        "part", spec_name, prompt_version, content_sha256, part_number, part_count, length=40
    )


def truncated_request_id(
    spec_name: str, prompt_version: str, content_sha256: str, left_out_characters: int
) -> str:
    """Return the `custom_id` of a request about the beginning of a document.

    Args:
        content_sha256: Of what is sent.
    """
    return digest(
        "beginning", spec_name, prompt_version, content_sha256, left_out_characters, length=40
    )


def split_enrichment_id(part_request_ids: Iterable[str]) -> str:
    """Return the identity of the answer that the answers about all parts, in order, become."""
    return digest("enrichment", *part_request_ids, length=40)


def shard_digest(sorted_request_ids: Iterable[str], round_number: int) -> str:
    """Return the part of a shard id that its requests and round decide.

    Args:
        sorted_request_ids: In ascending order; consumed once.
    """
    sha256 = hashlib.sha256(f"shard:{round_number}".encode())
    for one in sorted_request_ids:
        sha256.update(b"\n" + one.encode())
    return sha256.hexdigest()[:32]


def shard_id(shard_digest_: str, closed_count: int) -> str:
    """Return the shard's id; `closed_count` is how many entries of that digest have had their end.

    That is: were closed, or collected and left requests without an answer.
    """
    return f"{shard_digest_}-{closed_count}"


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """What tells one version of an object from the next, and how to fetch exactly that one."""

    version_id: str | None
    """On a versioned bucket."""
    etag: str

    @classmethod
    def parse(cls, text: str) -> "ObjectVersion":
        """Read what `text_of` wrote."""
        kind, _, rest = text.partition(":")
        return cls(rest, "") if kind == "version" else cls(None, rest.partition(":")[0])

    def text_of(self, size_bytes: int, last_modified_at: dt.datetime) -> str:
        """Return the version as text: its id, else ETag, size and time together."""
        if self.version_id is not None:
            return f"version:{self.version_id}"
        return f"etag:{self.etag}:{size_bytes}:{last_modified_at.timestamp():.0f}"
