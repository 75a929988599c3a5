"""Who may see and do what on the page, by Airflow's own permissions."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import HTTPException, Request, status
from nightshift_clients import ANTHROPIC_CONN_ID

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

ACTION_HEADER = "X-Nightshift-Action"
"""Scripts of other sites cannot send it without being asked about first."""


def dag_id_of(spec: str) -> str:
    """Return the nightly DAG of a spec."""
    return f"enrich_{spec}"


def may_see(user: "BaseUser", spec: str) -> bool:
    """Return whether a user may read the runs of a spec."""
    return _may(user, spec, "GET")


def may_requeue(user: "BaseUser", spec: str) -> bool:
    """Return whether a user may start a run of a spec; Airflow's API asks the same again."""
    return _may(user, spec, "POST")


def may_cancel(user: "BaseUser") -> bool:
    """Return whether a user may stop what was bought: who may change the key it was bought with."""
    manager: Any = get_auth_manager()
    return bool(
        manager.is_authorized_connection(
            method="PUT", details=ConnectionDetails(conn_id=ANTHROPIC_CONN_ID), user=user
        )
    )


def require_cancel(user: GetUserDep) -> None:
    """Refuse whoever may not stop a batch."""
    if not may_cancel(user):
        detail = f"stopping a batch needs the right to edit the connection {ANTHROPIC_CONN_ID!r}"
        raise HTTPException(status.HTTP_403_FORBIDDEN, detail)


def require_own_page(request: Request) -> None:
    """Refuse an action that does not come from the page itself.

    Airflow's cookie is SameSite=Lax, which sibling subdomains and a permissive CORS setting defeat.
    """
    headers = request.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or not headers.get(ACTION_HEADER):
        detail = f"actions are sent as application/json with the header {ACTION_HEADER}"
        raise HTTPException(status.HTTP_403_FORBIDDEN, detail)
    origin = headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc not in _own_hosts(request)
    if is_foreign or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(status.HTTP_403_FORBIDDEN, "actions come from this site alone")


def _own_hosts(request: Request) -> set[str]:
    """Return where the page may lie: as the browser said, and as the deployment says."""
    configured = urlsplit(conf.get("api", "base_url", fallback="")).netloc
    return {host for host in (request.headers.get("host", ""), configured) if host}


def _may(user: "BaseUser", spec: str, method: "ResourceMethod") -> bool:
    dag_id = dag_id_of(spec)
    manager: Any = get_auth_manager()
    return bool(
        manager.is_authorized_dag(
            method=method,
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id)),
            user=user,
        )
    )
