"""Charts of the page: SVG whose colours and fonts are left to the page's own style sheet."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pygal
from lxml import etree

from include.night_index import OutcomeTotal

if TYPE_CHECKING:
    from include.overview import Day

# It hooks into every import, for maps that nobody draws here, in a way that Python has given up.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

Chart = Literal["spend", "outcomes"]
Layout = Literal["wide", "narrow"]

SPEND_SERIES = ("Batch price", "Forecast", "List price")
"""The order is that of the colours in the page's style sheet, here and below."""
OUTCOME_SERIES = ("succeeded", "asked again", "refused", "other")
_ASKED_AGAIN = frozenset(
    {"truncated", "context_exceeded", "invalid_output", "errored", "expired", "canceled", "missing"}
)

_SIZES: dict[Layout, tuple[int, int]] = {"wide": (720, 260), "narrow": (360, 220)}
"""Width and height in the SVG's own units, which are a pixel on such a screen."""
_DAYS: dict[Layout, int] = {"wide": 30, "narrow": 10}
_LABELS = 6
"""Most dates on an axis."""
_DROPPED = frozenset({"style", "script", "title", "desc"})


def draw_chart(chart: Chart, days: "Sequence[Day]", layout: Layout) -> bytes:
    """Return a chart of some days as SVG, without any style or script in it."""
    shown = days[-_DAYS[layout] :]
    draw = {"spend": _spend, "outcomes": _outcomes}[chart]
    return _bare(draw(shown, layout))


def _spend(days: "Sequence[Day]", layout: Layout) -> Any:
    chart = _chart(pygal.Bar, days, layout, _usd)
    values = (
        [day.actual_usd for day in days],
        [day.forecast_usd for day in days],
        [day.list_usd for day in days],
    )
    for name, series in zip(SPEND_SERIES, values, strict=True):
        chart.add(name, [float(value) for value in series])
    return chart


def _outcomes(days: "Sequence[Day]", layout: Layout) -> Any:
    chart = _chart(pygal.StackedBar, days, layout, lambda value: f"{value:,.0f}")
    sums = [_by_series(day.outcomes) for day in days]
    for name in OUTCOME_SERIES:
        chart.add(name, [one[name] for one in sums])
    return chart


def _by_series(outcomes: Sequence[OutcomeTotal]) -> dict[str, int]:
    counts = dict.fromkeys(OUTCOME_SERIES, 0)
    for line in outcomes:
        counts[_series_of(line.outcome)] += line.result_count
    return counts


def _series_of(outcome: str) -> str:
    if outcome in {"succeeded", "refused"}:
        return outcome
    return "asked again" if outcome in _ASKED_AGAIN else "other"


def _chart(
    kind: type[Any], days: "Sequence[Day]", layout: Layout, formatter: Callable[[float], str]
) -> Any:
    width, height = _SIZES[layout]
    chart = kind(
        width=width,
        height=height,
        js=(),
        no_prefix=True,
        show_legend=False,
        disable_xml_declaration=True,
        margin=6,
        margin_top=10,
        spacing=6,
        truncate_label=-1,
        min_scale=3,
        max_scale=6,
        include_x_axis=True,
        show_minor_x_labels=False,
        value_formatter=formatter,
        x_value_formatter=str,
    )
    labels = [f"{day.date:%d %b}" for day in days]
    every = -(-len(labels) // _LABELS) or 1
    chart.x_labels = labels
    chart.x_labels_major = labels[::-1][::every]
    return chart


def _usd(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:,.4f}"


def _bare(chart: Any) -> bytes:
    """Take out what a strict content policy refuses; each bar gets a title, which browsers show."""
    root = chart.render_tree()
    for bar in root.iter("g"):
        if bar.get("class") == "bar":
            said = {part.get("class"): part.text for part in bar.findall("desc")}
            etree.SubElement(bar, "tooltip").text = f"{said.get('x_label')}: {said.get('value')}"
    for element in list(root.iter()):
        if _is_refused(element):
            element.getparent().remove(element)
            continue
        element.attrib.pop("style", None)
        if _local(element) == "tooltip":
            element.tag = "title"
    root.set("aria-hidden", "true")
    root.attrib.pop("id", None)
    data: bytes = etree.tostring(root)
    return data


def _is_refused(element: Any) -> bool:
    is_comment = not isinstance(element.tag, str)
    return (
        is_comment
        or _local(element) in _DROPPED
        or "tooltip-overlay" in element.get("class", "")  # what its script would fill
    )


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)
