import datetime as dt
from decimal import Decimal

import pytest

from include.entries import Entry
from include.errors import LedgerConflictError, LedgerStateError, StorageUnavailableError
from include.ledger import CHANGE_TRIES, Ledger, OpenLedger, OpenShard, claim_key, read_claim
from include.records import Held
from include.storage import ObjectStore
from tests.factories import make_entry
from tests.fakes import START, FakeS3

SHARD = "shard-0"


def note(text: str, entry: Entry) -> Entry:
    return entry.moved(state=entry.state, by="run-1", at=START, note=text)


def open_shards(ledger: Ledger, *shard_ids: str) -> Held[OpenLedger]:
    held = ledger.read_open()
    shards = {one: OpenShard(request_count=2, estimate_usd=Decimal(1)) for one in shard_ids}
    return ledger.put_open(held, held.record.model_copy(update={"shards": shards}))


@pytest.mark.parametrize("fault", ["lost", "refused", "outage", "late"])
def test_created_entry_is_mine_only_if_the_write_landed(
    ledger: Ledger, bucket: FakeS3, fault: str
) -> None:
    bucket.fail_once("put", SHARD, fault)  # type: ignore[arg-type]  # parametrized
    if fault == "lost":
        assert ledger.create(make_entry()) == ledger.read(SHARD)
    else:
        with pytest.raises(LedgerConflictError):
            ledger.create(make_entry())


def test_lost_answer_of_a_put_is_told_by_its_nonce(ledger: Ledger, bucket: FakeS3) -> None:
    held = ledger.create(make_entry())
    bucket.fail_once("put", SHARD, "lost")
    changed = ledger.put(held, note("mine", held.record))
    assert changed.record.history[-1].note == "mine"
    assert changed == ledger.read(SHARD)
    assert changed.record.revision == held.record.revision + 1


def test_write_that_lands_after_another_one_changes_nothing(ledger: Ledger, bucket: FakeS3) -> None:
    held = ledger.create(make_entry())
    bucket.fail_once("put", SHARD, "late")
    with pytest.raises(LedgerConflictError):
        ledger.put(held, note("late", held.record))
    landed = ledger.read(SHARD)
    assert landed.record.history[-1].note == "late"
    with pytest.raises(LedgerConflictError):
        ledger.put(held, note("stale", held.record))


def test_of_two_writers_one_wins(ledger: Ledger) -> None:
    held = ledger.create(make_entry())
    ledger.put(held, note("first", held.record))
    with pytest.raises(LedgerConflictError):
        ledger.put(held, note("second", held.record))
    assert [step.note for step in ledger.read(SHARD).record.history] == ["first"]


def test_same_change_by_two_writers_still_has_one_winner(ledger: Ledger) -> None:
    held = ledger.create(make_entry())
    ledger.put(held, held.record)
    with pytest.raises(LedgerConflictError):
        ledger.put(held, held.record)


def test_unreadable_entry_is_not_absent(ledger: Ledger, bucket: FakeS3) -> None:
    bucket.fail_once("get", SHARD, "outage")
    with pytest.raises(StorageUnavailableError):
        ledger.find(SHARD)
    assert ledger.find(SHARD) is None
    with pytest.raises(LedgerStateError, match="no ledger entry"):
        ledger.read(SHARD)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param((b'"schema_version":1', b'"schema_version":2'), id="newer schema"),
        pytest.param((b'"round":0', b'"round":0,"later":1'), id="unknown field"),
        pytest.param((b"{", b"["), id="no JSON"),
    ],
)
def test_entry_that_this_version_cannot_read_stops(
    ledger: Ledger, bucket: FakeS3, damage: tuple[bytes, bytes]
) -> None:
    ledger.create(make_entry())
    key = f"nightshift/{ledger.entry_key(SHARD)}"
    bucket.objects[key] = bucket.objects[key].replace(*damage, 1)
    with pytest.raises(LedgerStateError, match="is not a Entry that this version can read"):
        ledger.read(SHARD)


def test_change_is_applied_anew_to_what_others_wrote(ledger: Ledger) -> None:
    ledger.create(make_entry())
    others = iter([True, True, False])

    def step(entry: Entry) -> Entry:
        if next(others):
            ledger.put(ledger.read(SHARD), note("other", entry))
        return note("mine", entry)

    changed = ledger.change(SHARD, step)
    assert [one.note for one in changed.history] == ["other", "other", "mine"]


def test_change_gives_up_on_an_entry_that_never_holds_still(ledger: Ledger) -> None:
    ledger.create(make_entry())

    def step(entry: Entry) -> Entry:
        ledger.put(ledger.read(SHARD), note("other", entry))
        return note("mine", entry)

    with pytest.raises(LedgerConflictError, match=f"{CHANGE_TRIES} times in a row"):
        ledger.change(SHARD, step)


def test_change_with_nothing_to_do_writes_nothing(ledger: Ledger, bucket: FakeS3) -> None:
    ledger.create(make_entry())
    bucket.calls.clear()
    ledger.change(SHARD, lambda entry: None)
    assert [verb for verb, _ in bucket.calls] == ["get"]


def test_missing_open_json_stops_while_entries_exist(ledger: Ledger) -> None:
    ledger.create(make_entry())
    with pytest.raises(LedgerStateError, match=r"open\.json is missing although entries exist"):
        ledger.read_open()


def test_new_ledger_is_made_once(ledger: Ledger) -> None:
    assert ledger.read_open() == ledger.read_open()


@pytest.mark.parametrize("verb", ["list", "put"])
def test_ledger_made_by_somebody_else_in_between_is_theirs(
    ledger: Ledger, store: ObjectStore, bucket: FakeS3, verb: str
) -> None:
    theirs: list[Held[OpenLedger]] = []

    def hook(called: str, key: str) -> None:
        if called == verb:
            bucket.hook = lambda verb, key: None
            theirs.append(Ledger(store, "notes").read_open())

    bucket.hook = hook
    assert [ledger.read_open()] == theirs


def test_ledger_of_another_spec_does_not_count(store: ObjectStore) -> None:
    Ledger(store, "notes_long").create(make_entry())
    assert Ledger(store, "notes").read_open().record.shards == {}


def test_close_counts_a_loaded_shard_once(ledger: Ledger) -> None:
    open_shards(ledger, SHARD, "shard-1")
    ledger.create(make_entry(state="loaded"))
    ledger.close(SHARD)
    ledger.close(SHARD)
    record = ledger.read_open().record
    assert (list(record.shards), record.loaded_count) == (["shard-1"], 1)


def test_close_whose_answer_is_lost_counts_once(ledger: Ledger, bucket: FakeS3) -> None:
    open_shards(ledger, SHARD)
    ledger.create(make_entry(state="loaded"))
    bucket.fail_once("put", "open.json", "lost")
    ledger.close(SHARD)
    assert ledger.read_open().record.loaded_count == 1


def test_abandoned_shard_is_closed_but_not_counted_as_loaded(ledger: Ledger) -> None:
    open_shards(ledger, SHARD)
    ledger.create(make_entry(state="abandoned"))
    ledger.close(SHARD)
    record = ledger.read_open().record
    assert (record.shards, record.loaded_count) == ({}, 0)


def test_close_keeps_the_plan_number(ledger: Ledger) -> None:
    held = open_shards(ledger, SHARD)
    ledger.put_open(held, held.record.model_copy(update={"plan_number": 7}))
    ledger.create(make_entry(state="loaded"))
    ledger.close(SHARD)
    assert ledger.read_open().record.plan_number == 7


def test_close_merges_with_what_others_write(ledger: Ledger, bucket: FakeS3) -> None:
    open_shards(ledger, SHARD, "shard-1")
    ledger.create(make_entry(state="loaded"))
    ledger.create(make_entry(shard_id="shard-1", state="loaded"))

    def hook(verb: str, key: str) -> None:
        if verb == "put":
            bucket.hook = lambda verb, key: None
            ledger.close("shard-1")

    bucket.hook = hook
    ledger.close(SHARD)
    record = ledger.read_open().record
    assert (record.shards, record.loaded_count) == ({}, 2)


def test_batch_is_claimed_once(ledger: Ledger, store: ObjectStore) -> None:
    first = ledger.claim("msgbatch_1", SHARD, now=START)
    second = ledger.claim("msgbatch_1", "shard-1", now=START + dt.timedelta(hours=1))
    assert first == second == ledger.find_claim("msgbatch_1") == read_claim(store, "msgbatch_1")
    assert second.shard_id == SHARD


def test_claim_whose_answer_is_lost_stands(ledger: Ledger, bucket: FakeS3) -> None:
    bucket.fail_once("put", claim_key("msgbatch_1"), "lost")
    assert ledger.claim("msgbatch_1", SHARD, now=START).shard_id == SHARD


def test_claim_that_did_not_land_is_not_made_up(ledger: Ledger, bucket: FakeS3) -> None:
    bucket.fail_once("put", claim_key("msgbatch_1"), "outage")
    with pytest.raises(LedgerConflictError):
        ledger.claim("msgbatch_1", SHARD, now=START)


def test_unclaimed_batch_is_nobodys(ledger: Ledger, store: ObjectStore) -> None:
    assert ledger.find_claim("msgbatch_1") is None
    with pytest.raises(LedgerStateError, match="not proven to be any shard"):
        read_claim(store, "msgbatch_1")
