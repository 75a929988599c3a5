"""Task `approve_spend`: which shards a run may submit, as a budget or a person decided."""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from include.approvals import with_retries
from include.entries import Entry
from include.errors import AccountError, ConfigurationError
from include.forecast_lines import forecast_lines, usd
from include.preflight import check_model

if TYPE_CHECKING:
    from include.ledger import Ledger
    from include.plans import Plan
    from include.probes import Probes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Approval:
    """The decision over the planned shards of one plan."""

    run_key: str
    plan: "Plan"
    ledger: "Ledger"
    now: Callable[[], dt.datetime]

    @property
    def estimate_usd(self) -> Decimal:
        """What the shards that are not submitted yet will cost, joined ones included."""
        entries = (self.ledger.read(one).record for one in self.plan.shard_ids)
        return sum((e.estimate_usd for e in entries if e.state == "planned"), Decimal(0))

    @property
    def is_granted(self) -> bool:
        """Whether this run may submit all of them already: an earlier try got so far."""
        entries = (self.ledger.read(one).record for one in self.plan.shard_ids)
        waiting = [entry for entry in entries if entry.state == "planned"]
        return bool(waiting) and all(self.run_key in entry.approved_by for entry in waiting)

    @property
    def waiting_shard_ids(self) -> list[str]:
        """The shards that are not submitted yet, joined ones included."""
        entries = (self.ledger.read(one).record for one in self.plan.shard_ids)
        return [entry.shard_id for entry in entries if entry.state == "planned"]

    def headline(self, spec: str) -> str:
        """Return what a person is asked in a few words, to tell nights apart in a list."""
        return f"A night of {spec} is estimated at {usd(self.estimate_usd)}, above its budget"

    def question(self, spec: str, budget: str) -> str:
        """Return what a person is asked, as Markdown.

        Args:
            spec: Name of the spec.
            budget: What the estimate is above, in words.
        """
        sum_usd, most_usd = usd(self.estimate_usd), usd(with_retries(self.estimate_usd))
        count = len(self.plan.shard_ids)
        text = (
            f"{count} shard{'s' * (count != 1)} of `{spec}`, estimated at **{sum_usd}**; "
            f"{budget}. Approve to submit them, and to let retries spend up to {most_usd} in all. "
            "Reject to leave their documents pending; a later night asks again."
        )
        forecast = self.plan.forecast
        lines = forecast_lines(forecast) if forecast else ()
        return "\n".join((text, "", *(f"- {line}" for line in lines)))

    def preflight(self, probes: "Probes", *, spare_usd: Decimal | None) -> None:
        """Find out what is wrong with models, requests or account before a shard is submitted.

        Args:
            probes: Of this run.
            spare_usd: What trying requests may cost; None without a budget.

        Raises:
            ConfigurationError: A model cannot be used, or refuses the requests. The planned shards
                are abandoned: a later run would join and submit them, wrong as they are.
            AccountError: The API refuses the account; the planned shards say so.
        """
        try:
            for model in probes.spec.models:
                check_model(probes.client, probes.spec, model, now=self.now())
            probes.check(self.plan.shards.samples, spare_usd=spare_usd)
        except ConfigurationError:
            self.refuse(by="preflight")
            raise
        except AccountError:
            for one in self.plan.shard_ids:
                self.ledger.change(one, self._noting_account)
            raise

    def _noting_account(self, entry: Entry) -> Entry | None:
        if entry.state != "planned":
            return None
        return entry.noting_account(by=self.run_key, at=self.now())

    def grant(self) -> int:
        """Let this run submit the plan's shards; return how many were waiting for that.

        A shard that another run is posting just now is covered too: should that fail, any run goes
        on with it.
        """

        def step(entry: Entry) -> Entry | None:
            is_waiting = entry.state in {"planned", "intent"}
            if not is_waiting or self.run_key in entry.approved_by:
                return None
            return entry.model_copy(update={"approved_by": (*entry.approved_by, self.run_key)})

        granted = 0
        for one in self.plan.shard_ids:
            entry = self.ledger.change(one, step)
            granted += entry.state == "planned"
        logger.info("approved run=%s shards=%d", self.run_key, granted)
        return granted

    def refuse(self, *, by: str) -> int:
        """Abandon the planned shards that no other run may submit; return how many."""

        def step(entry: Entry) -> Entry | None:
            if entry.state != "planned" or set(entry.approved_by) - {self.run_key}:
                return None
            return entry.moved(state="abandoned", by=by, at=self.now(), note="spend_rejected")

        refused = 0
        for one in self.plan.shard_ids:
            if self.ledger.change(one, step).state == "abandoned":
                self.ledger.close(one)
                refused += 1
        logger.info("refused run=%s shards=%d", self.run_key, refused)
        return refused
