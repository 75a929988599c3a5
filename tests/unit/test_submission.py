import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from include.batches import BatchRefusedError
from include.errors import AccountError, LedgerStateError, TransientError
from include.ledger import claim_key
from include.submission import Submitted, Waiting
from tests.factories import RUN, make_settings, request_ids, succeeded
from tests.fakes import Crash, FakeBatch, error_response
from tests.unit.bench import TEXTS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def crash_at(bench: Bench, verb: str, key_part: str) -> None:
    """Let the process die just before one call to the bucket."""

    def hook(called: str, key: str) -> None:
        if called == verb and key_part in key:
            bench.s3.hook = lambda verb, key: None
            raise Crash

    bench.s3.hook = hook


def crash_after_post(bench: Bench) -> None:
    """Let the process die with the answer of its POST in hand, before writing it down."""
    crash_at(bench, "put", claim_key("").removesuffix(".json"))


def add_stranger(bench: Bench, *custom_ids: str) -> FakeBatch:
    """Let somebody else's batch appear in the workspace."""
    batch, _ = bench.workspace.create(custom_ids)
    assert batch is not None
    return batch


def test_batch_is_posted_once_and_written_down(bench: Bench) -> None:
    shard = bench.plan()
    submitted = [bench.advance(shard) for _ in range(2)]
    assert submitted == [Submitted("msgbatch_1")] * 2
    assert [one.origin for one in submitted if isinstance(one, Submitted)] == ["posted", "known"]
    entry = bench.entry(shard)
    assert (entry.state, entry.batch_id, entry.is_adopted) == ("submitted", "msgbatch_1", False)
    assert bench.ledger.find_claim("msgbatch_1").shard_id == shard  # type: ignore[union-attr]  # claimed
    assert bench.server.posted_count == 1
    assert sorted(bench.accepted[0].custom_ids) == sorted(request_ids(TEXTS))


def test_intent_is_written_before_the_post_and_tells_how_long_to_look(bench: Bench) -> None:
    shard = bench.plan()
    seen = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(bench.entry(shard))
        return error_response(500)

    bench.server.answers.append(answer)
    bench.advance(shard)
    (entry,) = seen
    assert entry.state == "intent"
    intent = entry.intent
    assert intent is not None
    assert intent.t0 == entry.first_t0 == bench.clock.now
    assert intent.look_until - intent.t0 == dt.timedelta(seconds=bench.look_seconds)


class TestCrashes:
    """A worker dies; the next one looks before it pays."""

    def test_between_intent_and_post_costs_only_time(self, bench: Bench) -> None:
        shard = bench.plan()

        def die(seconds: float) -> None:
            raise Crash

        with pytest.raises(Crash):
            bench.advance(shard, pause=die)
        assert isinstance(bench.advance(shard), Waiting)
        bench.clock.advance(bench.look_seconds)
        assert isinstance(bench.advance(shard), Waiting)
        bench.clock.advance(1)
        assert bench.advance(shard) == Submitted("msgbatch_1")
        assert len(bench.accepted) == 1

    def test_between_post_and_record_is_adopted_once_its_results_prove_it(
        self, bench: Bench
    ) -> None:
        shard = bench.plan()
        crash_after_post(bench)
        with pytest.raises(Crash):
            bench.advance(shard)
        bench.clock.advance(bench.look_seconds + 1)
        assert "may be this shard" in bench.advance(shard).reason  # type: ignore[union-attr]  # it waits
        bench.workspace.end(bench.accepted[0])
        found = bench.advance(shard)
        assert found == Submitted("msgbatch_1")
        assert found.origin == "adopted"
        assert bench.entry(shard).is_adopted
        assert len(bench.accepted) == 1

    def test_between_claim_and_entry_needs_no_results(self, bench: Bench) -> None:
        shard = bench.plan()
        writes = iter(["intent", "claim", "entry"])

        def hook(verb: str, key: str) -> None:
            if verb == "put" and next(writes) == "entry":
                bench.s3.hook = lambda verb, key: None
                raise Crash

        bench.s3.hook = hook
        with pytest.raises(Crash):
            bench.advance(shard)
        assert bench.entry(shard).state == "intent"
        assert bench.advance(shard) == Submitted("msgbatch_1")
        assert len(bench.accepted) == 1

    @pytest.mark.parametrize("fate", ["lost", "late"])
    def test_lost_answer_is_found_again(self, bench: Bench, fate: str) -> None:
        shard = bench.plan()
        bench.workspace.landing_seconds = 900
        bench.workspace.fates.append(fate)  # type: ignore[arg-type]  # parametrized
        assert "no answer" in bench.advance(shard).reason  # type: ignore[union-attr]  # it waits
        bench.clock.advance(1_000)
        assert isinstance(bench.advance(shard), Waiting)
        bench.clock.advance(bench.look_seconds)
        assert isinstance(bench.advance(shard), Waiting)
        bench.workspace.end(bench.accepted[0])
        assert bench.advance(shard) == Submitted("msgbatch_1")
        assert len(bench.accepted) == 1

    def test_post_that_came_to_nothing_is_paid_again_after_the_look(self, bench: Bench) -> None:
        shard = bench.plan()
        bench.workspace.fates.append("nothing")
        bench.advance(shard)
        bench.clock.advance(bench.look_seconds + 1)
        assert bench.advance(shard) == Submitted("msgbatch_1")
        assert bench.server.posted_count == 2
        assert len(bench.accepted) == 1

    def test_new_intent_keeps_the_first_time_from_which_batches_may_be_ours(
        self, bench: Bench
    ) -> None:
        shard = bench.plan()
        bench.workspace.fates.extend(["nothing", "nothing"])
        bench.advance(shard)
        first = bench.entry(shard).first_t0
        bench.clock.advance(bench.look_seconds + 1)
        bench.advance(shard)
        entry = bench.entry(shard)
        assert entry.first_t0 == first < entry.intent.t0  # type: ignore[union-attr,operator]  # an intent


class TestLooking:
    """Which batches of the workspace may be ours."""

    def look(self, bench: Bench, shard: str) -> Submitted | Waiting:
        """Look after the time in which a lost batch may still land."""
        bench.clock.advance(bench.look_seconds + 1)
        return bench.advance(shard)

    @pytest.fixture
    def shard(self, bench: Bench) -> str:
        """A shard whose first POST came to nothing, unanswered."""
        shard = bench.plan()
        bench.workspace.fates.append("nothing")
        bench.advance(shard)
        return shard

    def test_stranger_of_equal_count_is_waited_for_and_then_struck(
        self, bench: Bench, shard: str
    ) -> None:
        stranger = add_stranger(bench, "a", "b", "c")
        assert isinstance(self.look(bench, shard), Waiting)
        bench.clock.advance(80_000)
        assert isinstance(bench.advance(shard), Waiting)
        bench.workspace.end(stranger)
        while isinstance(found := bench.advance(shard), Waiting):
            assert bench.entry(shard).struck_batch_ids == (stranger.batch_id,)
        assert found == Submitted("msgbatch_2")
        assert bench.entry(shard).struck_batch_ids == (stranger.batch_id,)
        assert bench.ledger.find_claim(stranger.batch_id) is None

    def test_other_counts_are_no_candidates(self, bench: Bench, shard: str) -> None:
        add_stranger(bench, "a", "b")
        assert self.look(bench, shard) == Submitted("msgbatch_2")

    def test_older_batches_are_no_candidates(self, bench: Bench) -> None:
        add_stranger(bench, "a", "b", "c")
        bench.clock.advance(3_601)
        shard = bench.plan()
        bench.workspace.fates.append("nothing")
        bench.advance(shard)
        assert self.look(bench, shard) == Submitted("msgbatch_2")

    def test_batch_dated_a_little_before_the_intent_is_a_candidate(self, bench: Bench) -> None:
        add_stranger(bench, "a", "b", "c")
        bench.clock.advance(3_599)
        shard = bench.plan()
        bench.workspace.fates.append("nothing")
        bench.advance(shard)
        assert isinstance(self.look(bench, shard), Waiting)

    def test_batch_claimed_for_another_shard_is_no_candidate(
        self, bench: Bench, shard: str
    ) -> None:
        other = add_stranger(bench, "a", "b", "c")
        bench.ledger.claim(other.batch_id, "other-shard-0", now=bench.clock.now)
        assert self.look(bench, shard) == Submitted("msgbatch_2")

    def test_results_that_cannot_be_read_strike_nothing(self, bench: Bench, shard: str) -> None:
        stranger = add_stranger(bench, "a", "b", "c")
        bench.workspace.end(stranger)
        bench.server.overrides["results"] = lambda request: httpx2.Response(200, content=b'{"cus')
        with pytest.raises(TransientError, match="cannot be read yet"):
            self.look(bench, shard)
        assert bench.entry(shard).struck_batch_ids == ()
        assert bench.server.posted_count == 1

    def test_first_result_line_may_be_the_only_one_and_begin_with_a_mark(
        self, bench: Bench, shard: str
    ) -> None:
        batch = add_stranger(bench, *request_ids(TEXTS))
        bench.workspace.end(batch)
        line = b"\xef\xbb\xbf\n" + json.dumps(succeeded(batch.custom_ids[1])).encode()
        bench.server.overrides["results"] = lambda request: httpx2.Response(200, content=line)
        assert self.look(bench, shard) == Submitted(batch.batch_id)

    def test_of_two_shards_with_equal_counts_the_owner_gets_the_batch(self, bench: Bench) -> None:
        mine, other = bench.plan(["mine"]), bench.plan(["other"])
        bench.workspace.fates.extend(["nothing", "lost"])
        bench.advance(mine)
        bench.advance(other)
        assert isinstance(self.look(bench, mine), Waiting)
        assert isinstance(bench.advance(other), Waiting)
        bench.workspace.end(bench.accepted[0])
        for _ in range(3):
            bench.advance(mine)
        assert bench.advance(other) == Submitted("msgbatch_1")
        assert bench.advance(mine) == Submitted("msgbatch_2")
        assert set(bench.workspace.purchases().values()) == {1}

    def test_look_ends_by_the_clock_of_the_api(self, bench: Bench, shard: str) -> None:
        bench.server.now = lambda: bench.clock.now - dt.timedelta(seconds=500)
        assert isinstance(self.look(bench, shard), Waiting)
        bench.clock.advance(500)
        assert bench.advance(shard) == Submitted("msgbatch_1")

    def test_listing_without_a_date_decides_nothing(self, bench: Bench, shard: str) -> None:
        empty = {"data": [], "has_more": False, "first_id": None, "last_id": None}
        bench.server.overrides["list"] = lambda request: httpx2.Response(
            200, json=empty, headers={"date": "soon"}
        )
        with pytest.raises(TransientError, match="no Date"):
            self.look(bench, shard)
        assert bench.server.posted_count == 1


class TestStartAllowance:
    """A worker that was held up does not post."""

    def test_long_pause_gives_the_intent_back(self, bench: Bench) -> None:
        shard = bench.plan()
        late = bench.advance(shard, pause=lambda seconds: bench.clock.advance(61))
        assert late == Waiting("the POST did not start in time")
        assert (bench.entry(shard).state, bench.server.posted_count) == ("planned", 0)
        assert bench.advance(shard) == Submitted("msgbatch_1")

    def test_time_counts_from_before_the_listing(self, bench: Bench) -> None:
        shard = bench.plan()
        listed = bench.server._list

        def slow(request: httpx2.Request) -> httpx2.Response:
            response = listed(request)
            response.headers["date"] = f"{bench.clock.now:%a, %d %b %Y %H:%M:%S} GMT"
            bench.clock.advance(61)
            return response

        bench.server.overrides["list"] = slow
        assert bench.advance(shard) == Waiting("the POST did not start in time")
        assert bench.server.posted_count == 0

    def test_intent_that_cannot_be_given_back_only_costs_time(self, bench: Bench) -> None:
        shard = bench.plan()

        def hold_up(seconds: float) -> None:
            bench.clock.advance(61)
            bench.s3.fail_once("put", shard, "outage")

        assert isinstance(bench.advance(shard, pause=hold_up), Waiting)
        assert bench.entry(shard).state == "intent"
        bench.clock.advance(bench.look_seconds)
        assert bench.advance(shard) == Submitted("msgbatch_1")

    def test_worker_overtaken_before_its_intent_posts_nothing(self, bench: Bench) -> None:
        shard = bench.plan()
        listings = []

        def overtaking(request: httpx2.Request) -> httpx2.Response:
            listings.append(request)
            if len(listings) == 2:
                del bench.server.overrides["list"]
                assert bench.advance(shard) == Submitted("msgbatch_1")
            return bench.server._list(request)

        bench.server.overrides["list"] = overtaking
        assert bench.advance(shard) == Waiting("another worker moved this shard")
        assert len(bench.accepted) == 1


class TestAnswers:
    """What an answer to the POST means for the next one."""

    @pytest.mark.parametrize("status", [400, 404, 413, 422])
    def test_definite_refusal_gives_the_intent_back(self, bench: Bench, status: int) -> None:
        shard = bench.plan()
        bench.server.answers.append(lambda request: error_response(status, "not_liked", "bad body"))
        with pytest.raises(BatchRefusedError, match=f"{status} not_liked: .*bad body"):
            bench.advance(shard)
        assert bench.entry(shard).state == "planned"
        assert bench.advance(shard) == Submitted("msgbatch_1")

    @pytest.mark.parametrize(
        "answer",
        [
            *(
                pytest.param(lambda request, s=status: error_response(s), id=str(status))
                for status in (408, 409, 500, 503, 504, 529)
            ),
            pytest.param(httpx2.ReadTimeout("slow"), id="read timeout"),
            pytest.param(httpx2.WriteError("reset"), id="write error"),
            pytest.param(httpx2.ConnectTimeout("slow"), id="connect timeout"),
            pytest.param(lambda request: httpx2.Response(200, json={}), id="no batch id"),
            pytest.param(lambda request: httpx2.Response(200, text="<html>"), id="no json"),
            pytest.param(
                lambda request: httpx2.Response(502, text="<html>bad gateway"), id="gateway page"
            ),
        ],
    )
    def test_unclear_answer_is_looked_into_before_paying_again(
        self, bench: Bench, answer: Callable[[httpx2.Request], httpx2.Response] | Exception
    ) -> None:
        shard = bench.plan()
        bench.server.answers.append(answer)
        assert "looking before paying again" in bench.advance(shard).reason  # type: ignore[union-attr]  # it waits
        assert bench.entry(shard).state == "intent"
        bench.clock.advance(bench.look_seconds)
        assert isinstance(bench.advance(shard), Waiting)
        assert bench.server.posted_count == 1

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [({"retry-after": "17"}, 17), ({}, 0), ({"retry-after": "Tue, 10 Nov 2026"}, 0)],
        ids=["seconds", "none", "date"],
    )
    def test_throttling_waits_as_told_and_then_posts(
        self, bench: Bench, headers: dict[str, str], seconds: float
    ) -> None:
        shard = bench.plan()
        bench.server.answers.append(
            lambda request: error_response(429, "rate_limit_error", headers=headers)
        )
        assert bench.advance(shard) == Waiting("throttled: rate_limit_error", seconds)
        assert bench.entry(shard).state == "planned"
        assert bench.advance(shard) == Submitted("msgbatch_1")
        assert len(bench.accepted) == 1

    def test_hours_of_throttling_do_not_make_the_entry_grow(self, bench: Bench) -> None:
        shard = bench.plan()
        for _ in range(5):
            bench.server.answers.append(lambda request: error_response(429, "rate_limit_error"))
            assert isinstance(bench.advance(shard), Waiting)
        steps = [(step.state, step.note, step.times) for step in bench.entry(shard).history]
        assert steps == [("planned", "", 1), ("planned", "throttled: rate_limit_error", 5)]

    @pytest.mark.parametrize(
        "refusal",
        [
            pytest.param((401, "authentication_error", "bad key", None), id="key"),
            pytest.param((402, "billing_error", "pay", None), id="billing"),
            pytest.param((403, "permission_error", "not yours", None), id="permission"),
            pytest.param(
                (400, "invalid_request_error", "Your credit balance is too low", None), id="credit"
            ),
            pytest.param(
                (400, "invalid_request_error", "You have reached your API usage limits", None),
                id="own limit",
            ),
            pytest.param(
                (429, "rate_limit_error", "no", {"error_code": "enforced_spend_limit_reached"}),
                id="spend cap",
            ),
        ],
    )
    @pytest.mark.parametrize("at", ["post", "list"])
    def test_refused_account_stops_and_is_noted(
        self, bench: Bench, refusal: tuple[int, str, str, dict[str, str] | None], at: str
    ) -> None:
        shard = bench.plan()
        status, kind, text, details = refusal

        def refuse(request: httpx2.Request) -> httpx2.Response:
            return error_response(status, kind, text, details=details)

        if at == "post":
            bench.server.answers.extend([refuse, refuse])
        else:
            bench.server.overrides["list"] = refuse
        for _ in range(2):
            with pytest.raises(AccountError, match=f"refuses the account: {status}"):
                bench.advance(shard)
        entry = bench.entry(shard)
        assert (entry.state, entry.history[-1].note) == ("planned", "account")
        assert entry.history[-2].note != "account"
        bench.server.overrides.clear()
        assert bench.advance(shard) == Submitted("msgbatch_1")


class TestRefusingToSubmit:
    """Shards that are not this run's to submit are not bought."""

    def test_without_room_in_flight_nothing_is_written(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, make_settings(max_requests_in_flight=5, max_requests_per_shard=5))
        shard = bench.plan()
        other = add_stranger(bench, "a", "b", "c")
        before = bench.entry(shard)
        assert bench.advance(shard) == Waiting("no room: 3 requests are in flight")
        assert bench.entry(shard) == before
        bench.workspace.end(other)
        assert bench.advance(shard) == Submitted("msgbatch_2")

    def test_without_approval_of_this_run(self, bench: Bench) -> None:
        shard = bench.plan(approved_by=("run-2",))
        with pytest.raises(LedgerStateError, match="run run-1 has no approval"):
            bench.advance(shard)
        assert bench.server.posted_count == 0
        assert bench.advance(shard, run_key="run-2") == Submitted("msgbatch_1")

    def test_planned_by_a_plan_that_was_overtaken(self, bench: Bench) -> None:
        shard = bench.plan()
        held = bench.ledger.read_open()
        bench.ledger.put_open(held, held.record.model_copy(update={"shards": {}}))
        with pytest.raises(LedgerStateError, match=r"not in open\.json"):
            bench.advance(shard)
        assert bench.server.posted_count == 0

    def test_abandoned(self, bench: Bench) -> None:
        shard = bench.plan()
        bench.ledger.change(
            shard,
            lambda entry: entry.moved(
                state="abandoned", by=RUN, at=bench.clock.now, note="spend_rejected"
            ),
        )
        with pytest.raises(LedgerStateError, match=r"abandoned \(spend_rejected\)"):
            bench.advance(shard)
        assert bench.server.posted_count == 0

    def test_body_that_is_not_what_was_planned(self, bench: Bench) -> None:
        shard = bench.plan()
        bench.ledger.change(
            shard, lambda entry: entry.model_copy(update={"body_bytes": entry.body_bytes + 1})
        )
        with pytest.raises(LedgerStateError, match="nothing is bought"):
            bench.advance(shard)
        assert (bench.entry(shard).state, bench.server.posted_count) == ("planned", 0)


class TestSurplus:
    """A second batch of a shard is written down, canceled and reported."""

    def record_while_posting(self, bench: Bench, shard: str, change: Callable[[], None]) -> None:
        def answer(request: httpx2.Request) -> httpx2.Response:
            change()
            return bench.server._post(request)

        bench.server.answers.append(answer)

    def test_when_another_batch_was_proven_meanwhile(self, bench: Bench) -> None:
        shard = bench.plan()

        def prove_other() -> None:
            bench.ledger.claim("msgbatch_0", shard, now=bench.clock.now)
            bench.ledger.change(
                shard, lambda entry: entry.model_copy(update={"batch_id": "msgbatch_0"})
            )

        self.record_while_posting(bench, shard, prove_other)
        assert bench.advance(shard) == Submitted("msgbatch_0")
        entry = bench.entry(shard)
        assert (entry.batch_id, entry.surplus_batch_ids) == ("msgbatch_0", ("msgbatch_1",))
        assert bench.workspace.canceled_ids == ["msgbatch_1"]
        assert bench.ledger.read_open().record.surplus == {"msgbatch_1": shard}
        assert bench.ledger.find_claim("msgbatch_1").shard_id == shard  # type: ignore[union-attr]  # claimed

    def test_when_the_shard_was_abandoned_meanwhile(self, bench: Bench) -> None:
        shard = bench.plan()

        def abandon() -> None:
            bench.ledger.change(
                shard,
                lambda entry: entry.moved(state="abandoned", by="person", at=bench.clock.now),
            )

        self.record_while_posting(bench, shard, abandon)
        with pytest.raises(LedgerStateError, match="is surplus"):
            bench.advance(shard)
        assert bench.entry(shard).surplus_batch_ids == ("msgbatch_1",)
        assert bench.workspace.canceled_ids == ["msgbatch_1"]

    def test_batch_that_somebody_claimed_for_another_shard_is_not_taken(self, bench: Bench) -> None:
        shard = bench.plan()

        def claim_elsewhere() -> None:
            bench.ledger.claim("msgbatch_1", "other-shard-0", now=bench.clock.now)

        self.record_while_posting(bench, shard, claim_elsewhere)
        with pytest.raises(LedgerStateError, match="claimed for shard other-shard-0"):
            bench.advance(shard)
        assert bench.entry(shard).batch_id is None


def test_several_workers_of_several_runs_buy_one_batch(bench: Bench) -> None:
    shard = bench.plan(approved_by=("run-1", "run-2"))
    workers = [bench.submission(shard, run_key=f"run-{n}") for n in (1, 2, 1)]
    assert {worker.advance() for worker in workers} == {Submitted("msgbatch_1")}
    assert dataclasses.replace(workers[0], run_key="run-3").advance() == Submitted("msgbatch_1")
    assert len(bench.accepted) == 1
