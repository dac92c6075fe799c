"""Jobs over many pages, and what happens meanwhile."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from sketchcolor_cli import __version__
from sketchcolor_cli.studio import carrying
from sketchcolor_cli.studio.asking import client_of, json_of
from sketchcolor_cli.studio.hub import event_of
from sketchcolor_cli.studio.json_response import JSONResponse
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.routes_project import project_of, studio_of

if TYPE_CHECKING:
    from starlette.requests import Request


def routes() -> list[Route]:
    """Return what is answered here."""
    at = "/api/v1/jobs"
    return [
        Route(at, jobs, methods=["GET"]),
        Route(at, add_job, methods=["POST"]),
        Route(f"{at}/{{id}}", job, methods=["GET"]),
        Route(f"{at}/{{id}}", cancel_job, methods=["DELETE"]),
        Route(f"{at}/{{id}}/resume", resume_job, methods=["POST"]),
        Route(f"{at}/{{id}}/files/{{file}}", job_file, methods=["GET"]),
        Route("/api/v1/drift", drift, methods=["GET"]),
        Route("/api/v1/carry", carry, methods=["POST"]),
        Route("/api/v1/events", events, methods=["GET"]),
    ]


async def jobs(request: Request) -> Response:
    """List the jobs."""
    return JSONResponse({"jobs": studio_of(request).queue.jobs()})


async def add_job(request: Request) -> Response:
    """Put a job into the queue."""
    studio, project = studio_of(request), project_of(request)
    asked = await json_of(request, studio.limits)
    return JSONResponse(studio.queue.add(project, asked), 202)


async def job(request: Request) -> Response:
    """Return all about a job."""
    return JSONResponse(studio_of(request).queue.get(request.path_params["id"]))


async def cancel_job(request: Request) -> Response:
    """End a job, or forget one that is over."""
    return JSONResponse(studio_of(request).queue.cancel(request.path_params["id"]))


async def resume_job(request: Request) -> Response:
    """Let a job go on that ended early."""
    job_id = request.path_params["id"]
    return JSONResponse(studio_of(request).queue.resume(project_of(request), job_id), 202)


async def job_file(request: Request) -> Response:
    """Return a file that a job has made, to be saved."""
    path = studio_of(request).queue.file(request.path_params["id"], request.path_params["file"])
    disposition = f"attachment; filename*=UTF-8''{quote(os.fsencode(path.name), safe='')}"
    headers = {"Content-Disposition": disposition}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


async def drift(request: Request) -> Response:
    """Return how far colours move from page to page of what was coloured."""
    studio = studio_of(request)
    return JSONResponse({"drift": await asyncio.to_thread(carrying.drifts, studio.project)})


async def carry(request: Request) -> Response:
    """Make a sheet and swatches of pages that are done, for those that are not."""
    studio, project = studio_of(request), project_of(request)
    asked = await json_of(request, studio.limits)
    chosen = asked.get("from")
    if chosen is not None and not isinstance(chosen, list):
        raise ProblemError(422, "from is a list of pages")
    await asyncio.to_thread(carrying.carry, project, chosen)
    studio.tell_project(client_of(request))
    document = await asyncio.to_thread(project.document)
    return JSONResponse(document, headers={"ETag": f'"{document["revision"]}"'})


async def events(request: Request) -> Response:
    """Tell what happens, as it happens."""
    studio = studio_of(request)
    if studio.hub.count >= studio.limits.streams:
        raise ProblemError(429, "too many windows are open; close some")
    hello = event_of("hello", {"version": __version__, "worker": studio.engine.state})
    return StreamingResponse(studio.hub.listen(hello), media_type="text/event-stream")
