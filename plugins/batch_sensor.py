"""Waiting for a batch: a sensor that looks first, and a trigger that never gives up on a batch."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent
from batch_links import BATCH_LINKS
from night_metrics import count_ended

from include.config import Settings
from include.errors import TransientError
from include.library_logs import quiet_libraries

if TYPE_CHECKING:
    from airflow.sdk import Context
    from anthropic.types.messages import MessageBatch

CALL_TIMEOUT_SECONDS = 20
"""Longest wait for one answer; the triggerer's event loop is watched at 30 s."""
JITTER = 0.2
"""Share by which an interval varies, so that a thousand shards do not ask in one moment."""


class BatchOverdueError(TransientError):
    """The batch has not ended in time; the next try of the task looks again."""


class BatchEndedSensor(BaseSensorOperator):
    """Waits until a Message Batch has ended, without a worker.

    It never cancels the batch: clearing, marking or failing this task only stops the waiting.

    Args:
        batch_id: The batch.
        conn_id: An Anthropic connection.
        poke_interval: Seconds between two looks; the settings' `poll_interval_seconds` when None.
        timeout: Seconds until a try gives up; the settings' `batch_timeout_seconds` when None.
        deferrable: Wait in the triggerer; otherwise in the worker.
    """

    template_fields: Sequence[str] = ("batch_id",)
    operator_extra_links = BATCH_LINKS

    def __init__(
        self,
        *,
        batch_id: str,
        conn_id: str = "anthropic_default",
        poke_interval: float | None = None,
        timeout: float | None = None,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch_id = batch_id
        self.conn_id = conn_id
        self.poll_interval = poke_interval
        self.batch_timeout = timeout
        self.deferrable = deferrable

    def execute(self, context: "Context") -> str:
        """Return the batch id at once when the batch has ended, else wait for it.

        A deferred task whose trigger fires at once is failed by the scheduler, so that the status
        is looked at before deferring, and the trigger's first look comes after a delay.
        """
        settings = Settings.from_env()
        if self.poke(context):
            count_ended()
            return self.batch_id
        interval = self.poll_interval or settings.poll_interval_seconds
        timeout = self.batch_timeout or settings.batch_timeout_seconds
        if not self.deferrable:
            self.poke_interval, self.timeout = interval, timeout
            super().execute(context)
            count_ended()
            return self.batch_id
        self.defer(
            trigger=BatchEndedTrigger(
                batch_id=self.batch_id,
                conn_id=self.conn_id,
                first_delay=settings.first_poll_delay_seconds,
                poll_interval=interval,
                deadline=time.time() + timeout,
            ),
            method_name=self.execute_complete.__name__,
        )
        return self.batch_id  # not reached: deferring raises

    def poke(self, context: "Context") -> bool:
        """Look once; an API that does not answer is no reason to fail."""
        from nightshift_clients import open_anthropic

        from include.batches import BatchesApi

        with open_anthropic(self.conn_id) as client:
            try:
                batch = BatchesApi(client, Settings.from_env()).retrieve(self.batch_id)
            except TransientError as error:
                self.log.warning("unreachable batch=%s reason=%s", self.batch_id, error)
                return False
        if batch is None:
            self.log.warning("unknown batch=%s: not known yet, or not to this key", self.batch_id)
            return False
        self.log.info("looked batch=%s status=%s", self.batch_id, batch.status)
        return batch.is_ended

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> str:
        """Resume after the trigger.

        Raises:
            BatchOverdueError: The batch did not end in time.
        """
        if event["status"] != "ended":
            msg = f"batch {self.batch_id} has not ended in time: {event['message']}"
            raise BatchOverdueError(msg)
        self.log.info("ended batch=%s", self.batch_id)
        count_ended()
        return self.batch_id


class BatchEndedTrigger(BaseTrigger):
    """Looks at a batch until it has ended, through outages of any length before the deadline.

    Args:
        batch_id: The batch.
        conn_id: An Anthropic connection.
        first_delay: Least seconds before the first look.
        poll_interval: Seconds between two looks.
        deadline: Seconds since the epoch; wall clock, since a trigger may move to another machine.
    """

    def __init__(
        self,
        *,
        batch_id: str,
        conn_id: str,
        first_delay: float,
        poll_interval: float,
        deadline: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's base is not typed
        self.batch_id = batch_id
        self.conn_id = conn_id
        self.first_delay = first_delay
        self.poll_interval = poll_interval
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return all that another triggerer needs to go on."""
        return (
            f"{BatchEndedTrigger.__module__}.{BatchEndedTrigger.__qualname__}",
            {
                "batch_id": self.batch_id,
                "conn_id": self.conn_id,
                "first_delay": self.first_delay,
                "poll_interval": self.poll_interval,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: the batch has ended, or the deadline has passed."""
        await asyncio.sleep(self._jittered(max(self.first_delay, 0)))
        message = "it was never looked at"
        while time.time() < self.deadline:
            status, message = await self._look()
            if status == "ended":
                yield _event({"status": "ended", "batch_id": self.batch_id})
                return
            await asyncio.sleep(self._jittered(self.poll_interval))
        yield _event({"status": "overdue", "batch_id": self.batch_id, "message": message})

    async def _look(self) -> tuple[str, str]:
        """Ask once."""
        import anthropic
        import httpx2
        from anthropic.types.messages import MessageBatch
        from shared_clients import shared_clients

        from include.batches import BATCHES_PATH

        try:
            async with shared_clients().open(self.conn_id) as client:
                quiet_libraries()
                quick = client.with_options(max_retries=0, timeout=CALL_TIMEOUT_SECONDS)
                batch = await quick.get(
                    f"{BATCHES_PATH}/{self.batch_id}",
                    cast_to=MessageBatch,
                    options={"follow_redirects": False},  # as clients of tasks
                )
        except anthropic.NotFoundError:
            self.log.warning("unknown batch=%s: not known yet, or not to this key", self.batch_id)
            return "unknown", "the API does not know it"
        except (anthropic.APIError, httpx2.HTTPError) as error:
            self.log.warning("unreachable batch=%s reason=%s", self.batch_id, type(error).__name__)
            return "unreachable", f"the API does not answer: {type(error).__name__}"
        self.log.info(
            "looked batch=%s status=%s requests=%d age_minutes=%.0f",
            self.batch_id,
            batch.processing_status,
            _request_count(batch),
            (time.time() - batch.created_at.timestamp()) / 60,
        )
        return batch.processing_status, f"its status is {batch.processing_status}"

    def _jittered(self, seconds: float) -> float:
        return seconds * random.uniform(1, 1 + JITTER)  # noqa: S311  # spreads load, no secret


def _request_count(batch: "MessageBatch") -> int:
    counts = batch.request_counts
    return counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired


def _event(payload: dict[str, Any]) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow's class is not typed
