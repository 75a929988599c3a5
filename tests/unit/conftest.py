"""Fixtures of unit tests: a bucket in memory and a clock that stands still."""

import pytest

from include.ledger import Ledger
from include.storage import ObjectStore
from tests.factories import make_store
from tests.fakes import FakeClock, FakeS3


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bucket() -> FakeS3:
    return FakeS3()


@pytest.fixture
def store(bucket: FakeS3) -> ObjectStore:
    return make_store(bucket)


@pytest.fixture
def ledger(store: ObjectStore) -> Ledger:
    return Ledger(store, "notes")
