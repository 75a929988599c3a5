"""A document is erased: nothing that it said is left, and everything else is as it was."""

import io
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from include.erasures import find_erasure
from include.errors import ConfigurationError
from include.plans import read_plan
from include.requests import RequestBuilder
from include.runs import RunFiles
from include.specs import load_catalog
from include.steps.build_requests import BuiltSlice
from include.steps.erase_document import (
    DocumentErasure,
    ErasureParams,
    ErasureRefusedError,
    ErasureReport,
)
from include.steps.rebuild_warehouse import WarehouseRebuild
from include.storage import ObjectStore
from include.submission import Submitted
from local_stack.nights import NightDriver, wall_clock
from tests.integration.night_world import World, plan_night
from tests.integration.nights.test_long_documents import FOUR, LONG, TWO, part_ids, spec
from tests.integration.nights.test_night import NEXT_DAY, request_id

pytestmark = pytest.mark.integration

PHRASE = "zanzibarflumph"
MARKED = f"The {PHRASE} committee met. Notes on {{name}}."
REASON = "asked for by the author"


def uri(world: World, name: str, day: str = "2026-11-10") -> str:
    return f"s3://{world.night.settings.documents_bucket}/documents/dt={day}/{name}.txt"


def erase(world: World, name: str, **changes: Any) -> ErasureReport:
    (report,) = erasure(world, name, **changes).erase()
    return report


def erasure(world: World, name: str, **changes: Any) -> DocumentErasure:
    values: dict[str, Any] = {
        "params": ErasureParams(uri=uri(world, name), reason=REASON),
        "by": "somebody",
        "store": world.night.store,
        "warehouse": world.night.warehouse,
        "work_dir": world.night.folder(),
        "now": wall_clock,
    }
    return DocumentErasure(**(values | changes))


def unpacked(key: str, data: bytes) -> str:
    """Return what an object holds, as text."""
    if key.endswith(".zst"):
        stream = zstandard.ZstdDecompressor().stream_reader(
            io.BytesIO(data), read_across_frames=True
        )
        data = stream.read()
    text = data.decode("utf-8", errors="replace")
    if key.endswith(".parquet"):
        text += str(pq.read_table(io.BytesIO(data)).to_pylist())
    return text.lower()


def places_of(world: World, phrase: str = PHRASE) -> set[str]:
    """Return where a phrase is found: keys of the work bucket, tables, and the database's file."""
    night = world.night
    bucket = night.settings.work_bucket
    found = set()
    for page in night.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for item in page.get("Versions", []):
            answer = night.s3.get_object(
                Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"]
            )
            if phrase in unpacked(item["Key"], answer["Body"].read()):
                found.add(item["Key"].rpartition(f"/{night.spec.name}/")[2].split("/")[0])
    rows = world.everything()
    found |= {name for name, table in rows.items() if phrase in str(table).lower()}
    if phrase in Path(world.database.place).read_bytes().decode("latin-1").lower():
        found.add("file")
    return found


def rebuilt(world: World) -> World:
    """Load everything again into an empty warehouse."""
    fresh = world.database.another()
    WarehouseRebuild(
        spec=world.night.spec.name,
        ledger=world.night.ledger,
        store=world.night.store,
        warehouse=fresh.open(),
        work_dir=world.night.folder(),
        now=wall_clock,
    ).rebuild()
    return replace(world, database=fresh)


def ask_id(name: str) -> str:
    frozen = load_catalog().specs["document_metadata"].freeze()
    return RequestBuilder(frozen).build(MARKED.format(name=name)).request_id


@pytest.fixture
def night(world: World, caplog: pytest.LogCaptureFixture) -> NightDriver:
    """A night in which one document was asked about twice, and an error speaks of another."""
    caplog.set_level(logging.DEBUG, logger="include")
    world.night.s3.put_bucket_versioning(
        Bucket=world.night.settings.work_bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    world.upload("marked", text=MARKED)
    world.upload("quoted", "other")
    world.simulator.set_faults(
        {"kind": "schema", "times": 1, "custom_id_regex": ask_id("marked")},
        {
            "kind": "errored",
            "times": None,
            "custom_id_regex": request_id("quoted"),
            "message": f"cannot read {PHRASE}",
        },
    )
    world.night.run()
    return world.night


def test_nothing_is_left_in_bucket_warehouse_and_logs(
    world: World, night: NightDriver, caplog: pytest.LogCaptureFixture
) -> None:
    assert places_of(world) >= {"runs", "shards", "file", "document_metadata"}
    costs = world.answers()["costs"]
    with night.warehouse.session() as session:
        catalog = session.catalog()

    report = erase(world, "marked")

    assert (report.version_count, report.request_count, report.enrichment_count) == (1, 1, 1)
    assert "document_metadata" not in places_of(world)
    assert "dead_letters" in places_of(world), "of the other document nothing is lost"
    erase(world, "quoted")
    assert places_of(world) == set()
    assert PHRASE not in caplog.text
    assert world.answers()["costs"] == costs
    with night.warehouse.session() as session:
        assert session.catalog() == catalog
    erased = world.rows(
        "select object_key from nightshift.documents where erased_at is not null order by 1"
    )
    assert [key.rpartition("/")[2] for (key,) in erased] == ["marked.txt", "quoted.txt"]
    rows = world.everything()
    erase(world, "marked")
    assert world.everything() == rows


def test_what_was_erased_does_not_come_back(world: World, night: NightDriver) -> None:
    """Not by a rebuild, a cleared run or another night, though the object still lies there."""
    erase(world, "marked")
    kept, rows, bill = world.answers(), world.everything(), world.bill
    assert len(kept["view"]) == 1

    again = rebuilt(world)
    assert again.answers() == kept
    assert again.rows("select count(*) from nightshift.documents where erased_at is not null") == [
        (1,)
    ]
    plan = read_plan(night.store, RunFiles(night.spec.name, night.run_key))
    built = [BuiltSlice("", key) for key in plan.index_keys]
    assert night.planning.plan_night(built).shards.bought_count == 0
    night.another(work_dir=night.work_dir / "again").run()
    assert world.everything() == rows
    report = night.another(run_id="tomorrow", night=NEXT_DAY).run()
    assert (report.documents["unchanged"], report.bought_count) == (3, 0)
    assert world.bill == bill


def test_what_a_document_of_the_same_content_uses_stays_until_that_is_erased_too(
    world: World,
) -> None:
    world.upload("marked", text=MARKED.format(name="both"))
    world.upload("twin", text=MARKED.format(name="both"))
    world.night.run()

    report = erase(world, "marked")

    assert (report.kept, report.request_count) == ({ask_id("both"): uri(world, "twin")}, 0)
    assert world.rows("select document_uri from nightshift.document_metadata") == [
        (uri(world, "twin"),)
    ]
    assert rebuilt(world).answers() == world.answers()
    assert erase(world, "twin").request_count == 1
    assert places_of(world) - {"document_metadata"} == set()


def test_part_that_another_long_document_shares_stays_until_that_is_erased_too(
    world: World,
) -> None:
    world.night = world.night.another(spec=spec())
    world.upload("long", text=LONG)
    world.upload("alike", text=LONG.replace(TWO, FOUR))
    world.night.run()
    assert "part_answers" in places_of(world, "snow came")

    report = erase(world, "long")

    first, _, third = part_ids(LONG)
    assert report.kept == dict.fromkeys(sorted((first, third)), uri(world, "alike"))
    assert (report.request_count, report.enrichment_count) == (1, 1)
    assert places_of(world, "snow came") == set()
    assert rebuilt(world).answers() == world.answers()
    assert erase(world, "alike").request_count == 4, "what had stayed of the first goes with it"
    assert places_of(world, "rain fell") == set()


def test_document_in_somebodys_hands_is_not_erased(world: World) -> None:
    world.upload("marked", text=MARKED)
    night = world.night
    (shard_id,) = plan_night(night).shard_ids
    rows = world.everything()
    with pytest.raises(ErasureRefusedError, match=f"run {night.run_key} .* is not done with"):
        erase(world, "marked")
    submitted = night.submit_batch(shard_id)
    assert isinstance(submitted, Submitted)
    night.loading.load_night()
    night.reconcile_run()
    rows = world.everything()
    with pytest.raises(ErasureRefusedError, match=f"shard {shard_id} .submitted, batch"):
        erase(world, "marked")
    assert world.everything() == rows
    assert find_erasure(night.store, night.spec.name, uri(world, "marked")) is None

    night.wait_for_batch(submitted.batch_id)
    night.sweep().sweep()
    assert erase(world, "marked").enrichment_count == 1
    assert places_of(world) == set()


class Dying(ObjectStore):
    """A store whose process dies before a write."""

    def __init__(self, store: ObjectStore, writes_left: int) -> None:
        vars(self).update(vars(store))
        self._writes_left = writes_left

    def _count(self) -> None:
        if not self._writes_left:
            raise ProcessLookupError
        self._writes_left -= 1

    def write(self, key: str, data: bytes) -> None:
        self._count()
        super().write(key, data)

    def upload(self, path: Path, key: str) -> None:
        self._count()
        super().upload(path, key)

    def delete_old_versions(self, key: str) -> None:
        self._count()
        super().delete_old_versions(key)


def test_erasing_again_finishes_what_died_anywhere(world: World, night: NightDriver) -> None:
    """Each try gets further than the one before, and does not repeat what was done."""
    deaths = 0
    for writes in (0, 1, 1, 2, 3, 5, 8, 13, 21):
        with suppress(ProcessLookupError):
            erase(world, "marked", store=Dying(night.store, writes))
            break
        deaths += 1
    else:
        erase(world, "marked")
    assert deaths >= 6
    done = find_erasure(night.store, night.spec.name, uri(world, "marked"))
    assert done is not None
    assert done.finished_at is not None
    erase(world, "quoted")
    assert places_of(world) == set()


def test_unknown_document_is_refused_by_name(world: World) -> None:
    with pytest.raises(ErasureRefusedError, match=r"missing\.txt is no document of any spec"):
        erase(world, "missing")


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"uri": "bucket/key", "reason": REASON}, "uri"),
        ({"uri": "s3://bucket/key", "reason": "because"}, "reason"),
    ],
    ids=["no address", "no real reason"],
)
def test_incomplete_request_is_refused(params: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        ErasureParams.parse(params)
