"""What nights are foretold to cost, and what the simulator bills."""

import datetime as dt
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from include.config import Settings
from include.spec import Spec
from include.specs import load_catalog
from include.tokens import PRICE_STEP_TOKENS
from local_stack.nights import DAY
from tests.factories import make_spec
from tests.forecast.measuring import at_day_prefix, measure
from tests.integration.night_world import World

pytestmark = pytest.mark.integration

_WORDS = {
    "english": "The committee approved the annual budget after a short debate. ",
    "deutsch": "Während der Überprüfung fanden die Prüfer größere Lücken. ",
    "nihongo": "委員会は短い議論の後に年間予算を承認しました。",
}


class Term(BaseModel):
    name: str = Field(max_length=40)
    amount: float | None
    due: dt.date | None


class Terms(BaseModel):
    parties: list[str] = Field(max_length=4)
    terms: list[Term]
    is_signed: bool


class Ticket(BaseModel):
    urgency: Literal["low", "medium", "high"]
    reason: str = Field(max_length=80)


METADATA = load_catalog().specs["document_metadata"]
"""Its first night tries the cache."""
SPECS = [
    METADATA,
    make_spec(name="terms", answer=Terms),
    make_spec(name="tickets", answer=Ticket),
]


def fill(world: World, day: dt.datetime, *, seed: int) -> None:
    """Put 60 documents of three languages and all sizes into a night, and a copy of one."""
    for number in range(60):
        name, words = list(_WORDS.items())[number % 3]
        text = f"{name} {seed} {number}. " + words * (3 + (number * 7 + seed) % 50 * (number % 5))
        world.upload(f"{name}-{number}", text=text, day=f"{day:%F}")
    world.upload("copy", text=text, day=f"{day:%F}")


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_bill_lies_within_the_interval_and_near_the_forecast_once_answers_were_seen(
    world: World, spec: Spec
) -> None:
    days = [DAY, DAY + dt.timedelta(days=1)]
    for number, day in enumerate(days):
        fill(world, day, seed=number)
    night = world.night.another(spec=at_day_prefix(spec))
    first, second = measure(
        (night.another(run_id=f"{day:%F}", night=day) for day in days), world.simulator
    )
    assert (first.forecast.source, first.forecast.output_source) == ("sample", "schema")
    assert (second.forecast.source, second.forecast.output_source) == ("actuals", "actuals")
    assert first.holds, first.cells
    assert second.holds, second.cells
    assert abs(second.deviation) < 0.05
    assert (first.forecast.request_count, first.forecast.reused_count) == (60, 1)


def test_report_tells_how_far_off_the_forecast_was(world: World) -> None:
    world.upload("a", "b")
    report = world.night.another(spec=METADATA).run()
    assert report.forecast is not None
    assert report.is_within_forecast
    assert report.deviation_percent is not None
    ((lower, upper, cost),) = world.rows(
        "select forecast_lower_usd, forecast_upper_usd, actual_usd from nightshift.runs"
    )
    assert lower < cost < upper


def test_prompts_above_the_price_step_are_billed_as_foretold(world: World) -> None:
    """One of four lies above it: the average does not, and would cost less than half."""
    spec = make_spec(name="books", max_characters=400_000, beyond_price_step=True)
    text = "word " * int(PRICE_STEP_TOKENS * 2.5 / 5)
    for number, share in enumerate((0.2, 0.5, 0.9, 1.3)):
        cut = text[: int(len(text) * min(share, 1))] + text * (share > 1)
        world.upload(f"book-{number}", text=f"{number} {cut}")
    night = world.night.another(spec=at_day_prefix(spec))
    (measured,) = measure(iter([night]), world.simulator)
    assert measured.holds
    assert abs(measured.deviation) < 0.02


def test_planning_goes_on_without_the_api(world: World) -> None:
    """A forecast is worth no night: the documentation's ratio stands in, with more doubt."""
    world.simulator.set_faults({"op": "*", "kind": "status", "code": 529, "times": None})
    world.upload("a")
    night = world.night
    plan = night.plan_shards([night.build_requests(key) for key in night.list_documents()])
    assert plan.forecast is not None
    assert (plan.forecast.source, plan.forecast.counted_count) == ("usual", 0)
    tokens = plan.forecast.input_tokens
    assert tokens.lower < 0.6 * tokens.expected


def test_negotiated_prices_are_foretold_and_accounted_for(world: World) -> None:
    changes: dict[str, Any] = {"price_overrides": {"claude-haiku-5-5": {"discount": "0.5"}}}
    settings = Settings(**(world.night.settings.model_dump() | changes))
    world.upload("a", "b")
    report = world.night.another(settings=settings, spec=METADATA).run()
    assert 2 * float(report.actual_usd) == pytest.approx(float(world.bill["cost_usd"]))
    assert report.is_within_forecast
