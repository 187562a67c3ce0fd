"""An Airflow plugin: the pages that this instance has made, behind Airflow's login.

Airflow's own pages run no foreign script of theirs, and they none of Airflow's: each is shown in a frame, and loads
nothing from elsewhere.
"""

from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from lakehouse.settings import Settings, load_settings

PREFIX = "/lakehouse"

_MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not made yet</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<h1>Not made yet</h1><p>These pages are made by {makers}.</p>"""


def places(settings: Settings) -> dict[str, tuple[Path, str]]:
    """The sites by their name in the address: folder, and what makes it."""
    from orchestration.report.site import folder_of

    return {
        "report": (folder_of(settings), "the task send_completion_notification, and by <code>lakehouse report</code>"),
        "lineage": (settings.home / "dbt" / "site", "<code>lakehouse docs</code>"),
    }


def build_app() -> FastAPI:
    """The application that gives the files."""
    app = FastAPI(title="Lakehouse pages", docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        if error.status_code in (401, 403) and "text/html" in request.headers.get("accept", ""):
            # Somebody who follows a link is asked to log in, and comes back.
            return RedirectResponse(f"/auth/login?next={request.url.path}")
        return Response(str(error.detail), error.status_code)

    @app.get("/{place}/{path:path}", dependencies=[Depends(get_user)])
    def page(place: str, path: str) -> Response:
        known = places(load_settings())
        if place not in known:
            raise HTTPException(404, "no such pages")
        folder, makers = known[place]
        if not (folder / "index.html").is_file():
            return HTMLResponse(_MISSING.format(makers=makers), 404)
        found = (folder / (path or "index.html")).resolve()
        if not found.is_relative_to(folder.resolve()) or not found.is_file():
            raise HTTPException(404, "no such page")
        return FileResponse(found, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})

    return app


def _view(name: str, place: str) -> dict[str, Any]:
    return {
        "name": name,
        "href": f"{PREFIX}/{place}/index.html",
        "destination": "nav",
        "category": "browse",
        "url_route": f"lakehouse-{place}",
    }


class LakehousePages(AirflowPlugin):
    """What Airflow looks for."""

    name = "lakehouse_pages"
    fastapi_apps = [{"app": build_app(), "url_prefix": PREFIX, "name": "Lakehouse pages"}]  # noqa: RUF012
    external_views = [_view("Lakehouse report", "report"), _view("Lakehouse lineage", "lineage")]  # noqa: RUF012
