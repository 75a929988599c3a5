"""Specs that are added, changed and taken back between nights."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from include.errors import ConfigurationError
from include.reports import NightReport
from include.runs import RunParams
from include.spec import Source, Spec
from include.specs import load_catalog
from include.steps.rebuild_warehouse import WarehouseRebuild
from local_stack.nights import DAY, NightDriver, wall_clock
from tests.integration.night_world import World
from tests.walkthrough import Walkthrough, blocks, walk_through

pytestmark = pytest.mark.integration

NEXT_DAY = DAY + dt.timedelta(days=1)
KEYS = r"^documents/dt=(?P<day>[^/]+)/(?P<stem>[^.]+)"
KEYS_AND_ENDING = KEYS + r"\.(?P<ending>\w+)$"


class Notes(BaseModel):
    topic: str
    place: str


SPEC = Spec(
    name="notes",
    answer=Notes,
    prompt="document_metadata.md",
    source=Source(by="date_prefix", prefix="documents/dt={ds}/"),
)


def with_field(**fields: Any) -> type[BaseModel]:
    return create_model("Changed", __base__=Notes, **fields)


def run(world: World, spec: Spec, run_id: str, **changes: Any) -> NightReport:
    return world.night.another(spec=spec, run_id=run_id, **changes).run()


def ended(report: NightReport) -> dict[str, int]:
    return {state: count for state, count in report.documents.items() if count}


def test_spec_grows_and_shrinks_and_nothing_is_bought_again(world: World) -> None:
    """New field, new groups, removed field, another pattern; then the old answers, when asked."""
    world.upload("a")
    run(world, SPEC, "one")
    grown = replace(SPEC, answer=with_field(mood=(str | None, ...)), key_pattern=KEYS)
    world.upload("b", day="2026-11-11")
    assert ended(run(world, grown, "two", night=NEXT_DAY)) == {"enriched": 1, "unchanged": 1}
    shrunk = replace(SPEC, answer=create_model("Short", mood=(str | None, ...)))
    shrunk = replace(shrunk, key_pattern=KEYS_AND_ENDING)
    world.upload("c", day="2026-11-11")
    run(world, shrunk, "three", night=NEXT_DAY)

    query = (
        "select stem, ending, day, topic is null, mood is null from nightshift.notes order by stem"
    )
    assert world.rows(query) == [
        ("a", "txt", "2026-11-10", False, True),
        ("b", "txt", "2026-11-11", False, False),
        ("c", "txt", "2026-11-11", True, False),
    ]
    versions = "select count(distinct prompt_version) from nightshift.notes"
    assert world.rows(versions) == [(3,)]
    assert (world.bill["requests"], world.bill["bought_twice"]) == (3, 0)

    keys = replace(shrunk, key_pattern=None)
    again = run(world, keys, "four", night=NEXT_DAY, params=RunParams(reprocess=True))
    assert ended(again) == {"enriched": 2, "unchanged": 1}
    assert world.rows(query.replace("stem, ending, day", "stem is null"))[0] == (True, True, False)
    assert world.rows(versions) == [(1,)]
    assert world.bill["requests"] == 5


@pytest.mark.parametrize(
    ("answer", "foreign", "complaint"),
    [
        (with_field(place=(int, ...)), "", "notes_enrichments.place is text, .* bigint"),
        (
            with_field(items=(list[Notes], ...)),
            "create table nightshift.notes__items (id integer)",
            "nightshift.notes__items exists and is not ours",
        ),
    ],
    ids=["another type", "a table that is not ours"],
)
def test_spec_that_does_not_fit_its_tables_is_refused_before_anything_is_bought(
    world: World, answer: type[BaseModel], foreign: str, complaint: str
) -> None:
    world.upload("a")
    run(world, SPEC, "one")
    world.database.execute(foreign or "select 1")
    world.upload("b", day="2026-11-11")
    before = world.everything()
    refused = world.night.another(spec=replace(SPEC, answer=answer), run_id="two", night=NEXT_DAY)

    with pytest.raises(ConfigurationError, match=complaint):
        refused.list_documents()

    assert world.everything() == before
    assert world.bill["requests"] == 1
    healed = run(world, SPEC, "two", night=NEXT_DAY)
    assert ended(healed) == {"enriched": 1, "unchanged": 1}


def put(night: NightDriver, key: str, text: str) -> None:
    night.s3.put_object(Bucket=night.settings.documents_bucket, Key=key, Body=text.encode())


def view_of(world: World, night: NightDriver) -> list[dict[str, Any]]:
    rows = world.database.rows(f"from nightshift.{night.spec.name}")
    return [row | {"loaded_at": None} for row in rows]


def rebuilt(world: World, night: NightDriver) -> World:
    """Return the world with a warehouse that was loaded from the bucket alone."""
    database = world.database.another()
    WarehouseRebuild(
        spec=night.spec.name,
        ledger=night.ledger,
        store=night.store,
        warehouse=database.open(),
        work_dir=night.folder(),
        now=wall_clock,
    ).rebuild()
    return replace(world, database=database)


LEASE = (
    "# Lease\n\nThe lease between Anna Weber and the Port of Hamburg was signed on 3 May 2026. "
    "The rent is 1,250.50 euros each month, due on 2026-06-01. It ends on 2028-05-31."
)


def test_contracts_are_typed_down_to_their_lists(world: World) -> None:
    night = world.night.another(spec=load_catalog().specs["contract_terms"])
    put(night, "contracts/dt=2026-11-10/acme/C-7.txt", LEASE)

    assert ended(night.run()) == {"enriched": 1}

    (contract,) = world.rows(
        "select customer, contract_number, filed_on, is_contract, contract_type, total_value, "
        "term__ends_on from nightshift.contract_terms"
    )
    assert contract[:5] == ("acme", "C-7", "2026-11-10", True, "lease")
    assert contract[5:] == (Decimal("1250.5"), dt.date(2028, 5, 31))
    assert view_of(world, night) == view_of(rebuilt(world, night), night)
    parties = world.rows("select name, country from nightshift.contract_terms__parties order by 1")
    assert parties == [("Anna Weber", None), ("Port of Hamburg", None)]
    payments = world.rows("select amount, currency from nightshift.contract_terms__payments")
    assert payments == [(Decimal("1250.5"), "EUR")] * 2
    (duties,) = world.rows(
        "select count(*), min(due_on) from nightshift.contract_terms__obligations"
    )
    assert duties == (2, dt.date(2026, 6, 1))


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Walkthrough]:
    with walk_through(tmp_path / "project") as page:
        yield page


def test_what_the_page_about_specs_says_happens(world: World, page: Walkthrough) -> None:
    bill = "Invoice 42 of Port of Hamburg, 2026-11-01. The total is 99.90 euros."
    first = world.night.another(spec=page.load())
    put(first, "invoices/dt=2026-11-10/acme/one.txt", bill)
    assert ended(first.run()) == {"enriched": 1}

    totals, lines = (world.rows(query) for query in blocks("sql"))
    assert [supplier for supplier, *_ in totals] == ["acme"]
    assert {supplier for supplier, *_ in lines} == {"acme"}

    page.add_field()
    second = first.another(spec=page.load(), run_id="second", night=NEXT_DAY)
    put(second, "invoices/dt=2026-11-11/bolt/two.txt", f"{bill} Pay by 2026-12-01.")
    assert ended(second.run()) == {"enriched": 1, "unchanged": 1}
    due = world.rows("select supplier, due_on is null from nightshift.invoices order by supplier")
    assert due == [("acme", True), ("bolt", False)]
    assert world.bill["requests"] == 2
