"""The web application of the page: what it shows, from the work bucket, and what it lets one do."""

import datetime as dt
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_authenticated
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.models.dagrun import DagRun
from airflow.utils.state import DagRunState
from batch_links import CONSOLE_URL
from fastapi import Depends, FastAPI, HTTPException, Request, Response, status
from fastapi import Path as PathParam
from fastapi.responses import FileResponse, JSONResponse
from night_context import utc_now
from nightshift_clients import open_anthropic, open_quick_store
from page_access import (
    dag_id_of,
    may_cancel,
    may_requeue,
    may_see,
    require_cancel,
    require_own_page,
)
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from include.charts import Chart, Layout, draw_chart
from include.config import Settings
from include.errors import AccountError, LedgerStateError, PipelineError
from include.ledger import read_claim
from include.overview import (
    ActiveRun,
    DayBudget,
    OpenBatch,
    SpecOverview,
    read_day_budget,
    read_overview,
    read_shard,
)
from include.recent import Recent
from include.runs import DeadLetterReason
from include.specs import load_catalog
from include.steps.cancel_batch import Cancellation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
    from sqlalchemy.orm import Session

    from include.steps.cancel_batch import Canceler
    from include.storage import ObjectStore

logger = logging.getLogger(__name__)

SECONDS_KEPT = 5.0
"""How old what is shown may be: many viewers cost one look."""
ACTIVE_RUNS_SHOWN = 5
CANCEL_SECONDS = 15

_FILES = Path(__file__).parent / "page"
_SCRIPTS = ("actions.js", "elements.js", "format.js", "page.js", "sections.js")
_STATIC = {"page.css": "text/css"} | dict.fromkeys(_SCRIPTS, "text/javascript")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

Name = Annotated[str, PathParam(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
"""The id of a batch or a shard."""


class CancelBody(BaseModel):
    """Why a batch is stopped."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=200)


class SpecView(BaseModel):
    """One spec as one user sees it."""

    dag_id: str
    may_requeue: bool
    overview: SpecOverview


class PageView(BaseModel):
    """All that the page shows."""

    now: dt.datetime
    may_cancel: bool
    requeue_reasons: tuple[str, ...] = get_args(DeadLetterReason)
    console_url: str = CONSOLE_URL
    day_budget: DayBudget | None
    specs: list[SpecView]
    problems: list[str]


class BatchView(BaseModel):
    """One shard, open or closed, and its batch."""

    spec: str
    dag_id: str
    batch: OpenBatch


class PageClients:
    """Opens what lies outside; tests put something else in its place."""

    def open_store(self) -> "ObjectStore":
        """Open the work bucket."""
        return open_quick_store(Settings.from_env())

    def daily_budget_usd(self) -> Decimal | None:
        """Return what all specs together may cost on a day."""
        return Settings.from_env().daily_budget_usd

    @contextmanager
    def open_api(self) -> "Iterator[Canceler]":
        """Open the Message Batches API, which only stopping a batch needs."""
        from include.batches import BatchesApi

        with open_anthropic() as client:
            hurried = client.with_options(timeout=CANCEL_SECONDS, max_retries=1)
            yield BatchesApi(hurried, Settings.from_env())


def build_app(clients: PageClients | None = None) -> FastAPI:
    """Build the application. Nothing of it answers whoever is not logged in."""
    app = FastAPI(
        title="Nightshift",
        dependencies=[Depends(requires_authenticated())],
        openapi_url=None,  # with it go /docs and /redoc, which know no dependencies
    )
    app.middleware("http")(_add_headers)
    app.add_exception_handler(PipelineError, _describe_error)
    looks = _Looks(clients or PageClients())
    _add_files(app)
    _add_views(app, looks)
    _add_batches(app, looks)
    return app


class _Looks:
    """What was seen lately, by spec, and how to look again."""

    def __init__(self, clients: PageClients) -> None:
        self.clients = clients
        self._recent: Recent[SpecOverview] = Recent(SECONDS_KEPT, time.monotonic)

    def overview(self, session: "Session", spec: str) -> SpecOverview:
        def read() -> SpecOverview:
            active_runs = _active_runs(session, dag_id_of(spec))
            return read_overview(self.clients.open_store(), spec, active_runs)

        return self._recent.get_or_read(spec, read)

    def batch(self, session: "Session", batch_id: str) -> tuple[str, OpenBatch]:
        """Return a batch that the ledger knows, and its spec."""
        claim = read_claim(self.clients.open_store(), batch_id)
        return claim.spec, self.shard(session, claim.spec, claim.shard_id)

    def shard(self, session: "Session", spec: str, shard_id: str) -> OpenBatch:
        """Return a shard that the ledger knows."""
        # The overview knows the runs under way.
        for one in self.overview(session, spec).open_work.batches:
            if one.shard_id == shard_id:
                return one
        return read_shard(self.clients.open_store(), spec, shard_id)

    def forget(self, spec: str) -> None:
        self._recent.forget(spec)


def _add_files(app: FastAPI) -> None:
    @app.get("/page")
    def page() -> FileResponse:
        return FileResponse(_FILES / "page.html", media_type="text/html")

    @app.get("/static/{name}")
    def static(name: str) -> FileResponse:
        if name not in _STATIC:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "no such file")
        return FileResponse(_FILES / name, media_type=_STATIC[name])


def _add_views(app: FastAPI, looks: _Looks) -> None:
    @app.get("/api/overview")
    def overview(user: GetUserDep, session: SessionDep) -> PageView:
        catalog, now = load_catalog(), utc_now()
        overviews = {name: looks.overview(session, name) for name in sorted(catalog.specs)}
        return PageView(
            now=now,
            may_cancel=may_cancel(user),
            day_budget=read_day_budget(
                overviews.values(), looks.clients.daily_budget_usd(), today=now.date()
            ),
            specs=[
                SpecView(
                    dag_id=dag_id_of(name),
                    may_requeue=may_requeue(user, name),
                    overview=overview,
                )
                for name, overview in overviews.items()
                if may_see(user, name)
            ],
            problems=[f"spec {name} is broken: see the import errors" for name in catalog.broken],
        )

    @app.get("/api/specs/{spec}/charts/{chart}")
    def chart(
        spec: str, chart: Chart, user: GetUserDep, session: SessionDep, layout: Layout = "wide"
    ) -> Response:
        _require_sight(user, spec)
        drawn = draw_chart(chart, looks.overview(session, spec).days, layout)
        return Response(drawn, media_type="image/svg+xml")


def _add_batches(app: FastAPI, looks: _Looks) -> None:
    @app.get("/api/batches/{batch_id}")
    def batch(batch_id: Name, user: GetUserDep, session: SessionDep) -> BatchView:
        spec, found = looks.batch(session, batch_id)
        if not may_see(user, spec):
            raise HTTPException(status.HTTP_404_NOT_FOUND, f"no batch {batch_id}")
        return BatchView(spec=spec, dag_id=dag_id_of(spec), batch=found)

    @app.get("/api/specs/{spec}/shards/{shard_id}")
    def shard(spec: str, shard_id: Name, user: GetUserDep, session: SessionDep) -> BatchView:
        _require_sight(user, spec)
        found = looks.shard(session, spec, shard_id)
        return BatchView(spec=spec, dag_id=dag_id_of(spec), batch=found)

    @app.post(
        "/api/batches/{batch_id}/cancel",
        dependencies=[
            Depends(require_own_page),
            Depends(require_cancel),
            Depends(action_logging(event="nightshift.cancel_batch")),
        ],
    )
    def cancel(batch_id: Name, body: CancelBody, user: GetUserDep) -> OpenBatch:
        cancellation = Cancellation(
            batch_id=batch_id,
            by=user.get_name(),
            reason=body.reason,
            store=looks.clients.open_store(),
            now=utc_now,
        )
        with looks.clients.open_api() as api:
            entry = cancellation.carry_out(api)
        looks.forget(entry.spec)
        return OpenBatch.of(entry)


def _require_sight(user: "BaseUser", spec: str) -> None:
    if spec not in load_catalog().specs or not may_see(user, spec):
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such spec")


def _active_runs(session: "Session", dag_id: str) -> Sequence[ActiveRun]:
    statement = (
        select(DagRun.run_id, DagRun.state, DagRun.start_date)
        .where(
            DagRun.dag_id == dag_id,
            DagRun.state.in_([DagRunState.RUNNING, DagRunState.QUEUED]),
        )
        .order_by(DagRun.id.desc())
        .limit(ACTIVE_RUNS_SHOWN)
    )
    return [
        ActiveRun(run_id, str(state), started_at)
        for run_id, state, started_at in session.execute(statement)
    ]


async def _add_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


def _describe_error(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong and what to do, as the library says it; these messages hold no secrets."""
    logger.warning("page path=%s error=%s", request.url.path, error)
    code = status.HTTP_503_SERVICE_UNAVAILABLE
    if isinstance(error, LedgerStateError):
        code = status.HTTP_409_CONFLICT
    elif isinstance(error, AccountError):
        code = status.HTTP_502_BAD_GATEWAY
    return JSONResponse({"detail": str(error)}, code)
