"""One page for people: the clock, the batches, the bill, the faults."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from include.simulator.batches import Batch, timestamp
from include.simulator.bill import accounts, duplicates
from include.simulator.world import World

_MAX_ROWS = 100


def render_page(world: World, *, base_url: str) -> str:
    """Return the page as it is now."""
    by_batch, twice = accounts(world.store), duplicates(world.store)
    costs = {account.batch_id: account.cost_usd for account in by_batch}
    batches = world.store.batches("TRUE ORDER BY number DESC")
    template = resources.files("include.simulator").joinpath("page.html").read_text("utf-8")
    return Template(template).substitute(
        now=timestamp(world.store.now()),
        base_url=escape(base_url),
        bill=(
            f"{sum(account.requests for account in by_batch):,} requests in {len(batches):,}"
            f" batches, {sum(account.succeeded for account in by_batch):,} answered,"
            f" ${sum(costs.values()):.6f} for the answers read so far."
        ),
        duplicates=_duplicates([(one.custom_id, ", ".join(one.batch_ids)) for one in twice]),
        batches=_table(
            ("Batch", "Workspace", "Status", "Created", "Requests", "Succeeded", "Cost, $"),
            [_row(batch, f"{costs.get(batch.batch_id, 0):.6f}") for batch in batches],
        ),
        faults=_table(
            ("Kind", "Calls left", "As set"),
            [
                (
                    fault["kind"],
                    "no limit" if fault["remaining"] is None else fault["remaining"],
                    fault,
                )
                for fault in world.faults.remaining()
            ],
        ),
    )


def _row(batch: Batch, cost: str) -> tuple[Any, ...]:
    status = "deleted" if batch.deleted_at is not None else batch.status
    created_at = timestamp(batch.created_at)
    return (
        batch.batch_id,
        batch.workspace,
        status,
        created_at,
        f"{batch.request_count:,}",
        f"{batch.succeeded:,}",
        cost,
    )


def _duplicates(rows: Sequence[tuple[str, str]]) -> str:
    if not rows:
        return "<p>Nothing was bought twice.</p>"
    alarm = f'<p class="alarm">{len(rows):,} requests were bought more than once.</p>'
    return alarm + _table(("Request", "Batches"), rows)


def _table(heads: Iterable[str], rows: Sequence[Iterable[Any]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in rows[:_MAX_ROWS]
    )
    rest = f"<p>and {len(rows) - _MAX_ROWS:,} more</p>" if len(rows) > _MAX_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
