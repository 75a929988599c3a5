"""What an answer says comes back from the warehouse as it was said: text, check, Arrow, table."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pytest
from pydantic import BaseModel, Field

from include.answers import AnswerSchema
from include.warehouse.staging import enrichments_schema
from include.warehouse.tables import ensure_tables
from tests.integration.warehouse.nights import PROMPT, Nights, Version

pytestmark = pytest.mark.integration

A = Version("a")


class Place(BaseModel):
    town: str
    built_on: dt.date | None


class Site(BaseModel):
    place: Place | None
    rent: Decimal
    seen_at: list[dt.datetime]


class Deed(BaseModel):
    status: Literal["Paid", "Open"]
    statuses: list[Literal["Paid", "Open"]]
    amount: Decimal
    amounts: list[Decimal]
    signed_on: dt.date
    sent_at: dt.datetime
    score: float = Field(ge=0, le=1)
    stars: int = Field(ge=1, le=5)
    is_valid: bool
    note: str | None
    place: Place
    former: Place | None
    sites: list[Site]


SCHEMA = AnswerSchema.from_model(Deed)
SAID: dict[str, Any] = {
    "status": "PAID",
    "statuses": ["open", "Paid"],
    "amount": "12345678901234567890123456789.123456789",
    "amounts": ["-0.000000001", "0.1", "1E+3"],
    "signed_on": "2024-02-29",
    "sent_at": "2026-11-10T23:30:00.123456-05:00",
    "score": 1,
    "stars": 5,
    "is_valid": False,
    "note": None,
    "place": {"town": "Ulm", "built_on": "1377-06-30"},
    "former": None,
    "sites": [
        {"place": None, "rent": "0.10", "seen_at": ["2026-01-01T00:00:00Z"]},
        {"place": {"town": "Bad Urach", "built_on": None}, "rent": "7", "seen_at": []},
    ],
}
STORED = {
    "status": "Paid",
    "statuses": ["Open", "Paid"],
    "amount": Decimal("12345678901234567890123456789.123456789"),
    "amounts": [Decimal("-1E-9"), Decimal("0.1"), Decimal(1_000)],
    "signed_on": dt.date(2024, 2, 29),
    "sent_at": dt.datetime(2026, 11, 11, 4, 30, 0, 123456, dt.UTC),
    "score": 1.0,
    "stars": 5,
    "is_valid": False,
    "note": None,
    "place__town": "Ulm",
    "place__built_on": dt.date(1377, 6, 30),
    "former__town": None,
    "former__built_on": None,
}
STORED_SITES = [
    {
        "enrichment_id": None,
        "ordinal": 1,
        "place__town": None,
        "place__built_on": None,
        "rent": Decimal("0.1"),
        "seen_at": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)],
    },
    {
        "enrichment_id": None,
        "ordinal": 2,
        "place__town": "Bad Urach",
        "place__built_on": None,
        "rent": Decimal(7),
        "seen_at": [],
    },
]


def test_every_kind_of_field_is_stored_as_it_was_said(nights: Nights) -> None:
    deeds = Nights(nights.database, "deeds")
    with deeds.warehouse.session() as session:
        ensure_tables(session, "deeds", SCHEMA)
        columns = session.catalog()["deeds_enrichments"].columns
    assert [columns[name].type for name in ("amount", "amounts")] == [
        "decimal(38,9)",
        "decimal(38,9)[]",
    ]
    deeds.list_versions("run-1", A)
    row = SCHEMA.row(SCHEMA.parse(json.dumps(SAID))) | {
        "enrichment_id": A.request_id(PROMPT),
        "prompt_version": PROMPT,
        "answer_model": "claude",
        "is_simulated": True,
    }
    answers = pa.Table.from_pylist([row], schema=enrichments_schema(SCHEMA))

    deeds.load("run-1", {A: "answered"}, schema=SCHEMA, enrichments=answers.to_reader())

    (found,) = deeds.rows("from nightshift.deeds")
    assert {name: found[name] for name in STORED} == STORED
    sites = deeds.rows("select * from nightshift.deeds__sites order by ordinal")
    assert [site | {"enrichment_id": None} for site in sites] == STORED_SITES
