"""The Nightshift page in Airflow's navigation: tonight, spend, quality, and two actions."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PAGE_PREFIX = "/nightshift"
PAGE_PATH = "nightshift/page"
"""From the base of Airflow's pages, which may lie below a path of its host."""
PAGE_ROUTE = "nightshift"
"""The page's address in Airflow's UI: `/plugin/nightshift`."""


class NightshiftPage(AirflowPlugin):
    """Registers the page. Every component loads this file, so what it needs is imported later."""

    name = "nightshift"
    external_views: list[Any] = [  # noqa: RUF012  # as Airflow declares it
        {
            "name": "Nightshift",
            "href": PAGE_PATH,
            "destination": "nav",
            "nav_top_level": True,
            "url_route": PAGE_ROUTE,
        }
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # read once, by the API server
        """The web application, which only the API server builds."""
        from page_app import build_app

        return [{"app": build_app(), "url_prefix": PAGE_PREFIX, "name": "nightshift"}]
