"""The gate before any spend: the budget of the run, and that of the day over all specs."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from include.approvals import with_retries
from include.errors import BudgetError
from include.forecast_lines import usd
from include.ledger import Ledger
from include.turns import Turn, Turns
from include.warehouse.reports import read_day_cost

if TYPE_CHECKING:
    from include.steps.approve_spend import Approval
    from include.storage import ObjectStore
    from include.warehouse.session import Warehouse

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SpendGate:
    """Decides whether a run may submit its planned shards without asking anybody."""

    approval: "Approval"
    spec: str
    run_budget_usd: Decimal | None
    day_budget_usd: Decimal | None
    store: "ObjectStore"
    warehouse: "Warehouse"
    now: Callable[[], dt.datetime]

    def problem(self) -> str | None:
        """Return what stands against the spend, in words; None lets the run submit.

        Takes the run's turn: of runs that look at the same time, those whose turn came first are
        counted, whether or not they have looked, and those after them are not.
        """
        if self.approval.is_granted or not self.approval.waiting_shard_ids:
            return None
        estimate_usd = self.approval.estimate_usd
        if self.run_budget_usd is not None and estimate_usd > self.run_budget_usd:
            return f"the run's budget is {usd(self.run_budget_usd)}"
        over = self._over_day()
        if over is not None:
            Turns(self.store).give_up(self._turn)
        return over

    def refuse(self, problem: str) -> NoReturn:
        """Leave the documents pending, and say why.

        Raises:
            BudgetError: Always.
        """
        estimate_usd = self.approval.estimate_usd
        count = self.approval.refuse(by="budget")
        msg = (
            f"{count} shards of {self.spec} are estimated at {usd(estimate_usd)}: {problem}; their "
            "documents stay pending. Raise the budget, or give the run budget_usd, and clear "
            "plan_shards with downstream"
        )
        raise BudgetError(msg)

    def note_granted(self) -> None:
        """Count what a person has approved, from now on and for everybody."""
        Turns(self.store).take(self._turn)

    @property
    def limit_usd(self) -> Decimal | None:
        """What the run and its retry rounds may spend by estimate, when nobody was asked."""
        if self.day_budget_usd is None:
            return self.run_budget_usd
        most = with_retries(self.approval.estimate_usd)
        return most if self.run_budget_usd is None else min(most, self.run_budget_usd)

    @property
    def _turn(self) -> Turn:
        return Turn(
            run_key=self.approval.run_key,
            spec=self.spec,
            shard_ids=tuple(self.approval.waiting_shard_ids),
        )

    def _over_day(self) -> str | None:
        turns = Turns(self.store)
        taken = turns.take(self._turn)
        # The open shards before what is paid: one that is loaded in between is counted twice, and
        # never missed.
        still_open = self._open_shards({one.spec for one in taken.turns})
        turns.drop_closed(taken, still_open)
        if self.day_budget_usd is None:
            return None
        counted = taken.until(self.approval.run_key, self.spec) & still_open.keys()
        out_usd = sum((still_open[one] for one in counted), Decimal(0))
        day = self.now().astimezone(dt.UTC).date()
        with self.warehouse.session(read_only=True) as session:
            paid_usd = read_day_cost(session, day=day)
        logger.info(
            "day budget run=%s day=%s budget_usd=%.6f paid_usd=%.6f out_usd=%.6f",
            self.approval.run_key,
            day,
            self.day_budget_usd,
            paid_usd,
            out_usd,
        )
        if paid_usd + out_usd <= self.day_budget_usd:
            return None
        return (
            f"the budget of {day} is {usd(self.day_budget_usd)}, of which {usd(paid_usd)} are "
            f"paid; this run and what else is out may cost {usd(out_usd)}"
        )

    def _open_shards(self, specs: Iterable[str]) -> dict[str, Decimal]:
        """Return the open shards of specs, each with the most that it will probably cost."""
        ledgers = (Ledger(self.store, name) for name in specs)
        return {
            shard_id: shard.most_usd
            for ledger in ledgers
            for shard_id, shard in ledger.read_open().record.shards.items()
        }
