import datetime as dt
from decimal import Decimal

import pytest
from lxml import etree

from include.charts import OUTCOME_SERIES, Chart, Layout, draw_chart
from include.night_index import OutcomeTotal
from include.overview import Day

SVG = "{http://www.w3.org/2000/svg}"


def make_day(number: int, *outcomes: str) -> Day:
    return Day(
        date=dt.date(2026, 11, 1) + dt.timedelta(days=number),
        run_count=1,
        forecast_usd=Decimal("0.2"),
        actual_usd=Decimal("0.1"),
        list_usd=Decimal("0.3"),
        outcomes=tuple(
            OutcomeTotal(outcome=one, result_count=2, cost_usd=Decimal(1), list_cost_usd=Decimal(2))
            for one in outcomes
        ),
    )


def titles(data: bytes) -> list[str]:
    return [str(title.text) for title in etree.fromstring(data).iter("title", f"{SVG}title")]


@pytest.mark.parametrize("layout", ["wide", "narrow"])
@pytest.mark.parametrize("chart", ["spend", "outcomes"])
@pytest.mark.parametrize("count", [0, 1, 60])
def test_chart_of_any_length_is_free_of_styles_and_scripts(
    chart: Chart, layout: Layout, count: int
) -> None:
    data = draw_chart(chart, [make_day(number, "succeeded") for number in range(count)], layout)
    root = etree.fromstring(data)
    assert {"style", "script"}.isdisjoint(etree.QName(one).localname for one in root.iter())
    assert not [one for one in root.iter() if "style" in one.attrib]
    assert root.get("aria-hidden") == "true"


def test_each_bar_says_its_day_and_value() -> None:
    assert titles(draw_chart("spend", [make_day(0)], "wide")) == [
        "01 Nov: $0.1000",
        "01 Nov: $0.2000",
        "01 Nov: $0.3000",
    ]


def test_every_outcome_is_in_one_series() -> None:
    day = make_day(0, "succeeded", "truncated", "expired", "refused", "new one")
    bars = titles(draw_chart("outcomes", [day], "wide"))
    assert [bar.split(": ")[1] for bar in bars] == ["2", "4", "2", "2"]
    assert len(bars) == len(OUTCOME_SERIES)
