"""Three nights that hold what nights bring, for `make walkthrough`: what lies in S3 before each."""

import base64
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from include.spec import Spec
from include.specs import load_catalog

SPEC: Spec = replace(
    load_catalog().specs["document_metadata"], max_characters=700, max_dead_letter_rate=0.25
)
"""Short parts, so that a page is a long document; and patience with what is refused on purpose."""

_FIRST = "documents/dt=2026-11-10"
_SECOND = "documents/dt=2026-11-11"
_THIRD = "documents/dt=2026-11-12"

_COMPLAINT = (
    "Pump P-200 leaks again. We are very disappointed: the seal that Nordwerk replaced in October "
    "failed after nine days, and our line in Halden stood still for a terrible week."
)
_OFFER = (
    "Nordwerk offers Globex the yearly maintenance of all pumps in Bergen for 48,000 euros. The "
    "offer is good until the end of the year and includes every spare part."
)
_SURVEY = (
    "Answers to the survey among the operators of Initech. Most of them are satisfied with the "
    "pumps. A few would like a better manual."
)
_LETTER = (
    "Initech thanks Nordwerk for the quick repair in Oslo. The engineer was friendly and the pump "
    "works perfectly."
)
_MINUTES = (
    "Minutes of the meeting of Initech and Nordwerk. Spare parts for the pumps will be kept in "
    "Oslo. Nordwerk sends a list of parts."
)
_MINUTES_CORRECTED = _MINUTES.replace("Oslo", "Bergen")
_PRICES = (
    "Prices of spare parts. A seal costs 120 euros, a rotor 900 euros, a motor 4,500 euros. "
    "Nordwerk delivers to Halden within three days."
)
_PRICES_RISEN = _PRICES.replace("120", "140")
_REVIEW = (
    "A review of the P-300 pump by Acme. It is quiet, efficient and a great improvement. We "
    "recommend it to every plant."
)
_THANKS = (
    "Acme is happy with the new P-300 pumps in Halden. Thank you for the excellent work of your "
    "engineers, and best wishes to everyone at Nordwerk."
)
_CONTRACT = "\n\n".join(
    (
        "Contract between Acme and Nordwerk about the maintenance of pumps. Nordwerk maintains all "
        "pumps of Acme in Halden. An engineer visits the plant in the first week of each month, "
        "measures the pressure, replaces worn seals and writes a report. " * 2,
        "Acme pays 4,000 euros for each month within thirty days. Spare parts are paid apart, at "
        "the prices of the list that was agreed in Bergen. Prices may rise once a year, by no more "
        "than three percent, and Acme is told in October. " * 2,
        "The contract ends after two years. Each side may end it earlier if the other does not do "
        "what it promised for two months. Disputes are settled in Oslo. What is not written here "
        "follows the law of Norway. " * 2,
    )
)
_SCAN = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True)
class Story:
    """What happens before one night, and in it."""

    night: dt.date
    title: str
    told: tuple[str, ...]
    written: Mapping[str, str | bytes] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    faults: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """What the simulator does to requests about a text: how, and how often; None is always."""


STORIES = (
    Story(
        night=dt.date(2026, 11, 10),
        title="Everything is new",
        told=(
            "`offer.txt`, `prices.txt` and `complaint.txt` are answered at once.",
            "`fax.txt` says the same as `complaint.txt`: bought once, for one of the two.",
            "`contract.txt` is longer than a request: asked in parts, of which one answer is made.",
            "`scan.png` has no text: skipped. `survey.txt` is refused: a dead letter.",
            "`minutes.txt` first gets an answer against the schema, is asked again, and enriched.",
            "`letter.txt` expires in every round: it stays pending, and cost nothing.",
        ),
        written={
            f"{_FIRST}/acme/complaint.txt": _COMPLAINT,
            f"{_FIRST}/acme/contract.txt": _CONTRACT,
            f"{_FIRST}/acme/fax.txt": _COMPLAINT,
            f"{_FIRST}/globex/offer.txt": _OFFER,
            f"{_FIRST}/globex/prices.txt": _PRICES,
            f"{_FIRST}/initech/letter.txt": _LETTER,
            f"{_FIRST}/initech/minutes.txt": _MINUTES,
            f"{_FIRST}/initech/scan.png": _SCAN,
            f"{_FIRST}/initech/survey.txt": _SURVEY,
        },
        faults={_SURVEY: ("refusal", None), _MINUTES: ("schema", 1), _LETTER: ("expired", 4)},
    ),
    Story(
        night=dt.date(2026, 11, 11),
        title="New, changed and deleted",
        told=(
            "`review.txt` is new. `reminder.txt` is new and says what was read yesterday: reused.",
            "`minutes.txt` was changed and is asked about anew: the view moves on to that version.",
            "`prices.txt` was changed, and is refused: the view keeps the old answer, as stale.",
            "`letter.txt` is taken up again by itself, and enriched.",
            "`offer.txt` was deleted: it leaves the view, and stays in the history.",
            "The others are unchanged: nothing is asked about them.",
        ),
        written={
            f"{_FIRST}/globex/prices.txt": _PRICES_RISEN,
            f"{_FIRST}/initech/minutes.txt": _MINUTES_CORRECTED,
            f"{_SECOND}/acme/reminder.txt": _COMPLAINT,
            f"{_SECOND}/acme/review.txt": _REVIEW,
        },
        deleted=(f"{_FIRST}/globex/offer.txt",),
        faults={_PRICES_RISEN: ("refusal", None)},
    ),
    Story(
        night=dt.date(2026, 11, 12),
        title="Back again",
        told=(
            "`offer.txt` is back, a new version with the old content: reused, and in the view.",
            "`prices.txt` says again what it said at first: reused, and fresh.",
            "`complaint.txt` was deleted; `fax.txt` keeps the answer that they shared.",
            "`thanks.txt` is new.",
        ),
        written={
            f"{_FIRST}/globex/offer.txt": _OFFER,
            f"{_FIRST}/globex/prices.txt": _PRICES,
            f"{_THIRD}/acme/thanks.txt": _THANKS,
        },
        deleted=(f"{_FIRST}/acme/complaint.txt",),
    ),
)

QUESTIONS: Mapping[str, str] = {
    "The run": """
        select
            listed_count as listed, enriched_count as enriched, reused_count as reused,
            unchanged_count as unchanged, skipped_count as skipped, dead_letter_count as dead,
            pending_count as pending, verdict
        from nightshift.runs
        where run_key = (select max(run_key) from nightshift.runs)
    """,
    "Documents, and what this night made of them": """
        select
            substring(d.object_key, 22) as object,
            row_number() over (partition by d.document_uri order by d.last_modified_at) as version,
            case
                when not d.is_current then 'older'
                when d.deleted_at is not null then 'deleted'
                else 'current'
            end as version_is,
            case
                -- For which of two equal documents an answer is bought is chance.
                when
                    s.state in ('enriched', 'reused')
                    and count(*) over (partition by s.run_key, d.content_sha256) > 1
                    then 'enriched/reused'
                when s.state is null and d.is_current and d.deleted_at is null then 'unchanged'
                else s.state
            end as tonight,
            s.state_reason as reason
        from nightshift.documents as d
        left join nightshift.document_states as s
            on s.spec = d.spec
            and s.document_id = d.document_id
            and s.run_key = (select max(run_key) from nightshift.runs)
        order by object, version
    """,
    "What was bought": """
        select
            substring(min(e.object_key), 22) as object, r.part_number as part, r.attempt,
            r.outcome, case when r.cost_usd > 0 then 'paid' else 'free' end as price
        from nightshift.results as r
        join nightshift.documents as d on d.spec = r.spec and d.document_id = r.document_id
        join nightshift.documents as e on e.spec = d.spec and e.content_sha256 = d.content_sha256
        where r.run_key = (select max(run_key) from nightshift.runs)
        group by r.batch_id, r.request_id, r.part_number, r.attempt, r.outcome, r.cost_usd
        order by object, part, r.attempt
    """,
    "What an analyst sees": """
        select
            substring(object_key, 22) as object,
            case when is_stale then 'stale' else 'fresh' end as answer_is,
            part_count as parts, main_topic as topic, sentiment as mood, key_entities as entities
        from nightshift.document_metadata
        order by object
    """,
    "Dead letters": """
        select
            substring(d.object_key, 22) as object, l.reason, l.attempts,
            coalesce(l.resolution, 'open') as resolution
        from nightshift.dead_letters as l
        join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
        order by object, l.created_at
    """,
}
"""What is asked after every night: nothing that time, chance or the servers decide."""
