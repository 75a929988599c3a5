"""The budget gate: returns at once within budget, else asks a person."""

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

from include.approvals import with_retries
from include.runs import RunParams

if TYPE_CHECKING:
    from decimal import Decimal

    from airflow.sdk import Context

    from include.steps.approve_spend import Approval


class SpendApprovalOperator(ApprovalOperator):
    """Lets a run submit its planned shards: by itself within `budget_usd`, else after an Approve.

    A Reject skips the shard group; the documents stay pending and the night ends green.

    Args:
        spec: Name of the spec.
    """

    def __init__(self, *, spec: str, **kwargs: Any) -> None:
        super().__init__(subject="A night costs more than its budget", **kwargs)
        self.spec = spec

    def execute(self, context: "Context") -> Any:
        """Look whether the model and the account are fit, then grant what the budget covers."""
        from nightshift_clients import open_anthropic, open_run

        approval = self._approval()
        if approval.estimate_usd > 0:
            with open_anthropic() as client:
                approval.preflight(client, open_run(self.spec).manifest.spec)
        budget_usd = RunParams.parse(context["params"]).budget_usd
        estimate_usd = approval.estimate_usd
        if budget_usd is None or estimate_usd <= budget_usd:
            self._write(approval, by="budget", limit_usd=budget_usd)
            return {"granted": approval.grant(), "estimate_usd": str(estimate_usd)}
        self.body = (
            f"{len(approval.plan.shard_ids)} shards of `{self.spec}` are estimated at "
            f"**${estimate_usd:.4f}**; the run's budget is ${budget_usd:.4f}. Approve to submit "
            f"them, and to let retries spend up to ${with_retries(estimate_usd):.4f} in all. "
            "Reject to leave their documents pending; a later night asks again."
        )
        return super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Carry out a person's answer; on a Reject the base class then skips the shard group."""
        if "error" not in event:
            approval, by = self._approval(), str(event["responded_by_user"])
            is_granted = event["chosen_options"] == [self.APPROVE]
            limit_usd = with_retries(approval.estimate_usd)
            self._write(approval, by=by, limit_usd=limit_usd, is_granted=is_granted)
            if is_granted:
                approval.grant()
            else:
                approval.refuse(by=by)
        return super().execute_complete(context, event)

    def _write(
        self,
        approval: "Approval",
        *,
        by: str,
        limit_usd: "Decimal | None",
        is_granted: bool = True,
    ) -> None:
        """Keep the decision: retry rounds spend from the same sum."""
        from nightshift_clients import open_run, utc_now

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
        from nightshift_clients import open_run, utc_now

        from include.plans import read_plan
        from include.runs import RunFiles
        from include.steps.approve_spend import Approval

        run = open_run(self.spec)
        plan = read_plan(run.store, RunFiles(self.spec, run.run_key))
        return Approval(run.run_key, plan, run.ledger, utc_now)
