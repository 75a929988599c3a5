from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.entries import Entry, Output
from include.errors import (
    LedgerConflictError,
    LedgerStateError,
    LimitExceededError,
    StorageUnavailableError,
)
from include.forecast import RequestPricing
from include.forecasting import Forecasting
from include.ledger import Ledger
from include.long_documents import LongDocuments
from include.owners import read_owners
from include.planning import MAX_SHARDS, Planner, ShardPlan
from include.prices import PriceList
from include.result_columns import FAILURES_SCHEMA
from include.shards import ShardFiles, make_body, read_schema
from include.storage import ObjectStore
from include.token_rates import OutputRate, TokenRates
from include.token_sampling import SAMPLE_COUNT
from tests.factories import (
    RUN,
    make_frozen_spec,
    make_planner,
    make_settings,
    plan_shards,
    request_ids,
    write_index,
    write_known,
)
from tests.fakes import START, Crash, FakeS3

Plan = Callable[..., ShardPlan]
TEXTS = ["a", "b", "c"]


@pytest.fixture
def plan(store: ObjectStore, tmp_path: Path) -> Plan:
    """Plan the requests of some texts; what the warehouse knows may be said."""

    def plan_texts(
        texts: Sequence[str] = TEXTS,
        *,
        known: Iterable[str] = (),
        dry_run: bool = False,
        **changes: Any,
    ) -> ShardPlan:
        planner = make_planner(store, tmp_path, **changes)
        index_key = write_index(store, tmp_path, texts)
        return planner.plan(
            [index_key], lambda: write_known(store, tmp_path, known), dry_run=dry_run
        )

    return plan_texts


def ids_of(store: ObjectStore, work_dir: Path, shard_id: str) -> set[str]:
    return set(read_owners(store, Ledger(store, "notes").read(shard_id).record, work_dir).row_of)


def move(ledger: Ledger, shard_id: str, state: Any, **changes: Any) -> Entry:
    return ledger.change(
        shard_id, lambda entry: entry.moved(state=state, by=RUN, at=START, **changes)
    )


Ending = Literal["answered", "refused", "truncated", "expired"]
FOLLOWUPS = {"refused": "dead_letter", "truncated": "retry", "expired": "retry"}


@pytest.fixture
def collect(store: ObjectStore, ledger: Ledger, tmp_path: Path) -> Callable[..., None]:
    """Give an open shard its outcomes: texts by what came of them."""

    def write(key: str, rows: list[dict[str, str]], shape: pa.Schema) -> None:
        pq.write_table(pa.Table.from_pylist(rows, schema=shape), tmp_path / "part")
        store.upload(tmp_path / "part", key)

    def collect_shard(shard_id: str, **endings: Ending) -> None:
        output, good, bad = outcomes(shard_id, endings)
        write(output.enrichments_key, good, pa.schema([("request_id", pa.string())]))
        write(output.failures_key, bad, FAILURES_SCHEMA)
        move(ledger, shard_id, "collected", output=output)

    return collect_shard


def outcomes(
    shard_id: str, endings: Mapping[str, Ending]
) -> tuple[Output, list[dict[str, str]], list[dict[str, str]]]:
    """Return the output of a shard, its enrichments and its failures."""
    files = ShardFiles("notes", shard_id)
    ids = dict(zip(endings, request_ids(endings), strict=True))
    good = [{"request_id": ids[text]} for text, end in endings.items() if end == "answered"]
    bad = [
        {"request_id": ids[text], "outcome": end, "followup": FOLLOWUPS[end]}
        for text, end in endings.items()
        if end != "answered"
    ]
    output = Output(
        attempt="1",
        collected_at=START,
        results_key=files.results_key("1"),
        enrichments_key=files.enrichments_key("1"),
        failures_key=files.failures_key("1"),
        enrichment_count=len(good),
        failure_count=len(bad),
    )
    return output, good, bad


def counts(shard_plan: ShardPlan) -> tuple[int, int, int, int]:
    return (
        shard_plan.needed_count,
        shard_plan.known_count,
        shard_plan.joined_count,
        shard_plan.bought_count,
    )


class TestWhatIsBought:
    """In the design's order: known, joined, bought."""

    def test_new_requests_are_bought(
        self, plan: Plan, ledger: Ledger, store: ObjectStore, tmp_path: Path
    ) -> None:
        made = plan()
        (shard,) = made.shards
        assert counts(made) == (3, 0, 0, 3)
        assert list(ledger.read_open().record.shards) == [shard.shard_id]
        assert ids_of(store, tmp_path, shard.shard_id) == set(request_ids(TEXTS))
        entry = ledger.read(shard.shard_id).record
        assert (entry.state, entry.run_key, entry.approved_by) == ("planned", RUN, ())
        assert made.estimate_usd == entry.estimate_usd > 0

    def test_planned_bytes_are_the_bytes_of_the_body(
        self, plan: Plan, ledger: Ledger, store: ObjectStore, tmp_path: Path
    ) -> None:
        (shard,) = plan(["ä", '"', "\n" * 500]).shards
        entry = ledger.read(shard.shard_id).record
        body = make_body(store, entry, tmp_path)
        assert (body.byte_count, body.request_count) == (entry.body_bytes, entry.request_count)
        schema, _ = read_schema(store, ShardFiles("notes", shard.shard_id))
        assert schema.prompt_version == entry.prompt_version

    def test_documents_of_equal_content_need_one_request(self, plan: Plan) -> None:
        assert counts(plan(["a", "a", "b"])) == (2, 0, 0, 2)

    def test_each_part_of_a_long_document_is_bought_once_and_paid_for(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        how = LongDocuments(mode="split", merge={"topic": "first", "mood": "first"})
        spec = make_frozen_spec(max_characters=40, long_documents=how)
        one, other = ("It rained. " * 3 + end for end in ("It snowed. " * 3, "It cleared up. " * 2))
        made = plan_shards(store, tmp_path, ["short", one, one, other], spec=spec)
        (shard,) = made.shards
        assert (made.needed_count, made.split_count, made.truncated_count) == (4, 3, 0)
        assert made.estimate_usd > plan_shards(store, tmp_path, ["short"]).estimate_usd * 3
        entry = Ledger(store, "notes").read(shard.shard_id).record
        owners = read_owners(store, entry, tmp_path).table.to_pylist()
        assert sorted(
            (one["document_id"], one["part_number"] or 0, one["part_count"] or 0) for one in owners
        ) == [
            ("document-0", 0, 0),
            ("document-1", 1, 2),
            ("document-1", 2, 2),
            ("document-3", 2, 2),
        ]

    def test_known_requests_are_not_bought(self, plan: Plan) -> None:
        assert counts(plan(known=request_ids(["a", "b"]))) == (3, 2, 0, 1)

    def test_nothing_to_buy_leaves_the_ledger_alone(self, plan: Plan, ledger: Ledger) -> None:
        before = ledger.read_open()
        made = plan(known=request_ids(TEXTS))
        assert (made.shards, ledger.read_open()) == ((), before)

    def test_requests_of_an_open_shard_are_waited_for(self, plan: Plan) -> None:
        (first,) = plan(["a", "b"]).shards
        second = plan(["b", "c"], run_key="run-2")
        joined, own = second.shards
        assert counts(second) == (2, 0, 1, 1)
        assert (joined.shard_id, joined.is_joined, own.is_joined) == (first.shard_id, True, False)
        assert second.estimate_usd == own.estimate_usd

    def test_known_wins_over_open(self, plan: Plan) -> None:
        plan(["a", "b"])
        again = plan(["a", "b"], known=request_ids(["a", "b"]))
        assert (counts(again), again.shards) == ((2, 2, 0, 0), ())

    @pytest.mark.parametrize(
        ("ending", "round_number", "is_bought"),
        [
            ("answered", 0, False),
            ("refused", 0, False),
            ("expired", 0, True),
            ("truncated", 0, False),
            ("truncated", 1, True),
        ],
    )
    def test_request_of_a_collected_shard_is_bought_again_only_if_that_can_help(
        self,
        plan: Plan,
        collect: Callable[..., None],
        *,
        ending: Ending,
        round_number: int,
        is_bought: bool,
    ) -> None:
        (shard,) = plan(["a", "b"]).shards
        collect(shard.shard_id, a=ending, b="answered")
        made = plan(["a"], round_number=round_number, run_key="run-2")
        assert counts(made) == (1, 0, int(not is_bought), int(is_bought))
        assert [one.is_joined for one in made.shards] == [not is_bought]

    @pytest.mark.parametrize("round_number", [0, 1])
    def test_paid_failure_of_the_same_round_is_waited_for_whatever_run_asks(
        self, plan: Plan, collect: Callable[..., None], round_number: int
    ) -> None:
        """Two retry runs ask a truncated request in the same words: once is enough."""
        (shard,) = plan(["a", "b"], round_number=round_number).shards
        collect(shard.shard_id, a="truncated", b="answered")
        other = plan(["a", "c"], round_number=round_number, run_key="run-2")
        assert counts(other) == (2, 0, 1, 1)

    def test_unanswered_requests_of_a_collected_shard_are_a_new_shard(
        self, plan: Plan, collect: Callable[..., None]
    ) -> None:
        """Its run may wait for other shards for hours before it loads and closes this one."""
        (shard,) = plan(["a"]).shards
        collect(shard.shard_id, a="expired")
        (again,) = plan(["a"], run_key="run-2").shards
        assert again.shard_id == f"{shard.shard_id.removesuffix('-0')}-1"

    def test_shard_loaded_and_closed_while_planning_is_found_in_the_warehouse(
        self, plan: Plan, store: ObjectStore, ledger: Ledger, tmp_path: Path
    ) -> None:
        """Reading the warehouse first would find the answers in neither place, and buy again."""
        (shard,) = plan(TEXTS).shards
        index_key = write_index(store, tmp_path, TEXTS)
        is_loaded = False

        def load_and_close() -> None:
            nonlocal is_loaded
            if not is_loaded:
                is_loaded = True
                move(ledger, shard.shard_id, "loaded", batch_id="msgbatch_1")
                ledger.close(shard.shard_id)

        def write_known_now() -> str:
            return write_known(store, tmp_path, request_ids(TEXTS) if is_loaded else ())

        class Loaded(Planner):
            """Reads what is open just before another run loads it, and just after."""

            def _without_closed(self, held: Any) -> Any:
                load_and_close()
                return super()._without_closed(held)

        planner = make_planner(store, tmp_path, run_key="run-2")
        racing = Loaded(**{name: getattr(planner, name) for name in Planner.__annotations__})
        assert racing.plan([index_key], write_known_now).bought_count == 0


class TestIdentities:
    """The same requests are the same shard, whoever asks, until that shard is closed."""

    def test_shard_id_is_the_same_for_every_run(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3
    ) -> None:
        (first,) = plan(TEXTS, run_key="run-1").shards
        bucket.objects.clear()
        (second,) = plan(TEXTS[::-1], run_key="run-2").shards
        assert first.shard_id == second.shard_id
        assert first.shard_id.endswith("-0")

    def test_closed_digest_is_numbered_on(self, plan: Plan, ledger: Ledger) -> None:
        seen = []
        for _ in range(3):
            (shard,) = plan(TEXTS).shards
            seen.append(shard.shard_id)
            move(ledger, shard.shard_id, "abandoned")
            ledger.close(shard.shard_id)
        digest = seen[0].removesuffix("-0")
        assert seen == [f"{digest}-{n}" for n in range(3)]

    def test_rounds_do_not_share_shards(self, plan: Plan, bucket: FakeS3) -> None:
        (night,) = plan(round_number=0).shards
        bucket.objects.clear()
        (retry,) = plan(round_number=1).shards
        assert night.shard_id != retry.shard_id

    def test_open_shards_differ_in_their_counts(self, plan: Plan, ledger: Ledger) -> None:
        plan(["a", "b", "c"])
        made = plan(["d", "e", "f"])
        assert sorted(shard.request_count for shard in made.shards) == [1, 2]


class TestCrashes:
    """What a crash leaves is finished, and never bought."""

    def die_at(self, bucket: FakeS3, key_part: str) -> None:
        def hook(verb: str, key: str) -> None:
            if verb == "put" and key_part in key:
                bucket.hook = lambda verb, key: None
                raise Crash

        bucket.hook = hook

    @pytest.mark.parametrize("key_part", ["request_ids-", "schema.json", "-0.json", "open"])
    def test_plan_that_died_is_made_anew(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3, key_part: str
    ) -> None:
        ledger.read_open()
        self.die_at(bucket, key_part)
        with pytest.raises(Crash):
            plan()
        assert ledger.read_open().record.shards == {}
        (shard,) = plan(run_key="run-2").shards
        assert shard.shard_id.endswith("-0")
        entry = ledger.read(shard.shard_id).record
        assert (entry.state, entry.run_key) == ("planned", "run-2")
        assert list(ledger.read_open().record.shards) == [shard.shard_id]

    def test_taken_over_entry_keeps_what_was_learnt_of_its_batches(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3
    ) -> None:
        ledger.read_open()
        self.die_at(bucket, "open")
        with pytest.raises(Crash):
            plan()
        (key,) = [key for key in bucket.objects if key.endswith("-0.json")]
        one = Path(key).stem
        learnt = {"first_t0": START, "struck_batch_ids": ("x",), "surplus_batch_ids": ("y",)}
        move(ledger, one, "planned", **learnt)
        plan(run_key="run-2")
        entry = ledger.read(one).record
        assert {name: getattr(entry, name) for name in learnt} == learnt

    def test_take_over_that_died_leaves_the_earlier_list_of_requests(
        self, ledger: Ledger, bucket: FakeS3, store: ObjectStore, tmp_path: Path
    ) -> None:
        """The same requests, whose lines lie elsewhere and are longer in the second plan."""
        ledger.read_open()
        for key_part, max_output_tokens in (("open", 100), ("-0.json", 1_000)):
            self.die_at(bucket, key_part)
            with pytest.raises(Crash):
                plan_shards(
                    store,
                    tmp_path,
                    TEXTS,
                    spec=make_frozen_spec(max_output_tokens=max_output_tokens),
                )
        (key,) = [key for key in bucket.objects if key.endswith("-0.json")]
        entry = ledger.read(Path(key).stem).record
        assert make_body(store, entry, tmp_path).byte_count == entry.body_bytes

    def test_entry_closed_but_not_taken_out_is_finished(self, plan: Plan, ledger: Ledger) -> None:
        (shard,) = plan().shards
        move(ledger, shard.shard_id, "loaded")
        again = plan(known=request_ids(TEXTS))
        record = ledger.read_open().record
        assert (again.shards, record.shards, record.loaded_count) == ((), {}, 1)

    def test_unreadable_ledger_buys_nothing(self, plan: Plan, bucket: FakeS3) -> None:
        (shard,) = plan().shards
        bucket.fail_once("get", shard.shard_id, "outage")
        with pytest.raises(StorageUnavailableError):
            plan(["a", "d"])

    def test_lost_answer_of_the_decision_is_told_by_its_nonce(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3
    ) -> None:
        ledger.read_open()
        bucket.fail_once("put", "open.json", "lost")
        made = plan()
        assert ledger.read_open().record.plan_number == made.plan_number == 1


class TestTwoPlansAtOnce:
    """The put of `open.json` decides between them."""

    def interrupt(self, bucket: FakeS3, act: Callable[[], object], *, times: int = 1) -> None:
        """Do something else just before the decision."""
        left = iter(range(times))

        def hook(verb: str, key: str) -> None:
            if verb == "put" and key.endswith("open.json") and next(left, None) is not None:
                current, bucket.hook = bucket.hook, lambda verb, key: None
                act()
                bucket.hook = current

        bucket.hook = hook

    def test_the_slower_one_plans_again_and_joins(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3, store: ObjectStore, tmp_path: Path
    ) -> None:
        ledger.read_open()
        other = tmp_path / "other"
        other.mkdir()
        self.interrupt(bucket, lambda: plan_shards(store, other, ["b", "c", "d"], run_key="run-2"))
        made = plan(["a", "b"])
        assert counts(made) == (2, 0, 1, 1)
        opened = ledger.read_open().record
        bought = [one for shard in opened.shards for one in ids_of(store, tmp_path, shard)]
        assert sorted(bought) == sorted(request_ids(["a", "b", "c", "d"]))

    def test_same_plan_twice_opens_one_shard(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3, store: ObjectStore, tmp_path: Path
    ) -> None:
        ledger.read_open()
        other = tmp_path / "other"
        other.mkdir()
        self.interrupt(bucket, lambda: plan_shards(store, other, TEXTS, run_key="run-2"))
        made = plan()
        assert counts(made) == (3, 0, 3, 0)
        assert len(ledger.read_open().record.shards) == 1

    def test_shard_submitted_in_between_is_not_planned_over(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3, store: ObjectStore, tmp_path: Path
    ) -> None:
        ledger.read_open()
        self.interrupt(bucket, lambda: move(ledger, planned()[0], "submitted"))

        def planned() -> list[str]:
            return [Path(key).stem for key in bucket.objects if key.endswith("-0.json")]

        plan()
        held = ledger.read_open()
        ledger.put_open(held, held.record.model_copy(update={"shards": {}}))
        with pytest.raises(LedgerConflictError, match="was submitted by a plan made at the same"):
            plan()

    def test_closer_in_between_is_merged(self, plan: Plan, ledger: Ledger, bucket: FakeS3) -> None:
        (old,) = plan(["x"]).shards

        def close() -> None:
            move(ledger, old.shard_id, "loaded")
            ledger.close(old.shard_id)

        self.interrupt(bucket, close)
        made = plan(TEXTS)
        record = ledger.read_open().record
        assert list(record.shards) == [made.shards[0].shard_id]
        assert (record.loaded_count, record.plan_number) == (1, 2)

    def test_planner_that_is_always_overtaken_gives_up(
        self, plan: Plan, ledger: Ledger, bucket: FakeS3
    ) -> None:
        ledger.read_open()

        def overtake() -> None:
            held = ledger.read_open()
            number = held.record.plan_number + 1
            ledger.put_open(held, held.record.model_copy(update={"plan_number": number}))

        self.interrupt(bucket, overtake, times=100)
        with pytest.raises(LedgerConflictError, match="planned 12 times in between"):
            plan()
        assert ledger.read_open().record.shards == {}


def test_dry_run_decides_but_opens_nothing(plan: Plan, ledger: Ledger, bucket: FakeS3) -> None:
    before = ledger.read_open()
    made = plan(dry_run=True)
    assert (counts(made), len(made.shards)) == ((3, 0, 0, 3), 1)
    assert ledger.read_open() == before
    assert not [key for key in bucket.objects if "/shards/" in key or key.endswith("-0.json")]


def test_night_with_too_many_shards_is_refused_before_anything_is_decided(
    plan: Plan, ledger: Ledger
) -> None:
    texts = [str(number) for number in range(MAX_SHARDS + 1)]
    with pytest.raises(LimitExceededError, match="notes needs more than 1000 shards; raise"):
        plan(texts, settings=make_settings(max_requests_per_shard=1), dry_run=True)
    assert ledger.read_open().record.shards == {}


def test_plan_of_an_entry_that_vanished_stops(plan: Plan, bucket: FakeS3) -> None:
    (shard,) = plan().shards
    del bucket.objects[f"nightshift/ledger/notes/{shard.shard_id}.json"]
    with pytest.raises(LedgerStateError, match="no ledger entry"):
        plan()


def test_estimate_of_a_plan_is_the_sum_of_its_own_shards(plan: Plan, ledger: Ledger) -> None:
    made = plan(settings=make_settings(max_requests_per_shard=2))
    opened = ledger.read_open().record.shards.values()
    assert len(made.shards) == 2
    assert made.estimate_usd == sum((one.estimate_usd for one in opened), Decimal(0))


SONNET = "claude-sonnet-5-5"
PRICING = RequestPricing(
    "claude-haiku-5-5", TokenRates(any_output=OutputRate(100, 0, 0)), PriceList()
)


def escalated(store: ObjectStore, tmp_path: Path, texts: Sequence[str], count: int) -> str:
    """Write an index in which the first `count` requests are for the stronger model."""
    key = write_index(store, tmp_path, texts)
    table = pq.read_table(store.download(key, tmp_path / "plain"))
    models = pa.array([SONNET] * count + [None] * (len(texts) - count), pa.string())
    place = table.schema.get_field_index("model")
    pq.write_table(table.set_column(place, "model", models), tmp_path / "escalated")
    store.upload(tmp_path / "escalated", "runs/escalated.parquet")
    return "runs/escalated.parquet"


def test_shard_asks_one_model_at_its_price(store: ObjectStore, tmp_path: Path) -> None:
    planner = make_planner(store, tmp_path, round_number=3)
    index_key = escalated(store, tmp_path, ["a", "b", "c"], 1)
    shards = planner.plan([index_key], lambda: write_known(store, tmp_path)).shards
    entries = [planner.ledger.read(shard.shard_id).record for shard in shards]
    assert [(entry.model, entry.request_count) for entry in entries] == [
        ("claude-haiku-5-5", 2),
        (SONNET, 1),
    ]
    assert {entry.prompt_version for entry in entries} == {planner.spec.prompt_version}
    # 20 times the price for half as many requests
    ratio = entries[1].estimate_usd / entries[0].estimate_usd
    assert float(ratio) == pytest.approx(10, rel=0.001)


def test_shard_that_a_crash_left_is_taken_over_with_the_model_of_its_lines(
    store: ObjectStore, tmp_path: Path
) -> None:
    planner = make_planner(store, tmp_path, round_number=3)
    rows = pq.read_table(
        store.download(escalated(store, tmp_path, ["a"], 0), tmp_path / "rows")
    ).to_pylist()
    left = planner._write_shard(planner._new_entry(rows, PRICING, Decimal(1)), rows)
    rows[0]["model"] = SONNET
    taken = planner._write_shard(planner._new_entry(rows, PRICING, Decimal(1)), rows)
    assert (taken.shard_id, taken.model) == (left.shard_id, SONNET)


class TestForecast:
    """What a plan says it will cost."""

    def test_answers_that_are_not_bought_are_what_reuse_saves(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        """Of two equal documents and one known one, two answers are saved."""
        texts = ["new", "new", "known"]
        index_key = write_index(store, tmp_path, texts)
        made = make_planner(store, tmp_path).plan(
            [index_key], lambda: write_known(store, tmp_path, request_ids(["known"]))
        )
        assert made.forecast is not None
        assert (made.forecast.request_count, made.forecast.reused_count) == (1, 2)
        assert made.forecast.cost_usd.expected == made.estimate_usd
        assert made.forecast.saved_by_reuse_usd == pytest.approx(
            2 * made.estimate_usd, rel=Decimal("0.01")
        )

    @pytest.mark.parametrize("run_key", [RUN, "run-2"])
    def test_shard_of_a_plan_that_died_is_foretold_by_its_run_alone(
        self, plan: Plan, run_key: str
    ) -> None:
        plan()
        again = plan(run_key=run_key)
        assert again.forecast is not None
        assert again.bought_count == 0
        assert again.forecast.request_count == (3 if run_key == RUN else 0)

    def test_sample_is_the_same_every_time(self, store: ObjectStore, tmp_path: Path) -> None:
        asked: list[list[Any]] = []

        class Counter:
            def count(self, params: dict[str, Any]) -> int:
                asked[-1].append(params["messages"])
                return 1_000

        forecasting = Forecasting(open_counter=lambda: nullcontext(Counter()))
        for _ in range(2):
            asked.append([])
            index_key = write_index(store, tmp_path, [f"text {n}" for n in range(400)])
            made = make_planner(store, tmp_path, forecasting=forecasting).plan(
                [index_key], lambda: write_known(store, tmp_path), dry_run=True
            )
        assert made.forecast is not None
        assert made.forecast.counted_count == SAMPLE_COUNT == len(asked[0])
        assert made.forecast.input_tokens.expected == pytest.approx(400_000, rel=0.001)
        assert sorted(map(str, asked[0])) == sorted(map(str, asked[1]))
