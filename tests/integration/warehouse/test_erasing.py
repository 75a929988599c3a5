import pytest

from include.erasures import AskedRequest
from include.warehouse.erasing import (
    Usage,
    erase_rows,
    mark_erased,
    read_document_runs,
    read_document_versions,
    read_erased_sharers,
    read_usage,
)
from tests.integration.warehouse.nights import DAY, HOUR, MONDAY, SPEC, Nights, Version

pytestmark = pytest.mark.integration

MARKED, TWIN, OTHER = (
    Version("marked", content="alike"),
    Version("twin", content="alike"),
    Version("other"),
)
FAILED = Version("failed")


@pytest.fixture
def night(nights: Nights) -> Nights:
    """A night that answered three documents, two of them alike, and gave one up."""
    listing, _ = nights.list_versions("run-1", MARKED, TWIN, OTHER, FAILED)
    answered = dict.fromkeys((MARKED, TWIN, OTHER), "answered")
    nights.load("run-1", answered | {FAILED: "failed refused"})
    nights.settle("run-1", listing)
    return nights


def erase(nights: Nights, *versions: Version) -> Usage:
    asked = [
        AskedRequest(
            request_id=one.request_id(),
            enrichment_id=one.request_id(),
            content_sha256=one.content_sha256,
        )
        for one in versions
    ]
    ids = [one.document_id for one in versions]
    with nights.warehouse.session() as session:
        usage = read_usage(session, spec=SPEC, document_ids=ids, asked=asked)
        erase_rows(session, spec=SPEC, erased_at=MONDAY + DAY, now=MONDAY + DAY)
        assert read_erased_sharers(session, spec=SPEC, document_ids=ids, asked=asked) == [
            one.uri for one in (MARKED,) if versions == (TWIN,)
        ]
    return usage


def test_answers_items_and_error_texts_go_and_costs_stay(night: Nights) -> None:
    costs = night.rows("select sum(cost_usd) as usd, count(*) as n from nightshift.results")
    items = night.rows("select enrichment_id from nightshift.notes__terms")
    usage = erase(night, OTHER, FAILED)
    assert (usage.unused_count, usage.shard_ids) == (1, ("shard-run-1",))
    assert usage.forgotten == {OTHER.request_id(), FAILED.request_id()}
    assert len(night.rows("select enrichment_id from nightshift.notes__terms")) < len(items)
    assert night.rows("select document_id from nightshift.notes where topic = 'other'") == []
    assert night.letters() == {FAILED.document_id: "open"}
    assert night.rows("select error_message from nightshift.dead_letters") == [
        {"error_message": None}
    ]
    assert night.rows("select document_id from nightshift.open_dead_letters") == []
    assert night.rows("select sum(cost_usd) as usd, count(*) as n from nightshift.results") == costs
    before = night.everything()
    assert erase(night, OTHER, FAILED).unused_count == 0
    assert night.everything() == before


def test_answer_that_another_document_uses_goes_with_the_last(night: Nights) -> None:
    assert erase(night, MARKED).kept == {MARKED.request_id(): TWIN.uri}
    view = night.rows("select document_id from nightshift.notes order by 1")
    assert [row["document_id"] for row in view] == [OTHER.document_id, TWIN.document_id]
    assert erase(night, TWIN).forgotten == {TWIN.request_id()}
    assert len(night.rows("select * from nightshift.notes_enrichments")) == 1


def test_run_that_has_not_ended_is_busy_for_a_day(nights: Nights) -> None:
    nights.list_versions("run-1", MARKED)
    with nights.warehouse.session() as session:
        assert read_document_versions(session, MARKED.uri) == {SPEC: [MARKED.document_id]}
        assert read_document_versions(session, "s3://inbox/none") == {}
        busy = {
            hours: read_document_runs(
                session,
                spec=SPEC,
                document_ids=[MARKED.document_id],
                now=MONDAY + hours * HOUR,
            )[0].is_busy
            for hours in (1, 27)
        }
    assert busy == {1: True, 27: False}


def test_what_is_marked_as_erased_is_not_taken_up_again(nights: Nights) -> None:
    nights.list_versions("run-1", MARKED)
    with nights.warehouse.session() as session:
        mark_erased(
            session,
            spec=SPEC,
            document_ids=[MARKED.document_id],
            erased_at=MONDAY,
            now=MONDAY,
        )
    _, taken = nights.list_versions("run-2", MARKED, at=MONDAY + 2 * DAY)
    assert taken == []
