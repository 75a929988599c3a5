from decimal import Decimal

import pytest

from tests.unit.simulator.in_process import BATCHES, make_request


def test_a_succeeded_request_costs_what_its_tokens_cost(simulator):
    batch_id = simulator.create(make_request(text="Hello there, all of you. " * 100))
    simulator.advance(600)
    (line,) = simulator.results(batch_id)
    usage = line["result"]["message"]["usage"]
    bill = simulator.bill()
    cost = usage["input_tokens"] * Decimal("0.05") + usage["output_tokens"] * Decimal("0.25")
    assert Decimal(bill["cost_usd"]) == cost / 1_000_000
    assert (bill["requests"], bill["succeeded"], bill["bought_twice"]) == (1, 1, 0)


def test_an_answer_that_nobody_has_read_is_charged_too(simulator):
    simulator.create(make_request())
    simulator.advance(600)
    assert simulator.bill()["output_tokens"] > 0


def test_a_long_prompt_costs_five_times_as_much(simulator):
    simulator.create(make_request("short", text="a" * 200_000))
    simulator.create(make_request("long", text="a" * 260_000))
    simulator.advance(600)
    short, long = (
        Decimal(account["cost_usd"]) / account["input_tokens"]
        for account in simulator.bill()["batches"]
    )
    assert 4.9 < long / short < 5.1


@pytest.mark.parametrize(
    ("fault", "is_charged"),
    [
        ({"kind": "errored"}, False),
        ({"kind": "expired"}, False),
        ({"kind": "refusal"}, False),
        ({"kind": "refusal", "with_text": True}, True),
        ({"kind": "max_tokens"}, True),
        ({"kind": "bad_json"}, True),
    ],
)
def test_only_answers_are_charged(simulator, fault, is_charged):
    simulator.set_fault(**fault)
    simulator.create(make_request())
    simulator.advance(600)
    assert (Decimal(simulator.bill()["cost_usd"]) > 0) == is_charged


def test_the_same_question_asked_while_the_first_batch_runs_is_bought_twice(simulator):
    first, second = simulator.create(make_request()), simulator.create(make_request())
    (duplicate,) = simulator.bill()["duplicates"]
    assert duplicate["custom_id"] == "one"
    assert duplicate["batch_ids"] == [first, second]


def test_the_same_question_asked_after_its_answer_is_bought_twice(simulator):
    simulator.create(make_request("one"), make_request("two"))
    simulator.advance(600)
    simulator.create(make_request("two"), make_request("three"))
    assert [one["custom_id"] for one in simulator.bill()["duplicates"]] == ["two"]


@pytest.mark.parametrize("kind", ["server_error", "expired"])
def test_a_question_that_got_no_answer_may_be_asked_again(simulator, kind):
    simulator.set_fault(kind=kind)
    simulator.create(make_request())
    simulator.advance(600)
    simulator.create(make_request())
    assert simulator.bill()["bought_twice"] == 0


def test_another_question_under_the_same_id_is_another_purchase(simulator):
    simulator.create(make_request())
    simulator.create(make_request(max_tokens=200))
    simulator.create(make_request(), key="another")
    assert simulator.bill()["bought_twice"] == 0


def test_a_deleted_batch_stays_on_the_bill(simulator):
    batch_id = simulator.create(make_request())
    simulator.advance(600)
    simulator.json("DELETE", f"{BATCHES}/{batch_id}")
    assert simulator.bill()["succeeded"] == 1


SHARED = "Tell what it is about. " * 100


def cached(ttl=None):
    mark = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return [{"type": "text", "text": SHARED, "cache_control": mark}]


@pytest.mark.parametrize(
    ("ttl", "hit_rate", "usd_per_million"),
    [(None, 0, "0.0625"), ("5m", 0, "0.0625"), ("1h", 0, "0.10"), ("1h", 1, "0.005")],
)
def test_cached_prefix_is_billed_as_the_price_list_says(simulator, ttl, hit_rate, usd_per_million):
    simulator.json("POST", "/_sim/caching", {"hit_rate": hit_rate})
    batch_id = simulator.create(make_request(system=cached(ttl)))
    simulator.advance(600)
    (line,) = simulator.results(batch_id)
    usage = line["result"]["message"]["usage"]
    prefix = usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"]
    assert prefix > 512
    assert usage["cache_creation"]["ephemeral_1h_input_tokens"] == (
        prefix if ttl == "1h" and not hit_rate else 0
    )
    cost = (
        usage["input_tokens"] * Decimal("0.05")
        + prefix * Decimal(usd_per_million)
        + usage["output_tokens"] * Decimal("0.25")
    )
    assert Decimal(simulator.bill()["cost_usd"]) == cost / 1_000_000


def test_short_prefix_and_one_without_a_mark_are_not_cached(simulator):
    short = [{"type": "text", "text": "Short.", "cache_control": {"type": "ephemeral"}}]
    requests = (make_request("a", system=short), make_request("b", system=SHARED))
    batch_id = simulator.create(*requests)
    simulator.advance(600)
    for line in simulator.results(batch_id):
        usage = line["result"]["message"]["usage"]
        assert usage["cache_creation_input_tokens"] == usage["cache_read_input_tokens"] == 0


def test_same_question_cached_otherwise_is_bought_twice_all_the_same(simulator):
    simulator.create(make_request(system=cached("1h")))
    simulator.create(make_request(system=SHARED))
    simulator.advance(600)
    assert simulator.bill()["bought_twice"] == 1


def test_message_outside_of_a_batch_costs_twice_as_much(simulator):
    params = make_request(text="Hello there. " * 50)["params"]
    usage = simulator.json("POST", "/v1/messages", params)["usage"]
    cost = usage["input_tokens"] * Decimal("0.10") + usage["output_tokens"] * Decimal("0.50")
    bill = simulator.bill()
    assert Decimal(bill["cost_usd"]) == Decimal(bill["messages_usd"]) == cost / 1_000_000
    assert (bill["messages"], bill["requests"]) == (1, 0)
