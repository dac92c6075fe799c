"""Pages: what they show, and what is painted on them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from sketchcolor_cli.studio.asking import (
    body_of,
    client_of,
    expected_revision,
    json_of,
    number,
    require_type,
)
from sketchcolor_cli.studio.json_response import JSONResponse
from sketchcolor_cli.studio.pictures import Part, layer_of, shrunk
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.revisions import NONE
from sketchcolor_cli.studio.routes_project import project_of, studio_of, swatches_of
from sketchcolor_cli.studio.series_files import MASKS, ROUGH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request

    from sketchcolor_cli.studio.project import Page, Project
    from sketchcolor_cli.studio.state import Studio

    Answer = Callable[[Request], Awaitable[Response]]

_WIDEST = 4096
_KINDS = {"rough": ROUGH, "mask": MASKS}


def routes() -> list[Route]:
    """Return what is answered here."""
    at = "/api/v1/pages/{id}"
    found = [
        Route(at, page, methods=["GET"]),
        Route(at, patch_page, methods=["PATCH"]),
        Route(f"{at}/retry", retry, methods=["POST"]),
        Route(f"{at}/original", original, methods=["GET"]),
        Route(f"{at}/thumbnail", thumbnail, methods=["GET"]),
        Route(f"{at}/preview", preview, methods=["GET"]),
        Route(f"{at}/result", result, methods=["GET"]),
        Route(f"{at}/masks", masks, methods=["GET"]),
        Route(f"{at}/color", color, methods=["GET"]),
        Route(f"{at}/swatches", swatches, methods=["GET"]),
        Route(f"{at}/marks", marks, methods=["GET"]),
        Route(f"{at}/marks", put_marks, methods=["PUT"]),
    ]
    for name in _KINDS:
        found += [
            Route(f"{at}/{name}", _layer_getter(name), methods=["GET"], name=f"get {name}"),
            Route(f"{at}/{name}", _layer_putter(name), methods=["PUT"], name=f"put {name}"),
            Route(f"{at}/{name}", _layer_deleter(name), methods=["DELETE"], name=f"delete {name}"),
        ]
    return found


class _Found(NamedTuple):
    """What a request is about."""

    studio: Studio
    project: Project
    page: Page


async def _found(request: Request) -> _Found:
    project = project_of(request)
    page = await asyncio.to_thread(project.page, request.path_params["id"])
    return _Found(studio_of(request), project, page)


async def _told(request: Request, studio: Studio, page: Page, what: str) -> dict[str, Any]:
    """Tell all windows what has changed of a page, and return what they are told."""
    description = await asyncio.to_thread(studio.describe, page)
    studio.tell_page(description, what, client_of(request))
    return description


async def page(request: Request) -> Response:
    """Return all about a page."""
    studio, _, page = await _found(request)
    return JSONResponse(await asyncio.to_thread(studio.describe, page))


async def patch_page(request: Request) -> Response:
    """Mark a page as done or not, and give it a seed."""
    studio, project, page = await _found(request)
    asked = await json_of(request, studio.limits)
    unknown = sorted(set(asked) - {"done", "seed"})
    if unknown:
        raise ProblemError(422, f"unknown key {unknown[0]}; send done and seed")
    if "done" in asked:
        if not isinstance(asked["done"], bool):
            raise ProblemError(422, "done must be true or false")
        await asyncio.to_thread(project.mark, page, done=asked["done"])
    if "seed" in asked:
        await asyncio.to_thread(project.set_seed, page, asked["seed"])
    return JSONResponse(await _told(request, studio, page, "state"))


async def retry(request: Request) -> Response:
    """Forget why a page failed."""
    studio, project, page = await _found(request)
    await asyncio.to_thread(project.mark, page, failed="")
    return JSONResponse(await _told(request, studio, page, "state"))


async def original(request: Request) -> Response:
    """Show a page as it is: for the screen, whole, or a part of it."""
    studio, _, page = await _found(request)
    asked = request.query_params
    width = int(number(request, "width", 0, 0, _WIDEST)) or None
    if "left" in asked:
        sides = (int(number(request, side, None, 0, 2**20)) for side in ("left", "top", "right", "bottom"))
        data = await asyncio.to_thread(studio.pictures.part, page.path, Part(*sides), width)
        return Response(data, media_type="image/png")
    if width is None:
        return Response(await asyncio.to_thread(studio.pictures.whole, page.path), media_type="image/png")
    return await _screen(studio, page, width, request)


async def _screen(studio: Studio, page: Page, width: int, request: Request) -> Response:
    kind = "WEBP" if "image/webp" in request.headers.get("accept", "") else "JPEG"
    data = await asyncio.to_thread(studio.pictures.screen, page.path, width, kind)
    return Response(data, media_type=f"image/{kind.lower()}", headers={"Vary": "Accept"})


async def thumbnail(request: Request) -> Response:
    """Show a page small: as it was painted last or exported, or else itself."""
    studio, _, page = await _found(request)
    width = int(number(request, "width", 160, 16, 1024))
    painted = await asyncio.to_thread(studio.latest.find, page.path, page.result)
    if painted is not None:
        return Response(await asyncio.to_thread(shrunk, painted, width), media_type="image/jpeg")
    path = page.result or page.path
    data = await asyncio.to_thread(studio.pictures.screen, path, width)
    return Response(data, media_type="image/jpeg")


async def preview(request: Request) -> Response:
    """Show a page coloured with what is painted on it."""
    studio, project, page = await _found(request)
    width = int(number(request, "width", 1200, 64, _WIDEST))
    _, painted = await asyncio.to_thread(project.marks, page)
    seed = (await asyncio.to_thread(project.describe, page))["seed"]
    _, data = await studio.engine.ask_once(
        "paint",
        page=studio.page_files(page),
        look=await asyncio.to_thread(studio.look),
        marks=painted,
        width=width,
        stages=["final"],
        seed=seed,
    )
    return Response(data, media_type="image/jpeg")


async def result(request: Request) -> Response:
    """Show the page that was written last, at its size."""
    studio, _, page = await _found(request)
    data = await asyncio.to_thread(studio.pictures.whole, _result_of(page))
    return Response(data, media_type="image/png")


def _result_of(page: Page) -> Path:
    if page.result is None:
        raise ProblemError(404, "this page has not been coloured yet; export it first")
    return page.result


async def masks(request: Request) -> Response:
    """Show what was found to stay paper."""
    studio, _, page = await _found(request)
    look = await asyncio.to_thread(studio.look)
    _, data = await studio.engine.ask_once("masks", page=studio.page_files(page), look=look)
    return Response(data, media_type="image/png")


async def color(request: Request) -> Response:
    """Return the colour at a place of a page."""
    studio, _, page = await _found(request)
    x, y = (number(request, axis, None, 0, 1) for axis in "xy")
    return JSONResponse({"color": await asyncio.to_thread(studio.pictures.color, page.path, x, y)})


async def swatches(request: Request) -> Response:
    """Return the commonest colours of a page's result."""
    studio, _, page = await _found(request)
    return await swatches_of(studio, _result_of(page), request)


async def marks(request: Request) -> Response:
    """Return what is painted on a page."""
    _, project, page = await _found(request)
    revision, found = await asyncio.to_thread(project.marks, page)
    return JSONResponse({"revision": revision, "marks": found}, headers={"ETag": f'"{revision}"'})


async def put_marks(request: Request) -> Response:
    """Keep what is painted on a page."""
    studio, project, page = await _found(request)
    expected, asked = expected_revision(request), await json_of(request, studio.limits)
    revision = await asyncio.to_thread(project.put_marks, page, asked.get("marks"), expected)
    await _told(request, studio, page, "marks")
    return JSONResponse({"revision": revision}, headers={"ETag": f'"{revision}"'})


def _layer_getter(name: str) -> Answer:
    async def get(request: Request) -> Response:
        studio, project, page = await _found(request)
        path = project.layer(page, _KINDS[name])
        if not path.is_file():
            raise ProblemError(404, f"nothing is painted on the {name} layer", headers={"ETag": f'"{NONE}"'})
        revision = await asyncio.to_thread(project.layer_revision, page, _KINDS[name])
        data = await asyncio.to_thread(path.read_bytes)
        drawn = await asyncio.to_thread(layer_of, data, studio.limits.pixels)
        return Response(drawn, media_type="image/png", headers={"ETag": f'"{revision}"'})

    return get


def _layer_putter(name: str) -> Answer:
    async def put(request: Request) -> Response:
        found = await _found(request)
        limits, expected = found.studio.limits, expected_revision(request)
        require_type(request, "image/png", "image/webp")
        sent = await body_of(request, limits.body)
        data = await asyncio.to_thread(layer_of, sent, limits.pixels)
        return await _changed(request, found, name, data, expected)

    return put


def _layer_deleter(name: str) -> Answer:
    async def delete(request: Request) -> Response:
        return await _changed(request, await _found(request), name, None, expected_revision(request))

    return delete


async def _changed(request: Request, found: _Found, name: str, data: bytes | None, expected: str) -> Response:
    studio, project, page = found
    revision: Any = await asyncio.to_thread(project.put_layer, page, _KINDS[name], data, expected)
    await _told(request, studio, page, name)
    return JSONResponse({"revision": revision}, headers={"ETag": f'"{revision}"'})
