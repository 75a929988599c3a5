"""Whole nights by a real scheduler and triggerer: what ends how, and what heals it."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.identities import run_key
from local_stack.demo import last_complete_night
from tests.e2e.nights import DAG_ID, RETRY_DAG_ID, SPEC, Nights

pytestmark = pytest.mark.e2e

PAST = dt.date(2026, 10, 1)
TEXT = "The {name} report is about bridges in Bern. It was a good year for {name}."


def texts(*names: str) -> dict[str, str]:
    return {f"{name}.txt": TEXT.format(name=name) for name in names}


def test_the_scheduler_runs_the_last_night_and_a_second_time_changes_nothing(
    nights: Nights,
) -> None:
    night = last_complete_night(dt.datetime.now(dt.UTC))
    alike = TEXT.format(name="same")
    documents = texts("a", "b", "c", "d") | {"same-1.txt": alike, "same-2.txt": alike}
    nights.upload(night, documents | {"empty.txt": "", "archive.zip": "PK\x03\x04"})
    # One request in three is cut off at first: the child run asks again with more tokens.
    nights.stack.simulator.control("faults", [{"kind": "max_tokens", "rate": 0.5, "times": 1}])

    def find_run() -> bool:
        return any(run.run_type == "scheduled" for run in nights.stack.api.runs(DAG_ID))

    nights.wait_until(find_run)
    run = next(run for run in nights.stack.api.runs(DAG_ID) if run.run_type == "scheduled")
    run = nights.finish(run)
    if nights.report(run).listed_count < len(documents):  # it listed before they were there
        run = nights.clear(run, "list_documents")

    assert run.state == "success"
    states = nights.states(run)
    assert sorted(states.pop(name) for name in ("same-1.txt", "same-2.txt")) == [
        "enriched",
        "reused",
    ]
    assert states.pop("archive.zip").startswith("skipped: ")
    assert states.pop("empty.txt") == "skipped: empty"
    assert set(states.values()) == {"enriched"}
    simulated = """
        select count(*) from nightshift.document_metadata where is_simulated and object_key like ?
    """
    assert nights.query(simulated, f"%dt={night}%") == [(6,)]

    before, bought = nights.tables(), nights.bought()
    (again,) = nights.backfill(night, night, reprocess="completed")
    assert (again.run_id, again.state) == (run.run_id, "success")
    assert nights.bought() == bought
    assert nights.tables() == before


def test_past_nights_are_backfilled_and_reprocessing_them_buys_nothing(nights: Nights) -> None:
    days = [PAST + dt.timedelta(days=n) for n in range(3)]
    keys = {day: [f"{day}-x", f"{day}-y"] for day in days} | {days[1]: []}
    for day, names in keys.items():
        nights.upload(day, texts(*names))
    runs = nights.backfill(days[0], days[-1])
    assert [run.state for run in runs] == ["success"] * 3
    for run in runs:
        assert run.data_interval_start
        names = keys[run.data_interval_start.date()]
        assert nights.states(run) == {f"{name}.txt": "enriched" for name in names}
        assert nights.report(run).listed_count == len(names)  # nothing there is a green night too

    before, bought = nights.tables(), nights.bought()
    again = nights.backfill(days[0], days[-1], reprocess="completed")
    assert [run.state for run in again] == ["success"] * 3
    assert nights.bought() == bought
    assert nights.tables() == before


def test_a_green_night_wakes_those_who_wait_for_it(nights: Nights) -> None:
    day = PAST - dt.timedelta(days=3)
    nights.upload(day, texts("w1", "w2"))
    waiting = ["export_night", "summarize_nights"]
    exports = [f"nightshift/exports/{SPEC}/{name}.parquet" for name in (f"night={day}", "nights")]
    try:
        for dag_id in waiting:
            nights.stack.api.unpause(dag_id)
        assert nights.finish(nights.start(day)).state == "success"
        nights.wait_until(lambda: all(nights.stack.api.runs(dag_id) for dag_id in waiting))
        woken = [nights.finish(run) for one in waiting for run in nights.stack.api.runs(one)]
    finally:
        for dag_id in waiting:
            nights.stack.api.call("PATCH", f"/dags/{dag_id}", {"is_paused": True})
    assert [run.state for run in woken] == ["success", "success"]
    answers, summary = (pq.read_table(pa.BufferReader(nights.read(key))) for key in exports)
    names = [key.rsplit("/", 1)[-1] for key in answers["object_key"].to_pylist()]
    assert names == ["w1.txt", "w2.txt"]
    assert day in summary["night"].to_pylist()


def test_a_broken_slice_holds_up_no_other_and_a_clear_heals_it(nights: Nights) -> None:
    day = PAST + dt.timedelta(days=10)
    nights.upload(day, texts("s1", "s2", "s3", "s4", "s5"))
    run = nights.start(day)
    folder = f"nightshift/{SPEC}/runs/{run_key(run.run_id)}/listing"
    nights.wait_until(lambda: nights.has(f"{folder}/manifest.json"))
    # Between listing and building: the documents of one slice seem to lie where no bucket can be.
    listed = pq.read_table(pa.BufferReader(nights.read(f"{folder}/0001.parquet")))
    nowhere = pa.array(["not a bucket"] * listed.num_rows)
    poisoned = pa.BufferOutputStream()
    pq.write_table(
        listed.set_column(listed.column_names.index("bucket"), "bucket", nowhere), poisoned
    )
    nights.write(f"{folder}/0001.parquet", poisoned.getvalue().to_pybytes())

    red = nights.finish(run)
    assert red.state == "failed"
    assert nights.failures_of(red) == {
        ("build_requests", 1): "failed",
        ("reconcile_run", -1): "failed",
    }
    states = list(nights.states(red).values())
    assert sorted(states) == ["enriched"] * 3 + ["pending: not_built"] * 2
    assert nights.report(red).problems == ("tasks failed: build_requests_1",)

    healed = nights.clear(red, "list_documents")
    assert healed.state == "success"
    assert list(nights.states(healed).values()) == ["enriched"] * 5


def test_a_broken_listing_and_a_broken_shard_of_one_night_are_healed_by_clears(
    nights: Nights,
) -> None:
    day = PAST + dt.timedelta(days=11)
    nights.upload(day, texts("t1", "t2", "t3", "t4", "t5"))
    open_key = f"nightshift/ledger/{SPEC}/open.json"
    kept, bought = nights.read(open_key), nights.bought()
    nights.delete(open_key)
    unlisted = nights.finish(nights.start(day))
    assert unlisted.state == "failed"
    assert "open.json is missing although entries exist" in nights.log_of(
        unlisted, "list_documents"
    )
    assert "list_documents has not succeeded" in nights.log_of(unlisted, "plan_shards")
    assert nights.bought() == bought

    nights.write(open_key, kept)
    refusal = {"kind": "status", "op": "create", "code": 400, "error_type": "invalid_request_error"}
    nights.stack.simulator.control("faults", [refusal])
    red = nights.clear(unlisted, "list_documents")
    assert red.state == "failed"
    broken = [index for name, index in nights.failures_of(red) if "submit" in name]
    assert len(broken) == 1
    states = list(nights.states(red).values())
    assert states.count("enriched") in {2, 3}  # the other shard was not held up
    assert set(states) == {"enriched", "pending: in_flight"}
    assert nights.report(red).verdict == "red"

    nights.stack.api.clear(red, [("shard.submit_batch", broken[0])])
    healed = nights.finish(red)
    assert healed.state == "success"
    assert set(nights.states(healed).values()) == {"enriched"}
    nights.bought()


def test_params_that_make_no_sense_are_named_before_anything_is_listed(nights: Nights) -> None:
    run = nights.stack.api.trigger(DAG_ID, conf={"window_start": f"{PAST}T00:00:00+00:00"})
    assert nights.finish(run).state == "failed"
    assert "window_start and window_end go together" in nights.log_of(run, "list_documents")


def test_retries_started_by_hand_say_what_to_do_instead(nights: Nights) -> None:
    run = nights.finish(nights.stack.api.trigger(RETRY_DAG_ID))
    assert run.state == "failed"
    assert "requeue" in nights.log_of(run, "plan_round_1")


def test_above_its_budget_a_night_waits_for_a_person_and_does_as_told(nights: Nights) -> None:
    day = PAST + dt.timedelta(days=13)
    nights.upload(day, texts("v1", "v2"))
    bought = nights.bought()

    rejected = nights.start(day, budget_usd=0)
    nights.answer(rejected, "Reject")
    assert nights.finish(rejected).state == "success"
    assert set(nights.states(rejected).values()) == {"pending: spend_rejected"}
    assert nights.bought() == bought

    approved = nights.start(day, budget_usd=0)
    nights.answer(approved, "Approve")
    assert nights.finish(approved).state == "success"
    assert set(nights.states(approved).values()) == {"enriched"}
    assert nights.bought() == bought + 2
