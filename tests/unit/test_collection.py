import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.answers import AnswerSchema
from include.collection import (
    ParsedFile,
    ResultParser,
    raise_if_account,
)
from include.column_files import ROWS_PER_GROUP
from include.errors import AccountError, ResultsIncompleteError
from include.owners import Owners
from include.result_columns import FAILURES_SCHEMA, enrichments_schema
from tests.factories import NoteAnswer, errored, make_entry, make_owners, succeeded

SCHEMA = AnswerSchema.from_model(NoteAnswer)
OWNERS = make_owners("a", "b")


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def parse(spool: Path) -> Callable[..., ParsedFile]:
    """Parse lines, or raw bytes, as the result file of a shard with the requests a and b."""

    def parse_lines(
        *lines: dict[str, Any] | bytes,
        with_missing: bool = False,
        owners: Owners = OWNERS,
        round_number: int = 0,
    ) -> ParsedFile:
        raw = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines)
        spool.write_bytes(b"\n".join(raw))
        entry = make_entry(round=round_number)
        return ResultParser(entry, "msgbatch_1", SCHEMA, owners).parse(
            spool, *files(spool), with_missing=with_missing
        )

    return parse_lines


def files(spool: Path) -> tuple[Path, Path]:
    return spool.with_suffix(".good"), spool.with_suffix(".bad")


def rows(spool: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    good, bad = files(spool)
    assert pq.read_schema(good).equals(enrichments_schema(SCHEMA))
    assert pq.read_schema(bad).equals(FAILURES_SCHEMA)
    return pq.read_table(good).to_pylist(), pq.read_table(bad).to_pylist()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"custom_id": "a", "resu', id="cut"),
        pytest.param(b'{"custom_id": "a"}', id="no result"),
        pytest.param(b"<html>gateway</html>", id="no JSON"),
        pytest.param(b'{"custom_id": 1, "result": {"type": "expired"}}', id="wrong type"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_line_that_is_no_result_breaks_the_file(
    parse: Callable[..., ParsedFile], line: bytes
) -> None:
    with pytest.raises(ResultsIncompleteError, match="line 2 of the result file is broken"):
        parse(succeeded("b"), line)


def test_answer_is_a_row_with_what_it_cost(parse: Callable[..., ParsedFile], spool: Path) -> None:
    parsed = parse(succeeded("a"), round_number=2)
    ((row,), _) = rows(spool)
    assert (row["topic"], row["mood"], row["document_id"]) == ("rain", "Good", "document-a")
    assert (row["attempt"], row["outcome"], row["prompt_version"]) == (3, "succeeded", "prompt-1")
    assert (row["cost_usd"], row["list_cost_usd"]) == (Decimal("0.000075"), Decimal("0.00015"))
    assert (row["answer_model"], row["is_simulated"]) == ("claude-haiku-5-5", False)
    assert (parsed.enrichment_count, set(parsed.missing)) == (1, {"b"})


def test_simulated_answer_is_marked(parse: Callable[..., ParsedFile], spool: Path) -> None:
    parse(succeeded("a", model="claude-haiku-5-5-simulated"))
    assert [row["is_simulated"] for row in rows(spool)[0]] == [True]


def test_failures_keep_what_was_paid_for_in_vain(
    parse: Callable[..., ParsedFile], spool: Path
) -> None:
    parsed = parse(
        succeeded("a", stop_reason="max_tokens"), errored("b", "overloaded_error", "busy")
    )
    _, (truncated, failed) = rows(spool)
    assert (truncated["outcome"], truncated["followup"]) == ("truncated", "retry")
    assert (truncated["cost_usd"] > 0, truncated["stop_reason"]) == (True, "max_tokens")
    assert (failed["error_type"], failed["error_message"], failed["cost_usd"]) == (
        "overloaded_error",
        "busy",
        0,
    )
    assert parsed.counts == {"succeeded": 1, "errored": 1}


def test_refusal_before_any_word_is_free(parse: Callable[..., ParsedFile], spool: Path) -> None:
    parse(succeeded("a", content=[], stop_reason="refusal"), succeeded("b", stop_reason="refusal"))
    _, bad = rows(spool)
    assert [row["cost_usd"] > 0 for row in bad] == [False, True]
    assert [row["input_tokens"] for row in bad] == [1_000, 1_000]


def test_second_line_of_a_request_is_counted_and_not_loaded(
    parse: Callable[..., ParsedFile], spool: Path
) -> None:
    parsed = parse(succeeded("a"), succeeded("a"), errored("a", "api_error"), succeeded("b"))
    good, bad = rows(spool)
    assert ([row["request_id"] for row in good], bad) == (["a", "b"], [])
    assert (parsed.duplicate_count, parsed.counts) == (2, {"succeeded": 2})


def test_line_of_a_stranger_is_counted_and_not_loaded(
    parse: Callable[..., ParsedFile], spool: Path
) -> None:
    parsed = parse(succeeded("z"), succeeded("a"), errored("y", "billing_error"))
    assert [row["request_id"] for row in rows(spool)[0]] == ["a"]
    assert (parsed.foreign_count, parsed.account_error) == (2, None)


@pytest.mark.parametrize("with_missing", [True, False])
def test_request_without_a_line_is_a_failure_only_when_that_is_final(
    parse: Callable[..., ParsedFile], spool: Path, *, with_missing: bool
) -> None:
    parsed = parse(succeeded("a"), with_missing=with_missing)
    found = [(row["request_id"], row["outcome"], row["followup"]) for row in rows(spool)[1]]
    assert found == ([("b", "missing", "retry")] if with_missing else [])
    assert (set(parsed.missing), parsed.failure_count) == ({"b"}, int(with_missing))


def test_marks_blank_lines_and_line_ends_are_no_matter(
    parse: Callable[..., ParsedFile],
) -> None:
    lines = [json.dumps(succeeded(one)).encode() + b"\r" for one in OWNERS.row_of]
    parsed = parse(b"\xef\xbb\xbf" + lines[0], b"", b" ", lines[1], b"")
    assert (parsed.enrichment_count, set(parsed.missing)) == (2, set())


@pytest.mark.parametrize("escape", [r"\ud800", r"\\ud800", "\\u0000", "\\\\u0000"])
def test_one_answer_with_odd_characters_does_not_break_the_file(
    parse: Callable[..., ParsedFile], spool: Path, escape: str
) -> None:
    line = json.dumps(succeeded("a")).replace("rain", f"ra{escape}in").encode()
    assert parse(line, succeeded("b")).missing == set()
    assert {row["topic"] for row in rows(spool)[0]} == {"rain"}


def test_line_that_is_null_is_no_blank_line(parse: Callable[..., ParsedFile]) -> None:
    with pytest.raises(ResultsIncompleteError, match="line 1 of the result file is broken"):
        parse(b"null", succeeded("a"))


def test_empty_file_is_a_file_without_lines(parse: Callable[..., ParsedFile], spool: Path) -> None:
    assert parse().missing == {"a", "b"}
    assert rows(spool) == ([], [])


def test_account_error_stops_with_its_first_words(parse: Callable[..., ParsedFile]) -> None:
    parsed = parse(errored("a", "billing_error", "pay"), errored("b", "billing_error", "pay up"))
    with pytest.raises(AccountError, match=r"shard-0 report the account: pay$"):
        raise_if_account(parsed, "shard-0")


def test_answer_about_a_part_is_kept_as_json_and_fills_no_column(
    parse: Callable[..., ParsedFile], spool: Path
) -> None:
    parse(
        succeeded("a"),
        errored("b", "api_error"),
        owners=make_owners(
            "a", "b", enrichment_id=["whole"] * 2, part_number=[1, 2], part_count=[2, 2]
        ),
    )
    (good,), (bad,) = rows(spool)
    assert json.loads(good["part_answer"]) == {"topic": "rain", "mood": "Good"}
    assert (good["topic"], good["mood"]) == (None, None)
    assert [
        (row["enrichment_id"], row["part_number"], row["part_count"]) for row in (good, bad)
    ] == [
        ("whole", 1, 2),
        ("whole", 2, 2),
    ]


def test_whole_documents_and_parts_lie_side_by_side(
    parse: Callable[..., ParsedFile], spool: Path
) -> None:
    parse(
        succeeded("b"),
        succeeded("a"),
        owners=make_owners("a", "b", part_number=[1, None], token_class=["latin", "han"]),
    )
    good, _ = rows(spool)
    assert [
        (row["request_id"], row["topic"], row["part_answer"] is None, row["token_class"])
        for row in good
    ] == [("b", "rain", True, "han"), ("a", None, False, "latin")]


def test_without_account_error_nothing_stops(parse: Callable[..., ParsedFile]) -> None:
    raise_if_account(parse(errored("a", "api_error")), "shard-0")


def test_file_of_more_than_a_row_group_is_whole(
    parse: Callable[..., ParsedFile], spool: Path
) -> None:
    owners = make_owners(*(f"id-{number}" for number in range(ROWS_PER_GROUP + 1)))
    line = json.dumps(succeeded("id-0")).encode()
    parsed = parse(*(line.replace(b"id-0", one.encode()) for one in owners.row_of), owners=owners)
    assert parsed.enrichment_count == ROWS_PER_GROUP + 1
    file = pq.ParquetFile(files(spool)[0])
    assert (file.metadata.num_rows, file.num_row_groups) == (ROWS_PER_GROUP + 1, 2)
