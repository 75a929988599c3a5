"""Tells people by mail when a night is red, or late; settings are read when that happens."""

import html
import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from include.config import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.spec import Spec

logger = logging.getLogger(__name__)

SMTP_CONN_ID = "smtp_default"
LOADING_TASK = "load_warehouse"
"""The task after which analysts have the night, whatever retries may still bring."""


class RedRunNotifier(BaseNotifier):
    """Mails that a run failed to `NIGHTSHIFT_ALERT_EMAILS`, through connection `smtp_default`."""

    def notify(self, context: "Context") -> None:
        """Tell which run failed, and where to look."""
        values: dict[str, Any] = dict(context)
        dag_id, run_id = values["dag"].dag_id, values["run_id"]
        send_mail(
            f"Nightshift: a run of {dag_id} is red",
            dag_id=dag_id,
            run_id=run_id,
            what=f"The run has failed ({values.get('reason') or 'no reason given'}).",
        )


def ready_alert(spec: "Spec") -> DeadlineAlert | None:
    """Return the alert for nights that are not in the warehouse in time; None when none is due."""
    if spec.ready_within is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=spec.ready_within,
        callback=AsyncCallback(alert_late),
        name=f"{spec.name} is in the warehouse",
    )


async def alert_late(context: dict[str, Any]) -> None:
    """Mail that a scheduled night is not in the warehouse yet; runs in the triggerer.

    The deadline is that of the run, which goes on after its load for as long as retries take.
    """
    from asgiref.sync import sync_to_async

    await sync_to_async(_alert_if_late)(context["dag_run"], context["deadline"]["deadline_time"])


def _alert_if_late(run: dict[str, Any], due_at: Any) -> None:
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if run["run_type"] != "scheduled":
        logger.info("late dag=%s run=%s: nobody waits for a run by hand", dag_id, run_id)
        return
    state = _loading_state(dag_id, run_id)
    if state == "success":
        logger.info("late dag=%s run=%s: it is loaded, and retries go on", dag_id, run_id)
        return
    send_mail(
        f"Nightshift: {dag_id} is late",
        dag_id=dag_id,
        run_id=run_id,
        what=f"The night is not in the warehouse. It was due at {due_at}; "
        f"{LOADING_TASK} is {state or 'waiting'}.",
    )


def _loading_state(dag_id: str, run_id: str) -> str | None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    states = RuntimeTaskInstance.get_task_states(
        dag_id=dag_id, task_ids=[LOADING_TASK], run_ids=[run_id]
    )
    state: str | None = states.get(run_id, {}).get(LOADING_TASK)
    return state


def send_mail(subject: str, *, dag_id: str, run_id: str, what: str) -> None:
    """Send a mail with a link to a run; without recipients the log says so instead.

    Raises:
        AirflowException: There are recipients, but no connection `smtp_default`.
    """
    recipients = Settings.from_env().alert_recipients
    if not recipients:
        logger.warning(
            "alert dag=%s run=%s: nobody is told; NIGHTSHIFT_ALERT_EMAILS is empty", dag_id, run_id
        )
        return
    from airflow.providers.common.compat.sdk import conf
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    address = f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/dags/{dag_id}/runs/{run_id}"
    lines = [what, f"Run: {run_id}", f"Look at: {address}", "What to do: docs/runbook.md"]
    body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    notifier = SmtpNotifier(
        to=recipients, subject=subject, html_content=body, smtp_conn_id=SMTP_CONN_ID
    )
    notifier.notify({})
    logger.info("alerted dag=%s run=%s recipients=%d", dag_id, run_id, len(recipients))
