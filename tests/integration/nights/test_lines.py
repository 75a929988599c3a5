"""Nights whose documents are the lines of objects."""

import datetime as dt
import gzip
from dataclasses import replace

import pytest

from include.lines import Lines
from include.reports import NightReport
from include.runs import RunParams
from include.specs import load_catalog
from local_stack.nights import DAY, NightDriver
from tests.integration.night_world import World

pytestmark = pytest.mark.integration

LINES = Lines(id_field="id", text_field="text")
KEY = "documents/dt=2026-11-10/reviews.jsonl"


def line(name: str, text: str = "It works.") -> str:
    return f'{{"id": "{name}", "text": "{name}: {text}"}}'


@pytest.fixture
def night(world: World) -> NightDriver:
    """The night of the world, about lines in small slices; `world` has the same one."""
    spec = load_catalog().specs["document_metadata"]
    world.night = world.night.another(
        spec=replace(spec, source=replace(spec.source, lines=LINES)),
        settings=world.night.settings.model_copy(update={"max_documents_per_slice": 2}),
    )
    return world.night


def put(night: NightDriver, *lines: str, key: str = KEY) -> None:
    content = "\n".join(lines).encode()
    body = gzip.compress(content) if key.endswith(".gz") else content
    night.s3.put_object(Bucket=night.settings.documents_bucket, Key=key, Body=body)


def next_night(night: NightDriver, days: int = 1) -> NightDriver:
    return night.another(run_id=f"night {days}", night=DAY + dt.timedelta(days=days))


def counts(report: NightReport) -> dict[str, int]:
    """Return the counts that are not 0, which the load has proven to add up."""
    assert sum(report.documents.values()) == report.listed_count
    return {state: count for state, count in report.documents.items() if count}


def live_lines(world: World) -> dict[str, str]:
    """Return the last part of the address of each line that is there, and its state."""
    return dict(
        world.rows(
            "select split_part(document_uri, '/', -1), concat_ws(': ', state, state_reason) "
            "from nightshift.documents where is_current and deleted_at is null"
        )
    )


def test_each_line_is_a_document_that_ends_in_one_state(world: World, night: NightDriver) -> None:
    """Byte order mark, CRLF, blank and broken lines, repeated and missing names, gzip."""
    put(night, f"\ufeff{line('a')}\r", "", line("b"), '{"id": "c', line("a", "Twice."))
    put(night, line("a"), '{"text": "Nameless."}', '{"id": 7, "text": null}', key=f"{KEY}.gz")
    put(night, "", " \r", key="documents/dt=2026-11-10/blank.jsonl")

    report = night.run()

    states = live_lines(world)
    twins = {states.pop("reviews.jsonl#id=a"), states.pop("reviews.jsonl.gz#id=a")}
    assert twins == {"enriched", "reused"}
    assert states == {
        "reviews.jsonl#id=b": "enriched",
        "reviews.jsonl#line=4": "skipped: corrupt",
        "reviews.jsonl#id=a&n=2": "enriched",
        "reviews.jsonl.gz#line=2": "enriched",
        "reviews.jsonl.gz#id=7": "skipped: empty",
        "blank.jsonl": "skipped: empty",
    }
    assert (report.verdict, report.listed_count, report.bought_count) == ("green", 8, 4)
    before, bill = world.everything(), world.bill
    night.run()
    assert (world.everything(), world.bill) == (before, bill)


def test_changed_object_costs_its_changed_lines(world: World, night: NightDriver) -> None:
    put(night, line("a"), line("b"), line("c"))
    assert counts(night.run()) == {"enriched": 3}

    put(night, line("new"), line("a"), line("b", "Not any more."))
    second = next_night(night)
    assert counts(second.run()) == {"enriched": 2, "unchanged": 1}
    gone = world.rows("select document_uri from nightshift.documents where deleted_at is not null")
    assert [uri.rpartition("#")[2] for (uri,) in gone] == ["id=c"]

    put(night, line("b"), line("c"))
    third = next_night(night, days=2)
    assert counts(third.run()) == {"unchanged": 2}
    assert live_lines(world).keys() == {"reviews.jsonl#id=b", "reviews.jsonl#id=c"}
    current = world.rows(
        "select count(*) from nightshift.documents "
        "where is_current and object_version = (select object_version from nightshift.documents "
        "where document_uri like '%id=b' order by first_seen_at limit 1)"
    )
    assert current == [(1,)]
    assert (world.bill["requests"], world.bill["bought_twice"]) == (5, 0)


def test_line_that_moves_without_a_name_is_reused(world: World, night: NightDriver) -> None:
    by_number = replace(night.spec, source=replace(night.spec.source, lines=Lines()))
    nameless = night.another(spec=by_number)
    put(night, line("a"), line("b"))
    assert counts(nameless.run()) == {"enriched": 2}
    put(night, line("new"), line("a"), line("b"))
    assert counts(next_night(nameless).run()) == {"enriched": 1, "reused": 2}


def test_lines_beyond_the_limit_are_left_to_the_next_night(
    world: World, night: NightDriver
) -> None:
    put(night, *(line(str(number)) for number in range(5)))
    first = night.another(params=RunParams(limit=2))
    assert counts(first.run()) == {"enriched": 2}
    assert counts(night.another(run_id="again").run()) == {"enriched": 3, "unchanged": 2}


def test_lines_left_by_a_night_that_died_are_looked_for_in_their_object(
    world: World, night: NightDriver
) -> None:
    put(night, line("a"), line("b"), line("c"), key=f"{KEY}.gz")
    assert len(night.list_documents()) == 2
    night.plan_shards([])
    night.loading.load_night()
    assert counts(night.reconcile_run(["build_requests"])) == {"pending": 3}
    put(night, line("new"), line("b"), key=f"{KEY}.gz")

    # Its window does not reach back to the object.
    assert counts(next_night(night, days=9).run()) == {"enriched": 1, "skipped": 2}

    states = live_lines(world)
    assert states.pop("reviews.jsonl.gz#id=b") == "enriched"
    assert set(states.values()) == {"skipped: vanished"}


def test_object_that_is_damaged_or_no_text_is_a_document_itself(
    world: World, night: NightDriver
) -> None:
    bucket = night.settings.documents_bucket
    packed = gzip.compress("\n".join(line(str(n)) for n in range(4000)).encode())
    night.s3.put_object(Bucket=bucket, Key=f"{KEY}.gz", Body=packed[:-30])
    night.s3.put_object(Bucket=bucket, Key=KEY, Body=b"%PDF-1.4 and no lines")
    first = night.another(
        settings=night.settings.model_copy(update={"max_documents_per_slice": 5_000})
    )
    first.list_documents()
    whole = world.rows(
        "select split_part(document_uri, '/', -1) from nightshift.documents "
        "where document_uri not like '%#%' order by all"
    )
    assert whole == [("reviews.jsonl",), ("reviews.jsonl.gz",)]
