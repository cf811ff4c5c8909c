"""The application: the API, the page, and the guard before both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from jobs.web import (
    choice_routes,
    dataset_routes,
    farm_routes,
    input_routes,
    job_routes,
    live_routes,
    new_routes,
    picture_routes,
    session_routes,
)
from jobs.web.farm import Farm
from jobs.web.guard import API, Guard
from jobs.web.problems import add_problem_handlers

STATIC = Path(__file__).parent / "static"
"""The files of the page."""

_ROUTERS = tuple(
    part.router
    for part in (
        session_routes,
        job_routes,
        new_routes,
        live_routes,
        picture_routes,
        input_routes,
        dataset_routes,
        choice_routes,
        farm_routes,
    )
)


class PageFiles(StaticFiles):
    """The files of the page. Browsers ask each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The answer for one file."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(farm: Farm) -> Guard:
    """The application for a store, without a server around it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        farm.poller.start()
        yield
        farm.commands.close()
        farm.poller.stop()
        farm.pictures.close()

    app = FastAPI(
        title="Dreamfarm",
        version=version("dreamfarm"),
        description="The jobs of a store: list, watch, submit and fetch them.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.farm = farm
    add_problem_handlers(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.mount("/", PageFiles(directory=STATIC, html=True, check_dir=False))
    return Guard(app, farm.logins)


async def _healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")
