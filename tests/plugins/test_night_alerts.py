"""Red and late nights are told by mail, and only those."""

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from night_alerts import RedRunNotifier, alert_late

from tests.plugins.mail_server import MailServer, mail_server

if TYPE_CHECKING:
    from email.message import EmailMessage

DAG_ID = "enrich_notes"
RUN_ID = "scheduled__2026-11-11T02:00:00+00:00"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("NIGHTSHIFT_DOCUMENTS_BUCKET", "documents")
    monkeypatch.setenv("NIGHTSHIFT_WORK_BUCKET", "work")
    monkeypatch.setenv("NIGHTSHIFT_ALERT_EMAILS", "night@example.com,data@example.com")
    with mail_server() as server:
        extra = {"from_email": "nightshift@example.com", "disable_ssl": True, "disable_tls": True}
        connection = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": server.port,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        yield server


def text_of(mail: "EmailMessage") -> str:
    (part,) = (one for one in mail.walk() if one.get_content_type() == "text/html")
    return str(part.get_payload(decode=True).decode())


def fail(**changes: Any) -> None:
    dag = DAG(DAG_ID, schedule=None)
    RedRunNotifier()({"dag": dag, "run_id": RUN_ID, "reason": "task_failure", **changes})


def test_a_red_run_is_told_to_everybody(server: MailServer) -> None:
    fail()
    (mail,) = server.mails
    assert mail["To"] == "night@example.com, data@example.com"
    assert mail["Subject"] == f"Nightshift: a run of {DAG_ID} is red"
    assert "(task_failure)" in text_of(mail)
    assert f"/dags/{DAG_ID}/runs/{RUN_ID}" in text_of(mail)


def test_nothing_of_a_run_is_rendered(server: MailServer) -> None:
    fail(run_id="{{ conn }}<script>")
    assert "{{ conn }}&lt;script&gt;" in text_of(server.mails[0])


def test_without_recipients_nothing_is_sent(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTSHIFT_ALERT_EMAILS")
    fail()
    assert server.mails == []


def test_recipients_without_a_connection_are_an_error(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT")
    with pytest.raises(AirflowException, match="SMTP connection"):
        fail()


@pytest.mark.parametrize(
    ("run_type", "state", "is_told"),
    [
        ("scheduled", "running", True),
        ("scheduled", None, True),
        ("scheduled", "success", False),
        ("backfill", None, False),
        ("manual", "running", False),
    ],
)
def test_a_late_night_is_told_unless_it_is_loaded(
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    run_type: str,
    state: str | None,
    *,
    is_told: bool,
) -> None:
    def read_states(**_: Any) -> dict[str, Any]:
        return {RUN_ID: {"load_warehouse": state}} if state else {}

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", read_states)
    run = {"dag_id": DAG_ID, "dag_run_id": RUN_ID, "run_type": run_type}
    deadline = {"id": "1", "deadline_time": "2026-11-11 07:00:00+00:00"}
    asyncio.run(alert_late(context={"dag_run": run, "deadline": deadline}))
    assert [mail["Subject"] for mail in server.mails] == [f"Nightshift: {DAG_ID} is late"] * is_told
    if is_told:
        assert "due at 2026-11-11 07:00:00+00:00" in text_of(server.mails[0])
