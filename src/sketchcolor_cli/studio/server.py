"""The application: routes, the guard before them, and what starts and ends with the server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from sketchcolor_cli import __version__
from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.studio import (
    openapi,
    routes_jobs,
    routes_live,
    routes_pages,
    routes_project,
    routes_single,
)
from sketchcolor_cli.studio.engine import ReplacedError
from sketchcolor_cli.studio.guard import Access, Guard
from sketchcolor_cli.studio.json_response import JSONResponse
from sketchcolor_cli.studio.problems import ProblemError, problem_of
from sketchcolor_cli.studio.static import PageFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from sketchcolor_cli.studio.state import Studio


def application(studio: Studio, access: Access, *, with_page: bool, note: Callable[[str], None]) -> ASGIApp:
    """Return the server's application.

    Args:
        studio: What it holds.
        access: Who may ask.
        with_page: Whether there is the studio's page and what it needs, or only what programs ask for.
        note: Is given what the person at the terminal should know.
    """
    routes: list[Any] = [
        Route("/healthz", _healthz),
        Route("/readyz", _readyz),
        Route("/openapi.json", _openapi),
        Route("/favicon.ico", _no_icon),
        *routes_single.routes(access.doors),
    ]
    if with_page:
        files = PageFiles()
        routes += [Route("/", files.index), Route("/page/{revision}/{name:path}", files.file)]
        routes += (
            routes_project.routes() + routes_pages.routes() + routes_jobs.routes() + routes_live.routes()
        )
    elif routes_single.IMAGE_DATA in access.doors:
        routes.append(Route("/", routes_single.here))
        access = replace(access, doors=access.doors | {"/"})
    foreseen = (ProblemError, SketchcolorError, HTTPException, ReplacedError, ClientDisconnect)
    handlers: dict[Any, Any] = dict.fromkeys(foreseen, _told_to_client)
    app = Starlette(routes=routes, lifespan=_lifespan, exception_handlers=handlers)
    app.state.studio, app.state.note = studio, note
    app.state.openapi = openapi.document(routes, __version__)
    return Guard(_Unforeseen(app, note), access)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    studio: Studio = app.state.studio
    sessions: set[asyncio.Task[None]] = set()

    def tell_worker(state: str, detail: str) -> None:
        studio.hub.tell("worker", state=state, detail=detail)
        if detail or state in ("restarting", "failed"):
            app.state.note(f"the worker: {detail or 'it ended, and is started again'}")
        if state == "restarted":
            for session in list(studio.sockets):
                task = asyncio.get_running_loop().create_task(session.restarted())
                sessions.add(task)
                task.add_done_callback(sessions.discard)

    studio.engine.tell = tell_worker
    studio.engine.bugs = app.state.note
    studio.queue.tell = lambda job: studio.hub.tell("job", **job)
    studio.queue.page_done = lambda page_id: _tell_page(studio, page_id)
    await studio.engine.start(_first_look(studio))
    try:
        yield
    finally:
        studio.hub.close()
        studio.queue.stop()
        await studio.engine.stop()
        with suppress(OSError):
            studio.spool.cleanup()


def _first_look(studio: Studio) -> dict[str, Any]:
    """Return the look that the worker warms up with: the project's, or the default where that is broken."""
    try:
        return studio.look()
    except (SketchcolorError, ProblemError):
        return {"model": studio.model, "device": studio.device, "backend": studio.backend}


def _tell_page(studio: Studio, page_id: str) -> None:
    with suppress(ProblemError, SketchcolorError):
        studio.tell_page(studio.describe(studio.project.page(page_id)), "state", None)


class _Unforeseen:
    """Answers where even our own errors are not foreseen, and tells the terminal what happened."""

    def __init__(self, app: ASGIApp, note: Callable[[str], None]) -> None:
        self._app, self._note = app, note

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        begun = False

        async def sending(message: Any) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            await problem_of(error).response()(scope, receive, send)
            if not isinstance(error, ProblemError | SketchcolorError | OSError):
                raise


async def _told_to_client(_request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    if isinstance(error, ReplacedError):
        return ProblemError(409, "a newer request took the place of this one").response()
    if isinstance(error, HTTPException):
        headers = dict(error.headers or {})
        return ProblemError(error.status_code, _in_words(error), headers=headers).response()
    return problem_of(error).response()


def _in_words(error: HTTPException) -> str:
    words = {404: "there is nothing at this address", 405: "this address does not take that method"}
    return words.get(error.status_code, str(error.detail))


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _readyz(request: Request) -> Response:
    state = request.app.state.studio.engine.state
    return JSONResponse({"status": state}, 200 if state == "ready" else 503)


async def _openapi(request: Request) -> Response:
    return JSONResponse(request.app.state.openapi)


async def _no_icon(_request: Request) -> Response:
    return Response(status_code=204)
