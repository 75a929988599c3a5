"""What earlier batches tell of the tokens of the next ones."""

import datetime as dt

from include.past_usage import BatchUsage
from include.warehouse.session import Session

PAST_USED = dt.timedelta(days=90)
"""Older batches say nothing of the next ones."""


def read_past_usage(
    session: Session, *, spec: str, model: str, escalation_model: str | None, since: dt.datetime
) -> list[BatchUsage]:
    """Return the sums of the latest batches of a spec and model, and of what was escalated."""
    rows = session.read(
        "read_past_usage",
        spec=spec,
        model=model,
        escalation_model=escalation_model or model,
        since=since,
    )
    return [BatchUsage(**row) for row in rows.read_all().to_pylist()]
