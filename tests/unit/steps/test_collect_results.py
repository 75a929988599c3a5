import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest
import zstandard

from include.entries import Entry
from include.errors import AccountError, ResultsIncompleteError, TransientError
from include.steps.collect_results import Collection
from tests.factories import RUN, errored, make_settings, make_store, request_ids, succeeded
from tests.unit.bench import TEXTS, Bench

IDS = request_ids(TEXTS)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def shard(bench: Bench) -> str:
    """A shard that is submitted."""
    shard = bench.plan()
    bench.advance(shard)
    return shard


def end(bench: Bench, lines: Sequence[dict[str, Any]]) -> None:
    bench.workspace.end(bench.accepted[0], lines)


def collection(bench: Bench, shard: str, **changes: Any) -> Collection:
    values: dict[str, Any] = {
        "shard_id": shard,
        "run_key": RUN,
        "ledger": bench.ledger,
        "store": make_store(bench.s3),
        "api": bench.api,
        "settings": bench.settings,
        "work_dir": bench.work_dir,
        "now": bench.clock,
        "pause": bench.clock.advance,
    }
    return Collection(**(values | changes))


def collect(bench: Bench, shard: str, **changes: Any) -> Entry:
    return collection(bench, shard, **changes).collect()


def read(bench: Bench, key: str) -> list[dict[str, Any]]:
    path = make_store(bench.s3).download(key, bench.work_dir / "read")
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def lose_lines(bench: Bench, *, downloads: int, lines: int = 1) -> list[str]:
    """Let the next downloads lack lines; return what was downloaded."""
    log: list[str] = []

    def results(request: httpx2.Request) -> httpx2.Response:
        log.append(request.url.path)
        kept = bench.accepted[0].lines[lines if len(log) <= downloads else 0 :]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in kept)
        return httpx2.Response(200, content=body)

    bench.server.overrides["results"] = results
    return log


def test_results_are_kept_as_they_came_then_judged(bench: Bench, shard: str) -> None:
    end(bench, [succeeded(IDS[0]), errored(IDS[1], "api_error"), succeeded(IDS[2])])
    entry = collect(bench, shard)
    output = entry.output
    assert output is not None
    assert (entry.state, output.enrichment_count, output.failure_count) == ("collected", 2, 1)
    assert {row["request_id"] for row in read(bench, output.enrichments_key)} == {IDS[0], IDS[2]}
    assert [row["outcome"] for row in read(bench, output.failures_key)] == ["errored"]
    packed = make_store(bench.s3).read(output.results_key)
    assert packed is not None
    raw = zstandard.ZstdDecompressor().decompressobj().decompress(packed.data)
    assert [json.loads(line) for line in raw.splitlines()] == list(bench.accepted[0].lines)


def test_collected_shard_is_not_downloaded_again(bench: Bench, shard: str) -> None:
    end(bench, [succeeded(one) for one in IDS])
    first = collect(bench, shard)
    log = lose_lines(bench, downloads=0)
    assert collect(bench, shard) == first
    assert log == []


def test_abandoned_shard_is_left_alone(bench: Bench, shard: str) -> None:
    bench.ledger.change(
        shard, lambda entry: entry.moved(state="abandoned", by=RUN, at=bench.clock.now)
    )
    assert collect(bench, shard).output is None


def test_shard_without_a_batch_is_for_later(bench: Bench) -> None:
    with pytest.raises(TransientError, match="has no batch yet"):
        collect(bench, bench.plan())


def test_batch_that_has_not_ended_is_for_later(bench: Bench, shard: str) -> None:
    with pytest.raises(TransientError, match="is in_progress"):
        collect(bench, shard)


def test_batch_that_the_api_does_not_know_is_looked_for_again(bench: Bench, shard: str) -> None:
    bench.workspace.accepted.clear()
    with pytest.raises(TransientError, match="does not know batch msgbatch_1"):
        collect(bench, shard)
    assert bench.entry(shard).state == "submitted"


def test_short_file_is_downloaded_again_and_nothing_is_missing(bench: Bench, shard: str) -> None:
    end(bench, [succeeded(one) for one in IDS])
    log = lose_lines(bench, downloads=2)
    output = collect(bench, shard).output
    assert (output.enrichment_count, output.failure_count) == (3, 0)  # type: ignore[union-attr]  # collected
    assert len(log) == 3


def test_lines_are_missing_only_after_three_downloads_with_time_between_them(
    bench: Bench, shard: str
) -> None:
    """A short pause is spent in the task; the third download is repeated to write the missing."""
    settings = make_settings(missing_recheck_seconds=20)
    end(bench, [succeeded(one) for one in IDS])
    lose_lines(bench, downloads=99)
    entry = collect(bench, shard, settings=settings)
    assert [row["outcome"] for row in read(bench, entry.output.failures_key)] == ["missing"]  # type: ignore[union-attr]  # collected
    gaps = [b - a for a, b in zip(entry.download_times, entry.download_times[1:], strict=False)]
    assert gaps == [dt.timedelta(seconds=20)] * 2


def test_long_pause_between_downloads_is_left_to_the_tasks_retries(
    bench: Bench, shard: str
) -> None:
    settings = make_settings(missing_recheck_seconds=600)
    end(bench, [succeeded(one) for one in IDS])
    lose_lines(bench, downloads=99)
    for counted, waited in ((1, 0), (1, 599), (2, 1)):
        bench.clock.advance(waited)
        with pytest.raises(ResultsIncompleteError, match=f"lack 1 of 3.*{counted} times"):
            collect(bench, shard, settings=settings)
    bench.clock.advance(600)
    assert collect(bench, shard, settings=settings).state == "collected"


def test_results_of_another_type_than_counted_are_downloaded_again(
    bench: Bench, shard: str
) -> None:
    batch = bench.accepted[0]
    end(bench, [succeeded(one) for one in IDS])
    lines = [errored(IDS[0], "api_error"), *batch.lines[1:]]
    seen: list[str] = []

    def results(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path)
        kept = lines if len(seen) == 1 else batch.lines
        return httpx2.Response(200, content="\n".join(map(json.dumps, kept)))

    bench.server.overrides["results"] = results
    assert collect(bench, shard).output.failure_count == 0  # type: ignore[union-attr]  # collected
    assert len(seen) == 2


@pytest.mark.parametrize("broken_count", [2, 3])
def test_broken_file_is_downloaded_three_times_in_one_try(
    bench: Bench, shard: str, broken_count: int
) -> None:
    end(bench, [succeeded(one) for one in IDS])
    whole = bench.server._results
    seen: list[str] = []

    def results(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path)
        return httpx2.Response(200, content=b"{") if len(seen) <= broken_count else whole(request)

    bench.server.overrides["results"] = results
    if broken_count == 3:
        with pytest.raises(ResultsIncompleteError):
            collect(bench, shard)
        assert bench.entry(shard).download_times == ()
    assert collect(bench, shard).state == "collected"


def test_results_past_their_time_are_given_up_and_the_shard_closed(
    bench: Bench, shard: str
) -> None:
    end(bench, [succeeded(one) for one in IDS])
    wire = bench.server._retrieve

    def archived(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(wire(request).content) | {"archived_at": bench.clock.now.isoformat()}
        return httpx2.Response(200, json=body)

    bench.server.overrides["retrieve"] = archived
    entry = collect(bench, shard)
    assert (entry.state, entry.history[-1].note) == ("abandoned", "results_gone")
    assert shard not in bench.ledger.read_open().record.shards
    assert collect(bench, shard) == entry


def test_account_error_in_the_results_stops_after_they_are_kept(bench: Bench, shard: str) -> None:
    end(bench, [succeeded(IDS[0]), succeeded(IDS[1]), errored(IDS[2], "billing_error")])
    with pytest.raises(AccountError, match="report the account"):
        collect(bench, shard)
    assert bench.entry(shard).state == "collected"


def test_of_two_collectors_at_once_one_output_counts(bench: Bench, shard: str) -> None:
    end(bench, [succeeded(one) for one in IDS])
    whole = bench.server._results
    others: list[Entry] = []

    def results(request: httpx2.Request) -> httpx2.Response:
        bench.server.overrides.clear()
        others.append(collect(bench, shard))
        return whole(request)

    bench.server.overrides["results"] = results
    assert [collect(bench, shard)] == others
