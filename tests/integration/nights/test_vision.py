"""Nights with documents that can only be looked at, against a real S3 server and the simulator."""

import gzip
from dataclasses import replace
from decimal import Decimal

import pytest

from include.plans import read_plan
from include.runs import RunFiles, RunParams
from local_stack.nights import NightDriver
from tests.integration.night_world import World, plan_night
from tests.unit.documents.samples import make_image, make_locked_scan, make_pdf, make_scan

pytestmark = pytest.mark.integration

PICTURES = {
    "scan.pdf": make_scan(3),
    "packed.pdf.gz": gzip.compress(make_scan(2)),
    "garbled.pdf": make_pdf(*["vxwxls mxttxr tx wxrds"] * 12),
    "page.png": make_image("PNG", 1_200, 1_600) + bytes(100_000),  # as text it would cost most
    "photo.jpeg": make_image("JPEG", 3_000, 2_000),
}
NOT_SENT = {
    "long.pdf": (make_scan(21), "too_many_pages"),
    "wide.png": (make_image("PNG", 8_001, 1), "too_many_pixels"),
    "locked.pdf": (make_locked_scan(), "encrypted"),
    "broken.png": (make_image("PNG")[:20], "corrupt"),
    "scan.tiff": (make_image("TIFF"), "image_only"),
}


def put(world: World, name: str, content: bytes, day: str = "2026-11-10") -> None:
    bucket = world.night.settings.documents_bucket
    world.night.s3.put_object(Bucket=bucket, Key=f"documents/dt={day}/{name}", Body=content)


def seeing(night: NightDriver) -> NightDriver:
    """Return the night of the same spec with the permission to look."""
    return night.another(spec=replace(night.spec, vision=True))


def documents(world: World) -> dict[str, tuple[str, str | None, str, int | None]]:
    rows = world.rows(
        "select object_key, state, state_reason, extraction_outcome, pages "
        "from nightshift.documents order by object_key"
    )
    return {key.rpartition("/")[2]: tuple(rest) for key, *rest in rows}


def test_without_vision_pictures_are_skipped(world: World) -> None:
    for name, content in PICTURES.items():
        put(world, name, content)
    world.night.run()
    assert world.states() == {"skipped: image_only": 4, "skipped: garbled": 1}
    assert world.bill["requests"] == 0


def test_with_vision_pictures_are_enriched(world: World) -> None:
    for name, content in PICTURES.items():
        put(world, name, content)
    report = seeing(world.night).run()
    assert (report.verdict, world.states()) == ("green", {"enriched": 5})
    assert documents(world) == {
        "scan.pdf": ("enriched", None, "image_only", 3),
        "packed.pdf.gz": ("enriched", None, "image_only", 2),
        "garbled.pdf": ("enriched", None, "garbled", 12),
        "page.png": ("enriched", None, "image_only", None),
        "photo.jpeg": ("enriched", None, "image_only", None),
    }
    assert world.bill["succeeded"] == 5


def test_forecast_is_near_the_bill_and_not_below(world: World) -> None:
    for name, content in PICTURES.items():
        if name != "garbled.pdf":
            put(world, name, content)
    forecast = plan_night(seeing(world.night)).forecast_usd
    seeing(world.night).run()
    billed = Decimal(world.bill["cost_usd"])
    assert billed <= forecast <= billed * 2


def test_what_cannot_be_sent_is_skipped_with_the_reason(world: World) -> None:
    for name, (content, _) in NOT_SENT.items():
        put(world, name, content)
    seeing(world.night).run()
    reasons = {name: found[:2] for name, found in documents(world).items()}
    assert reasons == {name: ("skipped", reason) for name, (_, reason) in NOT_SENT.items()}
    assert world.bill["requests"] == 0


def test_equal_scans_are_bought_once_whatever_they_are_packed_in(world: World) -> None:
    put(world, "a.pdf", make_scan())
    put(world, "b.pdf.gz", gzip.compress(make_scan()))
    seeing(world.night).run()
    assert world.states() == {"enriched": 1, "reused": 1}
    assert world.bill["requests"] == 1


def test_permission_buys_no_text_again(world: World) -> None:
    world.upload("a", "b")
    world.night.run()
    put(world, "scan.pdf", make_scan())
    put(world, "again.txt", b"Notes on a.")
    report = seeing(world.night).another(run_id="manual__1", run_type="backfill").run()
    assert report.bought_count == 1
    assert world.bill["requests"] == 3


def test_unusable_answer_about_a_picture_is_asked_for_again(world: World) -> None:
    put(world, "page.png", PICTURES["page.png"])
    world.simulator.set_faults({"kind": "bad_json", "rate": 1.0, "times": 2})
    night = seeing(world.night)
    report = night.run()
    assert (report.verdict, world.states()) == ("green", {"enriched": 1})
    assert world.rows("select outcome from nightshift.results order by attempt") == [
        ("invalid_output",),
        ("invalid_output",),
        ("succeeded",),
    ]
    files = RunFiles(night.spec.name, night.run_key)
    first, again = (read_plan(night.store, files, number).forecast_usd for number in (0, 1))
    assert first < again < first * 2


def test_permission_given_later_reaches_what_was_skipped(world: World) -> None:
    put(world, "scan.pdf", make_scan())
    world.night.run()
    params = RunParams(requeue=("image_only",))
    later = seeing(world.night).another(run_id="manual__1", run_type="manual", params=params)
    later.run()
    assert world.states(later.run_key) == {"enriched": 1}
    assert documents(world) == {"scan.pdf": ("enriched", None, "image_only", 1)}
