import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.identities import (
    ObjectVersion,
    digest,
    document_id,
    document_uri,
    request_id,
    run_key,
    shard_digest,
    shard_id,
)

NOON = dt.datetime(2026, 11, 10, 12, tzinfo=dt.UTC)


def test_identities_never_change() -> None:
    """Everything stored is found by these: a change would buy every answer again."""
    assert request_id("notes", "prompt-1", "abc") == "8119e3cd89549ab80be704a00a2114026b3ec691"
    assert shard_id(shard_digest(["a", "b"], 0), 1) == "918ad304ddc6b9db00ba2b8bf7a00be0-1"


def test_parts_of_a_digest_do_not_run_together() -> None:
    assert digest("x", "ab", "c") != digest("x", "a", "bc")
    assert digest("x", "a") != digest("y", "a")
    assert digest("x", 1) != digest("x", "1")


def test_request_depends_on_spec_question_and_content() -> None:
    ids = {
        request_id(*parts)
        for parts in [("a", "p", "c"), ("b", "p", "c"), ("a", "q", "c"), ("a", "p", "d")]
    }
    assert len(ids) == 4


@given(st.text(max_size=100), st.text(max_size=100))
def test_run_keys_are_safe_and_unique(one: str, other: str) -> None:
    assert set(run_key(one)) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
    )
    assert (run_key(one) == run_key(other)) == (one == other)


def test_shard_depends_on_its_requests_and_its_round() -> None:
    digests = {shard_digest(ids, n) for ids in (["a"], ["a", "b"], ["ab"]) for n in (0, 1)}
    assert len(digests) == 6


@pytest.mark.parametrize(
    ("version", "text"),
    [
        (ObjectVersion("v1:x", "etag"), "version:v1:x"),
        (ObjectVersion(None, '"ab-2"'), f'etag:"ab-2":10:{NOON.timestamp():.0f}'),
    ],
    ids=["versioned", "unversioned"],
)
def test_object_version_says_how_to_fetch_it_again(version: ObjectVersion, text: str) -> None:
    assert version.text_of(10, NOON) == text
    again = ObjectVersion.parse(text)
    assert (again.version_id, again.etag or version.etag) == (version.version_id, version.etag)


def test_documents_differ_by_bucket_key_and_version() -> None:
    uris = [document_uri("a", "b/c"), document_uri("b", "b/c"), document_uri("a", "b/d")]
    assert uris[0] == "s3://a/b/c"
    assert len({document_id(uri, version) for uri in uris for version in ("1", "2")}) == 6
