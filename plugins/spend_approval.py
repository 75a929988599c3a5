"""The budget gate: returns at once within budget, else asks a person."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

from include.approvals import with_retries
from include.runs import RunParams

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.spend_gate import SpendGate
    from include.steps.approve_spend import Approval


class SpendApprovalOperator(ApprovalOperator):
    """Lets a run submit its planned shards: by itself within its budgets, else after an Approve.

    Where the spec says `over_budget="fail"`, nobody is asked and the task fails. A Reject skips the
    shard group; the documents stay pending and the night ends green.

    Args:
        spec: Name of the spec.
    """

    def __init__(self, *, spec: str, **kwargs: Any) -> None:
        super().__init__(subject="A night costs more than its budget", **kwargs)
        self.spec = spec

    def execute(self, context: "Context") -> Any:
        """Look whether models, requests and account are fit, then grant what the budget covers."""
        from night_steps import open_run

        approval = self._approval()
        gate = self._gate(approval, RunParams.parse(context["params"]))
        budget_usd, estimate_usd = gate.run_budget_usd, approval.estimate_usd
        if estimate_usd > 0:
            spare_usd = None if budget_usd is None else max(budget_usd - estimate_usd, Decimal(0))
            self._preflight(approval, spare_usd)
        problem = gate.problem()
        if problem is None:
            self._write(approval, by="budget", limit_usd=gate.limit_usd)
            return {"granted": approval.grant(), "estimate_usd": str(approval.estimate_usd)}
        if open_run(self.spec).manifest.spec.over_budget == "fail":
            gate.refuse(problem)
        self.subject = approval.headline(self.spec)
        self.body = approval.question(self.spec, problem)
        return super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Carry out a person's answer; on a Reject the base class then skips the shard group."""
        if "error" not in event:
            approval, by = self._approval(), str(event["responded_by_user"])
            is_granted = event["chosen_options"] == [self.APPROVE]
            limit_usd = with_retries(approval.estimate_usd)
            if is_granted and approval.estimate_usd > 0:
                self._preflight(approval, limit_usd - approval.estimate_usd)
            self._write(approval, by=by, limit_usd=limit_usd, is_granted=is_granted)
            if is_granted:
                self._gate(approval, RunParams.parse(context["params"])).note_granted()
                approval.grant()
            else:
                approval.refuse(by=by)
        return super().execute_complete(context, event)

    def _preflight(self, approval: "Approval", spare_usd: Decimal | None) -> None:
        """Try the run's requests, for free, or for as much as is approved beside its shards."""
        from night_steps import open_run
        from nightshift_clients import open_anthropic

        from include.probes import Probes
        from include.runs import RunFiles

        run = open_run(self.spec)
        with open_anthropic() as client:
            probes = Probes(client, run.store, run.manifest.spec, RunFiles(self.spec, run.run_key))
            approval.preflight(probes, spare_usd=spare_usd)

    def _gate(self, approval: "Approval", params: RunParams) -> "SpendGate":
        from night_context import utc_now
        from night_steps import open_run
        from nightshift_clients import open_warehouse

        from include.spend_gate import SpendGate

        run = open_run(self.spec)
        default_usd = run.manifest.spec.budget_usd
        return SpendGate(
            approval=approval,
            spec=self.spec,
            run_budget_usd=default_usd if params.budget_usd is None else params.budget_usd,
            day_budget_usd=run.settings.daily_budget_usd,
            store=run.store,
            warehouse=open_warehouse(),
            now=utc_now,
        )

    def _write(
        self,
        approval: "Approval",
        *,
        by: str,
        limit_usd: Decimal | None,
        is_granted: bool = True,
    ) -> None:
        """Keep the decision: retry rounds spend from the same sum."""
        from night_context import utc_now
        from night_steps import open_run

        from include.approvals import SpendDecision, write_decision
        from include.runs import RunFiles

        decision = SpendDecision(
            is_granted=is_granted,
            limit_usd=limit_usd,
            estimate_usd=approval.estimate_usd,
            by=by,
            at=utc_now(),
        )
        run = open_run(self.spec)
        write_decision(run.store, RunFiles(self.spec, run.run_key), decision)

    def _approval(self) -> "Approval":
        from night_context import utc_now
        from night_steps import open_run

        from include.plans import read_plan
        from include.runs import RunFiles
        from include.steps.approve_spend import Approval

        run = open_run(self.spec)
        plan = read_plan(run.store, RunFiles(self.spec, run.run_key))
        return Approval(run.run_key, plan, run.ledger, utc_now)
