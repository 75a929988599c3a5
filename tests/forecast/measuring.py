"""One night's forecast beside the simulator's bill for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from include.forecast import Forecast
from include.plans import read_plan
from include.runs import RunFiles
from include.spec import Source, Spec
from local_stack.nights import NightDriver
from tests.integration.simulator_process import SimulatorProcess

PREFIX = "documents/dt={ds}/"
HEADS = ("spec", "night", "by", "answers by", "requests", "forecast", "lower", "upper", "bill")


@dataclass(frozen=True)
class Measured:
    """What was foretold, and what it cost."""

    spec: str
    night: str
    forecast: Forecast
    bill_usd: Decimal

    @property
    def deviation(self) -> float:
        """How far the forecast lies from the bill, as a share of the bill."""
        return float(self.forecast.cost_usd.expected / self.bill_usd - 1)

    @property
    def holds(self) -> bool:
        """Whether the bill lies within the interval."""
        return self.forecast.cost_usd.holds(self.bill_usd)

    @property
    def cells(self) -> tuple[str, ...]:
        cost = self.forecast.cost_usd
        sums = (cost.expected, cost.lower, cost.upper, self.bill_usd)
        return (
            self.spec,
            self.night,
            self.forecast.source,
            self.forecast.output_source,
            f"{self.forecast.request_count:,}",
            *(f"${one:.4f}" for one in sums),
            f"{self.deviation:+.1%}",
            "holds" if self.holds else "does not hold",
        )


def at_day_prefix(spec: Spec) -> Spec:
    """Return the spec with its documents where the report puts them: another source is no other
    question."""
    return replace(spec, source=Source(by="date_prefix", prefix=PREFIX))


def measure(nights: Iterator[NightDriver], simulator: SimulatorProcess) -> Iterator[Measured]:
    """Run nights one after the other, and yield what each was foretold and billed."""
    billed = Decimal(simulator.control("bill")["cost_usd"])
    for night in nights:
        report = night.run()
        assert report.verdict == "green", report.problems
        plan = read_plan(night.store, RunFiles(night.spec.name, night.run_key))
        assert plan.forecast is not None
        total = Decimal(simulator.control("bill")["cost_usd"])
        yield Measured(
            night.spec.name, night.night.date().isoformat(), plan.forecast, total - billed
        )
        billed = total
