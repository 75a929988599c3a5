from pathlib import Path

import pytest

from include.errors import ConfigurationError, StorageUnavailableError, WriteRefusedError
from include.storage import ObjectStore
from tests.fakes import FakeS3


def test_key_that_cannot_be_read_is_not_taken_for_absent(
    store: ObjectStore, bucket: FakeS3
) -> None:
    bucket.fail_once("get", "thing", "outage")
    with pytest.raises(StorageUnavailableError, match="s3://work/nightshift/thing"):
        store.read("thing")
    assert store.read("thing") is None


def test_bucket_that_is_gone_is_not_taken_for_an_absent_key(
    store: ObjectStore, bucket: FakeS3
) -> None:
    bucket.fail_once("get", "thing", "forbidden")
    with pytest.raises(ConfigurationError, match=r"AccessDenied.*check the bucket"):
        store.read("thing")


def test_second_create_is_refused(store: ObjectStore) -> None:
    store.create("thing", b"first")
    with pytest.raises(WriteRefusedError, match="PreconditionFailed"):
        store.create("thing", b"second")
    assert store.read("thing").data == b"first"  # type: ignore[union-attr]  # it was written


def test_conflict_of_two_writes_at_once_counts_as_refused(
    store: ObjectStore, bucket: FakeS3
) -> None:
    bucket.fail_once("put", "thing", "refused")
    with pytest.raises(WriteRefusedError, match="ConditionalRequestConflict"):
        store.create("thing", b"first")


def test_replace_needs_the_etag_that_was_read(store: ObjectStore) -> None:
    old = store.create("thing", b"first")
    new = store.replace("thing", b"second", etag=old)
    with pytest.raises(WriteRefusedError):
        store.replace("thing", b"third", etag=old)
    assert store.replace("thing", b"third", etag=new)


def test_store_that_ignores_conditions_is_refused(store: ObjectStore, bucket: FakeS3) -> None:
    bucket.ignores_conditions = True
    with pytest.raises(ConfigurationError, match="ignores If-None-Match"):
        store.check_conditional_writes("ledger/notes/probe")


def test_probe_left_by_an_earlier_run_proves_the_same(store: ObjectStore) -> None:
    store.check_conditional_writes("ledger/notes/probe")
    store.check_conditional_writes("ledger/notes/probe")


def test_range_and_files_give_the_bytes_that_were_written(
    store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "up").write_bytes(b"0123456789")
    store.upload(tmp_path / "up", "folder/thing")
    assert store.read_range("folder/thing", start=2, length=3) == b"234"
    assert store.download("folder/thing", tmp_path / "down").read_bytes() == b"0123456789"
    assert list(store.list_keys("folder/")) == ["folder/thing"]
    assert not store.has_any("other/")
