import json
import zlib

import pytest

from include.simulator.exchange import Reply
from include.simulator.faults import CALL_KINDS
from tests.unit.simulator.in_process import BATCHES, make_request

COUNT = 20


@pytest.fixture
def download(simulator):
    """Return what downloads one ended batch under a fault."""
    requests = [make_request(f"r{number}") for number in range(COUNT)]
    batch_id = simulator.create(*requests)
    simulator.advance(600)

    def read(**fault) -> tuple[Reply, bytes]:
        if fault:
            simulator.set_fault(**fault)
        reply = simulator.ask("GET", f"{BATCHES}/{batch_id}/results")
        return reply, b"".join(reply.body)

    return read


@pytest.mark.parametrize(
    ("kind", "framing", "ending"),
    [
        ("chunk_cut", "chunked", "close"),
        ("chunk_rst", "chunked", "reset"),
        ("short_length", "length", "close"),
        ("cut_at_line", "close", "close"),
    ],
)
def test_half_a_download_ends_in_its_own_way(download, kind, framing, ending):
    _, whole = download()
    reply, half = download(kind=kind)
    assert (reply.framing, reply.ending) == (framing, ending)
    assert whole.startswith(half)
    assert half.count(b"\n") == COUNT // 2
    assert reply.declared_bytes in (None, len(whole))


def test_a_download_can_break_where_it_is_told(download):
    _, cut = download(kind="close_midline", after_lines=3)
    assert cut.count(b"\n") == 3
    assert not cut.endswith(b"\n")


def test_a_download_can_pause_compress_or_tell_its_length(download):
    _, whole = download()
    assert download(kind="stall", seconds=0)[1] == whole
    reply, packed = download(kind="gzip")
    assert zlib.decompress(packed, wbits=31) == whole
    assert reply.headers == {"content-encoding": "gzip"}
    assert download(kind="content_length")[0].declared_bytes == len(whole)


@pytest.mark.parametrize(
    ("kind", "count"), [("drop_lines", 18), ("dup_lines", 22), ("unknown_id", 22)]
)
def test_lines_go_missing_or_come_twice(download, kind, count):
    assert download(kind=kind, lines=2)[1].count(b"\n") == count


def test_lines_are_damaged_as_told(download):
    _, whole = download()
    assert download(kind="crlf")[1] == whole.replace(b"\n", b"\r\n")
    assert download(kind="blank_lines")[1] == whole.replace(b"\n", b"\n\n")
    assert download(kind="bom")[1] == b"\xef\xbb\xbf" + whole
    assert download(kind="no_newline")[1] == whole.removesuffix(b"\n")
    flipped = download(kind="flip")[1]
    assert flipped != whole
    assert sorted(flipped.splitlines()) == sorted(whole.splitlines())
    assert len(download(kind="huge_line", megabytes=1)[1]) == len(whole) + (1 << 20)
    unknown = download(kind="unknown_type", lines=COUNT)[1].splitlines()
    assert {json.loads(line)["result"]["type"] for line in unknown} == {"deferred"}
    sparse = json.loads(download(kind="sparse")[1].splitlines()[0])["result"]["message"]
    assert "stop_details" not in sparse
    assert sparse["usage"].keys() == {"input_tokens", "output_tokens"}


def test_several_faults_damage_one_download(simulator, download):
    simulator.set_fault(kind="drop_lines", lines=5)
    reply, content = download(kind="crlf")
    assert content.count(b"\r\n") == COUNT - 5
    assert reply.ending == "keep"


@pytest.mark.parametrize("kind", sorted(CALL_KINDS))
def test_only_what_happens_after_the_commit_leaves_a_batch(simulator, kind):
    simulator.set_fault(kind=kind, op="create", seconds=5, error_code="why")
    reply = simulator.ask("POST", BATCHES, {"requests": [make_request()]})
    listed = simulator.json("GET", BATCHES)["data"]
    assert len(listed) == (kind in ("reset_after", "slow_after"))
    assert reply.is_silent == (kind in ("reset_before", "reset_after", "hang"))
    assert reply.delay_seconds == (5 if kind in ("slow_after", "hang") else 0)
    if kind == "status":
        assert json.loads(reply.body)["error"] == {
            "type": "overloaded_error",
            "message": "set by a fault",
            "details": {"error_code": "why"},
        }


def test_faults_wait_wear_out_and_can_be_cleared(simulator):
    simulator.set_fault(kind="status", op="list", skip=1, times=2)
    simulator.set_fault(kind="status", op="*", code=500, times=None, skip=3)
    statuses = [simulator.ask("GET", BATCHES).status for _ in range(8)]
    assert statuses == [200, 529, 529, 200, 200, 500, 500, 500]
    assert [fault["code"] for fault in simulator.json("GET", "/_sim/faults")] == [500]
    simulator.json("DELETE", "/_sim/faults")
    assert simulator.ask("GET", BATCHES).status == 200


@pytest.mark.parametrize(
    ("kind", "content_count", "stop_reason"),
    [
        ("answer", 1, "end_turn"),
        ("preamble", 1, "end_turn"),
        ("fence", 1, "end_turn"),
        ("bad_json", 1, "end_turn"),
        ("schema", 1, "end_turn"),
        ("enum_case", 1, "end_turn"),
        ("refusal", 0, "refusal"),
        ("max_tokens", 1, "max_tokens"),
        ("empty", 0, "end_turn"),
        ("thinking_first", 2, "end_turn"),
        ("two_text_blocks", 2, "end_turn"),
        ("context", 1, "model_context_window_exceeded"),
        ("pause_turn", 1, "pause_turn"),
    ],
)
def test_an_answer_is_damaged_as_its_fate_says(simulator, kind, content_count, stop_reason):
    if kind != "answer":
        simulator.set_fault(kind=kind)
    batch_id = simulator.create(make_request(text="Hello, this is a text of some words."))
    simulator.advance(600)
    message = simulator.results(batch_id)[0]["result"]["message"]
    assert len(message["content"]) == content_count
    assert message["stop_reason"] == stop_reason
    assert (message["stop_details"] is not None) == (kind == "refusal")


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        ({"kind": "server_error"}, "api_error"),
        ({"kind": "overloaded"}, "overloaded_error"),
        ({"kind": "errored"}, "invalid_request_error"),
        ({"kind": "errored", "error_type": "billing_error"}, "billing_error"),
    ],
)
def test_an_error_names_its_type(simulator, fault, error_type):
    simulator.set_fault(**fault)
    batch_id = simulator.create(make_request())
    simulator.advance(600)
    assert simulator.results(batch_id)[0]["result"]["error"]["error"]["type"] == error_type


def test_a_batch_can_be_slow_hidden_or_endless(simulator):
    simulator.set_fault(kind="latency", seconds=7_200)
    simulator.set_fault(kind="list_lag", seconds=30)
    slow = simulator.create(make_request())
    simulator.set_fault(kind="never_end")
    endless = simulator.create(make_request())
    assert [batch["id"] for batch in simulator.json("GET", BATCHES)["data"]] == [endless]
    simulator.advance(7_200)
    assert simulator.json("GET", f"{BATCHES}/{slow}")["processing_status"] == "ended"
    simulator.advance(86_400)
    ended = simulator.json("GET", f"{BATCHES}/{endless}")
    assert ended["request_counts"]["expired"] == 1
    assert ended["ended_at"] == ended["expires_at"]
