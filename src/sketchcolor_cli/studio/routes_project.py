"""The shelf, the project, its sheets and swatches."""

from __future__ import annotations

import asyncio
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.guides.palette_files import read_swatches
from sketchcolor_cli.errors import BookError, SketchcolorError
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.files.folders import PALETTE_SUFFIXES
from sketchcolor_cli.studio import uploads
from sketchcolor_cli.studio.asking import (
    client_of,
    expected_revision,
    files_in,
    form_of,
    json_of,
    number,
    some_files,
)
from sketchcolor_cli.studio.books import unpack_book
from sketchcolor_cli.studio.described import export_settings, project_settings
from sketchcolor_cli.studio.json_response import JSONResponse
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.project import Project
from sketchcolor_cli.studio.series_files import SHEETS, SWATCHES, described
from sketchcolor_cli.studio.shelf import cleaned

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.datastructures import UploadFile
    from starlette.requests import Request

    from sketchcolor_cli.studio.state import Studio

_MOST_COLORS = 24


def routes() -> list[Route]:
    """Return what is answered here."""
    api = "/api/v1"
    return [
        Route(f"{api}/shelf", shelf, methods=["GET"]),
        Route(f"{api}/shelf", new_project, methods=["POST"]),
        Route(f"{api}/shelf/{{id}}/open", open_project, methods=["POST"]),
        Route(f"{api}/project", project, methods=["GET"]),
        Route(f"{api}/project", put_project, methods=["PUT"]),
        Route(f"{api}/settings", settings, methods=["GET"]),
        Route(f"{api}/pages", add_pages, methods=["POST"]),
        Route(f"{api}/sheets", add_sheet, methods=["POST"]),
        Route(f"{api}/sheets/{{id}}", sheet, methods=["GET"]),
        Route(f"{api}/sheets/{{id}}", delete_sheet, methods=["DELETE"]),
        Route(f"{api}/sheets/{{id}}/color", sheet_color, methods=["GET"]),
        Route(f"{api}/sheets/{{id}}/swatches", sheet_swatches, methods=["GET"]),
        Route(f"{api}/palettes", read_sent_palette, methods=["POST"]),
        Route(f"{api}/palettes/{SWATCHES}", palette_file, methods=["GET"]),
    ]


def studio_of(request: Request) -> Studio:
    """Return what the server holds."""
    studio: Studio = request.app.state.studio
    return studio


def project_of(request: Request) -> Project:
    """Return the open project.

    Raises:
        ProblemError: None is open, or the client names another one, which it still shows.
    """
    project = studio_of(request).project
    if request.headers.get("x-project", project.id) != project.id:
        raise ProblemError(409, "another project was opened meanwhile; open yours again, then repeat this")
    return project


async def shelf(request: Request) -> Response:
    """List the projects that were opened lately."""
    studio = studio_of(request)
    recent = await asyncio.to_thread(studio.shelf.recent)
    return JSONResponse({"current": studio.project.id if studio.is_open else None, "recent": recent})


async def new_project(request: Request) -> Response:
    """Make an empty project and open it."""
    studio = studio_of(request)
    asked = await json_of(request, studio.limits)
    folder = await asyncio.to_thread(studio.shelf.make, str(asked.get("name", "")))
    return await _opened(request, folder, 201)


async def open_project(request: Request) -> Response:
    """Open a project of the shelf."""
    studio, wanted = studio_of(request), request.path_params["id"]
    if studio.is_open and studio.project.id == wanted:  # its jobs and windows go on
        return await _document(studio.project)
    folder = await asyncio.to_thread(studio.shelf.find, wanted)
    if folder is None:
        raise ProblemError(404, "there is no such project on the shelf")
    return await _opened(request, folder, 200)


async def _opened(request: Request, folder: Path, status: int) -> Response:
    studio = studio_of(request)
    opened = await asyncio.to_thread(Project, folder, studio.limits)
    await asyncio.to_thread(studio.open, opened)
    for session in list(studio.sockets):
        await session.close()
    studio.tell_project(client_of(request), opened=True)
    return await _document(opened, status)


async def project(request: Request) -> Response:
    """Return all about the project."""
    return await _document(studio_of(request).project)


async def settings(request: Request) -> Response:
    """Describe the settings of a project and of a job: names, kinds, bounds, defaults, help."""
    found = await asyncio.to_thread(lambda: environment.model_shelf().files())
    names = dict.fromkeys([studio_of(request).model, *(model.name for model in found)])
    return JSONResponse({"settings": project_settings(names), "export": export_settings()})


async def put_project(request: Request) -> Response:
    """Change settings and swatches."""
    studio, project = studio_of(request), project_of(request)
    expected, asked = expected_revision(request), await json_of(request, studio.limits)
    await asyncio.to_thread(project.put, asked.get("settings"), asked.get("swatches"), expected)
    studio.tell_project(client_of(request))
    return await _document(project)


async def _document(project: Project, status: int = 200) -> Response:
    document = await asyncio.to_thread(project.document)
    return JSONResponse(document, status, {"ETag": f'"{document["revision"]}"'})


async def add_pages(request: Request) -> Response:
    """Take pages, or a book, into the project; without one, into a new one."""
    studio = studio_of(request)
    async with form_of(request, studio.limits) as form:
        files = some_files(form)
        opened = not studio.is_open
        if opened:
            name = PurePosixPath(files[0].filename or "pages").stem if _are_books(files) else "pages"
            folder = await asyncio.to_thread(studio.shelf.make, name)
            await asyncio.to_thread(studio.open, Project(folder, studio.limits))
        here = project_of(request)
        async with studio.intake:
            added, failed = await asyncio.to_thread(_added, studio, here, files)
    await asyncio.to_thread(studio.shelf.note, here, len(here.pages()))
    studio.tell_project(client_of(request), opened=opened)
    names = {path.relative_to(here.folder).as_posix() for path in added}
    if failed and not added:
        more = f", and {len(failed) - 1} more" if failed[1:] else ""
        raise ProblemError(422, f"{failed[0]['detail']}{more}", pages=[], failed=failed)
    pages = [page for page in await asyncio.to_thread(here.describe_all) if page["name"] in names]
    return JSONResponse({"pages": pages, "failed": failed}, 201)


def _are_books(files: list[UploadFile]) -> bool:
    return any(uploads.is_book(file.filename or "") for file in files)


def _added(
    studio: Studio, project: Project, files: list[UploadFile]
) -> tuple[list[Path], list[dict[str, str]]]:
    """Take files in, in the order in which they came, and name those that cannot be taken."""
    added: list[Path] = []
    failed = []
    for file in files:
        name = file.filename or "page"
        try:
            if uploads.is_book(name):
                added += _book_pages(studio, project, file)
            else:
                added.append(uploads.add_picture(project.folder, file.file, name))
        except SketchcolorError as error:
            failed.append({"name": name, "detail": str(error)})
    return added, failed


def _book_pages(studio: Studio, project: Project, file: UploadFile) -> list[Path]:
    suffix = PurePosixPath(file.filename or "").suffix.lower()
    path = studio.spooled(f"{os.urandom(8).hex()}{suffix}")
    try:
        with atomic_write(path, BookError) as draft, draft.open("wb") as out:
            while piece := file.file.read(2**20):
                out.write(piece)
        folder = project.folder
        if project.pages():  # several books in one project do not mix
            stem = cleaned(PurePosixPath(file.filename or "book").stem) or "book"
            folder = _free(folder, stem)
        return unpack_book(path, folder, project.folder, PurePosixPath(file.filename or "book").name)
    except SketchcolorError as error:
        raise type(error)(str(error).replace(str(path), file.filename or "book")) from error
    finally:
        path.unlink(missing_ok=True)


def _free(folder: Path, stem: str) -> Path:
    numbers = range(1, 10_000)
    return next(
        place
        for number in numbers
        if not (place := folder / (stem if number == 1 else f"{stem} {number}")).exists()
    )


async def add_sheet(request: Request) -> Response:
    """Take a character sheet into the project."""
    studio, here = studio_of(request), project_of(request)
    async with form_of(request, studio.limits) as form:
        for file in files_in(form, "file"):
            (here.folder / SHEETS).mkdir(exist_ok=True)
            name = file.filename or "sheet"
            await asyncio.to_thread(uploads.add_picture, here.folder / SHEETS, file.file, name)
    await asyncio.to_thread(here.series.list_sheets)
    studio.tell_project(client_of(request))
    return await _document(here, 201)


async def delete_sheet(request: Request) -> Response:
    """Delete a character sheet."""
    studio, here = studio_of(request), project_of(request)
    path = here.series.sheet(request.path_params["id"])
    await asyncio.to_thread(here.series.delete_sheet, path)
    studio.tell_project(client_of(request))
    return await _document(here)


async def sheet(request: Request) -> Response:
    """Show a character sheet."""
    studio = studio_of(request)
    path = studio.project.series.sheet(request.path_params["id"])
    width = int(number(request, "width", 1200, 16, 4096))
    data = await asyncio.to_thread(studio.pictures.screen, path, width)
    return Response(data, media_type="image/jpeg")


async def sheet_color(request: Request) -> Response:
    """Return the colour at a place of a sheet."""
    studio = studio_of(request)
    path = studio.project.series.sheet(request.path_params["id"])
    x, y = (number(request, axis, None, 0, 1) for axis in "xy")
    return JSONResponse({"color": await asyncio.to_thread(studio.pictures.color, path, x, y)})


async def sheet_swatches(request: Request) -> Response:
    """Return the commonest colours of a sheet."""
    studio = studio_of(request)
    return await swatches_of(studio, studio.project.series.sheet(request.path_params["id"]), request)


async def swatches_of(studio: Studio, path: Path, request: Request) -> Response:
    """Answer with the commonest colours of a picture."""
    count = int(number(request, "count", 8, 1, _MOST_COLORS))
    colors = await asyncio.to_thread(studio.pictures.colors, path, count)
    return JSONResponse({"swatches": [{"name": "", "color": color} for color in colors]})


async def read_sent_palette(request: Request) -> Response:
    """Return the swatches of a palette file that is sent."""
    studio = studio_of(request)
    async with form_of(request, studio.limits) as form:
        file = some_files(form)[0]
        name = file.filename or ""
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in PALETTE_SUFFIXES:
            raise ProblemError(422, f"palettes end in one of {' '.join(sorted(PALETTE_SUFFIXES))}")
        data: Any = await file.read()
    found = await asyncio.to_thread(_swatches, studio, data, suffix, name)
    return JSONResponse({"swatches": found})


def _swatches(studio: Studio, data: bytes, suffix: str, name: str) -> list[dict[str, str]]:
    path = studio.spooled(f"{os.urandom(8).hex()}{suffix}")
    try:
        path.write_bytes(data)
        return described(read_swatches(path))
    except SketchcolorError as error:
        raise type(error)(str(error).replace(str(path), name)) from error
    finally:
        path.unlink(missing_ok=True)


async def palette_file(request: Request) -> Response:
    """Return the project's swatches as a GIMP palette."""
    path = studio_of(request).project.folder / SWATCHES
    if not path.is_file():
        raise ProblemError(404, "the project has no swatches yet")
    data = await asyncio.to_thread(path.read_bytes)
    return Response(
        data,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{SWATCHES}"'},
    )
