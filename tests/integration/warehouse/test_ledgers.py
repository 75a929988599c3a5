import pytest

from include.errors import LedgerStateError
from include.warehouse.ledgers import LoadedLedger, read_ledger, record_ledger
from tests.integration.warehouse.nights import DAY, MONDAY, SPEC, Nights, Version

pytestmark = pytest.mark.integration


def test_the_ledger_and_its_loaded_shards_are_known(nights: Nights) -> None:
    with nights.warehouse.session() as session:
        assert read_ledger(session, spec=SPEC) == LoadedLedger(None, 0)
    nights.list_versions("run-1", Version("a"))
    nights.load("run-1", {Version("a"): "answered"})

    with nights.warehouse.session() as session:
        record_ledger(session, spec=SPEC, ledger_id="ledger-1", now=MONDAY)
        record_ledger(session, spec=SPEC, ledger_id="ledger-1", now=MONDAY + DAY)
        assert read_ledger(session, spec=SPEC) == LoadedLedger("ledger-1", 1)


def test_another_ledger_is_refused(nights: Nights) -> None:
    with nights.warehouse.session() as session:
        record_ledger(session, spec=SPEC, ledger_id="ledger-1", now=MONDAY)

    with (
        pytest.raises(LedgerStateError, match="ledger-1, not of ledger-2"),
        nights.warehouse.session() as session,
    ):
        record_ledger(session, spec=SPEC, ledger_id="ledger-2", now=MONDAY)
