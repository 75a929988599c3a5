"""Buttons on a shard's tasks in Airflow's UI: to the batch on our page, and to Claude's console."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

CONSOLE_URL = "https://platform.claude.com/workspaces/default/batches"
"""The console's list of batches. No address of a single batch, or of a workspace by its key, is
documented, so it leads to the default workspace."""
_PLUGIN_PATH = "/plugin/nightshift"
"""Where Airflow's UI shows the page: by the `url_route` of the plugin."""
_PAGE_PATH = "/nightshift/page"
"""The page itself. Airflow's UI opens in its frame what follows the plugin's path, query included,
and keeps it in the address; a query of the plugin's path alone is forgotten."""


class BatchPageLink(BaseOperatorLink):
    """To the batch, or to the shard that is not submitted yet, on the Nightshift page."""

    name = "Nightshift page"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Return the page's address within Airflow."""
        base_url = conf.get("api", "base_url", fallback="").rstrip("/")
        page = f"{urlsplit(base_url).path}{_PAGE_PATH}?{urlencode(_named(operator))}"
        return f"{base_url}{_PLUGIN_PATH}{page}"


class ClaudeConsoleLink(BaseOperatorLink):
    """To the batches in Claude's console."""

    name = "Claude Console"

    def get_link(self, operator: "BaseOperator", *, ti_key: "TaskInstanceKey") -> str:
        """Return the console's address."""
        return CONSOLE_URL


BATCH_LINKS = (BatchPageLink(), ClaudeConsoleLink())


def _named(operator: Any) -> dict[str, str]:
    """Return what the task is about: the batch it waits for, or the shard it submits."""
    if batch_id := getattr(operator, "batch_id", None):
        return {"batch": str(batch_id)}
    shard: dict[str, str] = [*operator.op_args, *operator.op_kwargs.values()][0]
    return {"spec": shard["spec"], "shard": shard["shard_id"]}
