from decimal import Decimal

from include.caching import CacheChoice
from include.reports import (
    FailureLine,
    ModelSpend,
    OutcomeCount,
    StateCount,
    batch_lines,
    reason_lines,
    savings_of,
    summary_lines,
)
from tests.factories import RUN, make_entry, make_report


def test_empty_night_reads_as_one() -> None:
    assert list(summary_lines(make_report())) == [
        "night 2026-11-10 02:00 to 2026-11-11 02:00",
        "listed 0 = 0",
        "requests 0: 0 known, 0 in open batches, 0 bought",
        "batches 0 own, 0 joined",
        "cost $0.0000, forecast $0.0000, list price $0.0000",
        "verdict green",
    ]


def test_report_tells_what_happened_what_it_cost_and_why_not() -> None:
    entries = [make_entry(batch_id="msgbatch_1"), make_entry(shard_id="s-1", run_key="run-0")]
    report = make_report(
        listed_count=3,
        documents={"enriched": 2, "pending": 0, "dead_letter": 1},
        batches=batch_lines(entries, RUN),
        outcomes=(
            OutcomeCount(
                outcome="succeeded",
                result_count=2,
                input_tokens=10,
                output_tokens=5,
                cache_read_tokens=0,
                cache_write_tokens=0,
                cost_usd=Decimal("0.12341"),
                list_cost_usd=Decimal("0.2469"),
            ),
        ),
        failures=(
            FailureLine(
                document_uri="s3://a/b",
                state="dead_letter",
                state_reason="errored",
                error_message="bad image",
            ),
            FailureLine(
                document_uri="s3://a/c",
                state="pending",
                state_reason="in_flight",
                error_message=None,
            ),
        ),
        verdict="red",
        problems=("1 of 3 documents are dead letters",),
    )
    lines = list(summary_lines(report))
    assert "listed 3 = 2 enriched + 1 dead_letter" in lines
    assert "batches 1 own, 1 joined" in lines
    assert lines[-5:] == [
        "results succeeded: 2, 10 tokens in, 5 out, $0.1234",
        "dead_letter errored: s3://a/b",
        "pending in_flight: s3://a/c",
        "verdict red",
        "problem: 1 of 3 documents are dead letters",
    ]


def test_event_of_a_night_tells_its_counts_and_cost() -> None:
    report = make_report(listed_count=2, documents={"enriched": 2}, actual_usd=Decimal("0.25"))
    assert report.event == {
        "night": "2026-11-10",
        "run_key": RUN,
        "listed": 2,
        "enriched": 2,
        "actual_usd": "0.25",
    }


def test_counts_by_state_keep_their_reason() -> None:
    row = {"state": "pending", "state_reason": None, "document_count": 2}
    assert reason_lines([row]) == (
        StateCount(state="pending", state_reason=None, document_count=2),
    )


def test_report_tells_of_long_documents() -> None:
    report = make_report(split_count=2, truncated_count=1)
    assert "long documents 2 in parts, 1 truncated" in list(summary_lines(report))


def spend(model: str, cost_usd: str, *, read: int = 0, written: int = 0) -> ModelSpend:
    return ModelSpend(
        model=model,
        result_count=4,
        succeeded_count=3,
        cached_count=4 if read + written else 0,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cost_usd=Decimal(cost_usd),
    )


def test_report_tells_what_reuse_and_caching_saved_and_who_answered() -> None:
    models = (
        spend("claude-haiku-5-5", "0.01", read=6_000_000, written=4_000_000),
        spend("claude-sonnet-5-5", "0.02"),
    )
    choice = CacheChoice(ttl="5m", reason="it pays")
    reuse = {"request_count": 7, "saved_usd": Decimal("0.0123")}
    savings = savings_of(models, choice, reuse)
    lines = list(summary_lines(make_report(models=models, savings=savings)))
    # 6 million at 0.045 less, 4 million at 0.0125 more
    assert "prompt cache 5m: 60.0% hits, saved $0.2200 (it pays)" in lines
    assert "reuse 7 requests, saved $0.0123" in lines
    assert "model claude-sonnet-5-5: 4 results, 3 usable, $0.0200" in lines
    without = savings_of(models[1:], CacheChoice(reason="too short"), reuse)
    assert "prompt cache off: too short" in summary_lines(make_report(savings=without))
