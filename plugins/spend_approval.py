"""The budget gate: returns at once within budget, else asks a person."""

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

from include.runs import RunParams

if TYPE_CHECKING:
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
            return {"granted": approval.grant(), "estimate_usd": str(estimate_usd)}
        self.body = (
            f"{len(approval.plan.shard_ids)} shards of `{self.spec}` are estimated at "
            f"**${estimate_usd:.4f}**; the run's budget is ${budget_usd:.4f}. Approve to submit "
            "them. Reject to leave their documents pending; a later night asks again."
        )
        return super().execute(context)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Resume with a person's answer."""
        answer = super().execute_complete(context, event)
        approval = self._approval()
        if answer["chosen_options"] == [self.APPROVE]:
            approval.grant()
        else:
            approval.refuse(by=str(answer["responded_by_user"]))
        return answer

    def _approval(self) -> "Approval":
        from nightshift_clients import open_run, utc_now

        from include.plans import read_plan
        from include.runs import RunFiles
        from include.steps.approve_spend import Approval

        run = open_run(self.spec)
        plan = read_plan(run.store, RunFiles(self.spec, run.run_key))
        return Approval(run.run_key, plan, run.ledger, utc_now)
