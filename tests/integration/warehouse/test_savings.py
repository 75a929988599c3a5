import datetime as dt
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest

from include.caching import CacheUse
from include.warehouse.reports import read_reuse
from include.warehouse.runs import read_cache_use
from include.warehouse.staging import RESULTS, stage_rows
from tests.integration.warehouse.nights import DAY, MONDAY, SPEC, Nights, Version

pytestmark = pytest.mark.integration

CHEAP, STRONG = "cheap", "strong"


def insert_results(
    nights: Nights, rows: Iterable[dict[str, Any]], *, spec: str = SPEC, at: dt.datetime = MONDAY
) -> None:
    usual = {"run_key": "run-1", "attempt": 1, "outcome": "succeeded", "model": CHEAP}
    counts = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    zero = dict.fromkeys((*counts, "cost_usd", "list_cost_usd"), 0)
    batch_id = f"{spec}-{at}"
    found = [
        {"batch_id": batch_id, "request_id": str(number)} | zero | usual | row
        for number, row in enumerate(rows)
    ]
    reader = pa.Table.from_pylist(found, schema=RESULTS).to_reader()
    with nights.warehouse.session() as session:
        stage_rows(session, "results", reader, RESULTS)
        session.run("insert_results", spec=spec, now=at)


def test_cache_use_is_that_of_first_askings_of_one_model_lately(nights: Nights) -> None:
    used = {"cache_read_tokens": 600, "cache_write_tokens": 400}
    insert_results(
        nights,
        [
            used,
            {"cache_read_tokens": 600},
            {"input_tokens": 9},
            used | {"attempt": 2},
            used | {"model": STRONG},
        ],
    )
    insert_results(nights, [used], spec="other")
    insert_results(nights, [used], at=MONDAY - DAY)
    with nights.warehouse.session() as session:
        use = read_cache_use(session, spec=SPEC, model=CHEAP, since=MONDAY)
        none = read_cache_use(session, spec="nobody", model=CHEAP, since=MONDAY)
    assert use == CacheUse(2, 1_200, 400)
    assert none == CacheUse()


def test_reuse_saved_what_the_answers_had_cost(nights: Nights) -> None:
    same = [Version(key, content="same") for key in "abc"]
    nights.list_versions("run-0", same[0])
    nights.load("run-0", {same[0]: "answered"})
    nights.list_versions("run-1", *same[1:], at=MONDAY + DAY)
    nights.load("run-1", dict.fromkeys(same[1:], "answered"), bought_by="run-0")
    with nights.warehouse.session() as session:
        saved = [
            read_reuse(session, spec=SPEC, run_key=run).to_pylist()[0] for run in ("run-0", "run-1")
        ]
        (cost,) = {
            row["cost_usd"]
            for row in session.read("read_spend", spec=SPEC, run_key="run-0").read_all().to_pylist()
        }
    assert saved[0] == {"request_count": 0, "saved_usd": 0}
    assert saved[1] == {"request_count": 2, "saved_usd": 2 * cost}
