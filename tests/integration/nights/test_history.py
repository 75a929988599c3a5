"""What becomes of documents that change or go, and of questions that change."""

import datetime as dt
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.runs import RunParams
from include.spec import Source, Spec
from include.specs import load_catalog
from include.steps.export_nights import NightExport
from include.steps.rebuild_warehouse import WarehouseRebuild
from local_stack.nights import DAY, NightDriver, wall_clock
from tests.integration.night_world import World, on_both

pytestmark = pytest.mark.integration

SEEN = "select object_key from nightshift.document_metadata order by 1"
HISTORY = "select object_key from nightshift.document_metadata_history order by 1"
STALE = "select is_stale from nightshift.document_metadata"


@pytest.fixture
def ask_anew() -> Spec:
    return replace(load_catalog().specs["document_metadata"], revision=2)


def manual(driver: NightDriver, run_id: str, **changes: Any) -> NightDriver:
    return driver.another(run_id=run_id, run_type="manual", **changes)


def seen(world: World, query: str = SEEN) -> list[str]:
    return [Path(key).stem for (key,) in world.rows(query)]


def delete(world: World, name: str, day: str = "2026-11-10") -> None:
    bucket = world.night.settings.documents_bucket
    world.night.s3.delete_object(Bucket=bucket, Key=f"documents/dt={day}/{name}.txt")


def rebuild(world: World) -> None:
    """Lose the warehouse, and load a new one from the work bucket."""
    world.database = world.database.another()
    WarehouseRebuild(
        spec=world.night.spec.name,
        ledger=world.night.ledger,
        store=world.night.store,
        warehouse=world.database.open(),
        work_dir=world.night.folder(),
        now=wall_clock,
    ).rebuild()


class TestDeletion:
    """What is gone leaves the view and stays in the history."""

    @on_both
    def test_only_a_complete_listing_of_its_day_proves_that_an_object_is_gone(
        self, world: World
    ) -> None:
        world.upload("a", "b")
        world.night.run()
        delete(world, "b")
        for number, changes in enumerate(
            [
                {"params": RunParams(limit=1)},
                {"params": RunParams(prefix="b")},
                {"night": DAY + dt.timedelta(days=4)},
            ]
        ):
            manual(world.night, f"partial-{number}", **changes).run()
            assert seen(world) == ["a", "b"]

        manual(world.night, "complete").run()
        assert (seen(world), seen(world, HISTORY)) == (["a"], ["a", "b"])
        counted = "select count(*) from nightshift.documents where is_current"
        assert world.rows(counted) == [(2,)]
        manual(world.night, "complete", work_dir=world.night.work_dir / "again").run()
        rebuild(world)
        assert (seen(world), seen(world, HISTORY)) == (["a"], ["a", "b"])

    def test_object_that_comes_back_is_seen_again(self, world: World) -> None:
        world.upload("a", "b")
        world.night.run()
        delete(world, "b")
        manual(world.night, "gone").run()
        world.upload("b")
        manual(world.night, "back").run()
        assert seen(world) == ["a", "b"]
        assert world.bill["requests"] == 2

    def test_prefix_listed_as_a_whole_shows_what_lies_outside_the_window(
        self, world: World
    ) -> None:
        by_time = Source(by="last_modified", prefix="documents/")
        spec = replace(world.night.spec, source=by_time)
        today = dt.datetime.now(dt.UTC) - dt.timedelta(hours=12)
        night = world.night.another(spec=spec, night=today)
        world.upload("a", "b")
        night.run()
        delete(world, "b")
        manual(night, "years later", night=today + dt.timedelta(days=800)).run()
        assert seen(world) == ["a"]

    def test_pending_document_that_is_deleted_is_settled_without_being_asked(
        self, world: World, versioned_bucket: str
    ) -> None:
        """The bucket still keeps the version that was listed; nobody wants it any more."""
        settings = world.night.settings.model_copy(update={"documents_bucket": versioned_bucket})
        world.night = night = world.night.another(settings=settings)
        world.upload("a")
        night.another(params=RunParams(plan_only=True)).run()
        assert world.states() == {"pending: spend_rejected": 1}
        delete(world, "a")
        again = manual(night, "again")
        again.run()
        assert world.states(again.run_key) == {"skipped: vanished": 1}
        pending = "select count(*) from nightshift.documents where state = 'pending'"
        assert (world.rows(pending), world.bill["requests"]) == ([(0,)], 0)


def test_failed_update_leaves_the_old_answer_and_a_later_one_replaces_it(world: World) -> None:
    world.upload("a")
    world.night.run()
    time.sleep(1.1)  # S3 keeps whole seconds
    world.upload("a", text="Newer notes on {name}.")
    world.simulator.set_faults({"kind": "refusal", "times": 1})
    manual(world.night, "update").run()
    state = (
        "select count(*), count(*) filter (where is_current), "
        "count(*) filter (where state = 'dead_letter' and is_current) from nightshift.documents"
    )
    assert world.rows(state) == [(2, 1, 1)]
    assert world.rows(STALE) == [(True,)]

    manual(world.night, "requeue", params=RunParams(requeue=("refused",))).run()
    assert world.rows(STALE) == [(False,)]
    assert len(seen(world, HISTORY)) == 2
    letters = "select resolution, resolved_at is not null from nightshift.dead_letters"
    assert world.rows(letters) == [("enriched", True)]


class TestAskingAnew:
    """A new prompt version asks about new documents, and about old ones only when told to."""

    def test_only_reprocess_buys_and_its_forecast_says_what(
        self, world: World, ask_anew: Spec
    ) -> None:
        world.upload("a", "b")
        world.night.run()
        night = world.night.another(spec=ask_anew)
        plan_only = RunParams(reprocess=True, plan_only=True)
        planned = manual(night, "plan", params=plan_only).run()
        assert (planned.bought_count, world.bill["requests"]) == (2, 2)
        assert len(world.rows("select 1 from nightshift.prompt_versions")) == 1

        manual(night, "unasked").run()
        assert world.bill["requests"] == 2

        again = RunParams(reprocess=True)
        report = manual(night, "again", params=again).run()
        assert (report.forecast_usd, world.bill["requests"]) == (planned.forecast_usd, 4)
        assert report.documents["enriched"] == 2
        assert seen(world, HISTORY) == ["a", "a", "b", "b"]
        versions = world.rows("select prompt_version from nightshift.document_metadata")
        assert versions == [(ask_anew.freeze().prompt_version,)] * 2

        manual(night, "once more", params=again).run()
        assert world.bill["requests"] == 4

    def test_refused_reprocess_keeps_the_old_answer_and_can_be_requeued(
        self, world: World, ask_anew: Spec
    ) -> None:
        world.upload("a")
        world.night.run()
        night = manual(world.night, "dies", spec=ask_anew, params=RunParams(reprocess=True))
        world.simulator.set_faults({"kind": "refusal", "times": 1})
        night.run()
        assert world.rows(STALE) == [(False,)]
        params = RunParams(requeue=("refused",))
        report = manual(world.night, "requeue", spec=ask_anew, params=params).run()
        assert report.documents["enriched"] == 1
        versions = world.rows("select prompt_version from nightshift.document_metadata")
        assert versions == [(ask_anew.freeze().prompt_version,)]


@on_both
def test_export_of_a_night_has_the_answers_of_all_its_runs(world: World) -> None:
    world.upload("a")
    world.night.run()
    world.upload("b")
    manual(world.night, "later the same night").run()
    export = NightExport(
        spec=world.night.spec.name,
        store=world.night.store,
        warehouse=world.night.warehouse,
        work_dir=world.night.folder(),
    )
    exported = export.export_night(DAY.date())
    assert exported == export.export_night(DAY.date())
    assert exported.row_count == 2
    assert export.export_night(DAY.date() + dt.timedelta(days=1)).row_count == 0

    path = world.night.store.download(export.export_summary().key, world.night.folder() / "nights")
    (night,) = pq.read_table(path).to_pylist()
    assert (night["night"], night["run_count"], night["enriched_count"]) == (DAY.date(), 2, 2)
