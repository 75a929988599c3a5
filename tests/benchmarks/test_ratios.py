"""Ratios that must not get worse: our CPU beside that of its floor, taken turn by turn.

Seconds say nothing on a busy machine; what both pay alike falls out of a ratio.
"""

import datetime as dt
import json
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from statistics import median

import msgspec
import pytest

from include.collection import ResultParser
from include.results import Result, judge
from include.segments import write_body
from include.spec import FrozenSpec
from include.specs import load_catalog
from include.warehouse.duckdb_warehouse import open_duckdb
from include.warehouse.tables import ensure_tables
from tests.benchmarks.floors import write_answers
from tests.factories import make_entry, make_owners, message, succeeded

pytestmark = pytest.mark.benchmark

ROUNDS = 3
LINES = 5_000
ANSWER = {
    "main_topic": "Bridges",
    "document_type": "report",
    "sentiment": "neutral",
    "key_entities": ["Bern", "Thun"],
    "language": "en",
    "summary": "The water has risen since March, and another survey is asked for before winter.",
}

FILL_DOCUMENTS = """
insert into nightshift.documents
select 'document_metadata', md5(n::varchar), n::varchar, '', '', '', 0, now(), null, null, null,
null, null, 'pending', null, true, 'night', 'night', now(), now(), null, null
from range(10_000) as t(n) order by n
"""
FILL_STAGE = """
create temporary table stage_documents as
select document_id, document_id as content_sha256, 'text/plain' as media_type,
'text' as extraction_outcome, size_bytes as characters, null::bigint as pages
from nightshift.documents order by document_id
"""
CHANGE_ALL = """
update nightshift.documents set content_sha256 = document_uri, media_type = document_uri,
extraction_outcome = document_uri, characters = 1, pages = 1, updated_at = now()
"""


@pytest.fixture(scope="module")
def spec() -> FrozenSpec:
    return load_catalog().specs["document_metadata"].freeze()


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def ratio(work: Callable[[], object], floor: Callable[[], object]) -> float:
    """Return the CPU of `work` over that of its floor: the median of some rounds."""
    work()  # what is compiled once is no part of it
    return median(cpu_seconds(work) / cpu_seconds(floor) for _ in range(ROUNDS))


def test_results_cost_a_few_times_what_decoding_and_writing_them_does(
    spec: FrozenSpec, tmp_path: Path
) -> None:
    spool, ids = tmp_path / "spool", [f"{number:040}" for number in range(LINES)]
    lines = (json.dumps(succeeded(one, text=json.dumps(ANSWER))) for one in ids)
    spool.write_text("\n".join(lines))
    parser = ResultParser(
        make_entry(model=spec.model),
        "msgbatch_1",
        spec.schema_of_answer,
        make_owners(*ids),
    )

    def parse() -> None:
        parsed = parser.parse(spool, tmp_path / "good", tmp_path / "bad", with_missing=False)
        assert parsed.enrichment_count == LINES

    assert ratio(parse, lambda: write_answers(spool, tmp_path)) < 8


def test_body_costs_about_what_writing_it_does(tmp_path: Path) -> None:
    groups = [[b"x" * 2_500] * 2_000] * 10

    def floor() -> None:
        (tmp_path / "floor").write_bytes(b",".join(chain.from_iterable(groups)))

    assert ratio(lambda: write_body(groups, tmp_path / "body"), floor) < 2


def test_update_from_staged_rows_costs_a_few_times_what_changing_the_columns_does(
    spec: FrozenSpec, tmp_path: Path
) -> None:
    def measure(number: int) -> float:
        with open_duckdb(tmp_path / f"{number}.duckdb").session() as session:
            ensure_tables(session, spec.name, spec.schema_of_answer, spec.key_groups)
            session.define(FILL_DOCUMENTS)
            session.define(FILL_STAGE)
            changed = cpu_seconds(
                lambda: session.run(
                    "update_documents_content",
                    spec=spec.name,
                    run_key="night",
                    now=dt.datetime.now(dt.UTC),
                )
            )
            return changed / cpu_seconds(lambda: session.define(CHANGE_ALL))

    assert median(map(measure, range(ROUNDS))) < 15


@pytest.mark.parametrize("text", ['{"main_topic": "', "```json\n{", "no JSON at all {} \\u0041 "])
def test_answer_of_four_megabytes_costs_milliseconds(spec: FrozenSpec, text: str) -> None:
    long = text + "words \\u00e9 { " * 300_000
    line = msgspec.json.encode(message(text=long))
    result = Result("succeeded", msgspec.json.decode(line, type=Result.__annotations__["message"]))
    schema = spec.schema_of_answer
    assert judge(result, schema).outcome == "invalid_output"
    assert ratio(lambda: judge(result, schema), lambda: json.loads(line)) < 25
