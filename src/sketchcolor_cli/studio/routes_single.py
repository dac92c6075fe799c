"""One picture in, one picture out; and the doors of other programs, each closed until it is asked for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import shutil
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.guides.palette_files import read_palette
from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.studio.asking import body_of, files_in, form_of, one_picture, parsed
from sketchcolor_cli.studio.colors import checked_colors, color_settings
from sketchcolor_cli.studio.engine import ReplacedError
from sketchcolor_cli.studio.json_response import JSONResponse
from sketchcolor_cli.studio.problems import ProblemError, problem_of
from sketchcolor_cli.studio.routes_project import studio_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from sketchcolor_cli.studio.state import Studio

CONVERT, IMAGE_DATA = "/convert", "/colorize-image-data"

Contents = dict[str, list[tuple[str, bytes]]]
"""Names and contents of the files of a form, by the name of their field."""

_MEDIA = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/tiff": ".tif",
}
_NAME = 100  # letters of a name that was sent which an error repeats
_LONGEST_SUFFIX = 8  # letters of an ending that says of what kind a palette or file of points is
_HELPS = {"hints": "hints", "reference": "references", "sheet": "sheets", "points": "points", "mask": "masks"}


def routes(doors: frozenset[str]) -> list[Route]:
    """Return what is answered here; of the doors those that were asked for."""
    found = [
        Route("/api/v1/colorize", colorize, methods=["POST"]),
        Route("/api/v1/flats", flats, methods=["POST"]),
        Route("/api/v1/extract", extract, methods=["POST"]),
        Route("/api/v1/models", models, methods=["GET"]),
        Route("/api/v1/extractors", extractors, methods=["GET"]),
    ]
    if CONVERT in doors:
        found.append(Route(CONVERT, convert, methods=["POST"]))
    if IMAGE_DATA in doors:
        found.append(Route(IMAGE_DATA, image_data, methods=["POST", "OPTIONS"]))
    return found


async def colorize(request: Request) -> Response:
    """Colour a picture."""
    return await _colorized(request, flats=False)


async def flats(request: Request) -> Response:
    """Return the flat colours of a picture."""
    return await _colorized(request, flats=True)


async def _colorized(request: Request, *, flats: bool) -> Response:
    studio = studio_of(request)
    async with form_of(request, studio.limits) as form:
        asked = _settings(form)
        files = {name: files_in(form, name) for name in ("image", "palette", *_HELPS)}
        contents = {
            name: [(file.filename or "", await file.read()) for file in found]
            for name, found in files.items()
        }
    if len(contents["image"]) != 1:
        raise ProblemError(422, "send one picture in the form's field image")
    suffix = _wanted(request.headers.get("accept", ""), contents["image"][0][0])
    header, data = await answer(studio, contents, asked, suffix, flats=flats)
    more = {"X-Model": quote(header["model"])}
    if header["seed"] is not None:
        more["X-Seed"] = str(header["seed"])
    return Response(data, media_type=_media_of(suffix), headers=more | {"Vary": "Accept"})


async def answer(
    studio: Studio,
    contents: Contents,
    asked: dict[str, Any],
    suffix: str,
    *,
    flats: bool = False,
) -> tuple[dict[str, Any], bytes]:
    """Return a coloured picture, as kept from before or coloured now.

    Args:
        studio: What the server holds.
        contents: The files.
        asked: The settings.
        suffix: The ending that stands for the format of the answer.
        flats: Whether flat colours are asked for instead.

    Raises:
        ProblemError: It cannot be coloured, or too many wait.
    """
    look = studio.look(asked.get("model"))
    look["settings"] = look["settings"] | {name: asked[name] for name in asked if name != "model"}
    key = _key(contents, look, suffix, flats)
    kept = studio.answers.get(key)
    if kept is not None:
        return kept
    if studio.waiting >= studio.limits.waiting:
        raise ProblemError(
            429, "too many pictures wait to be coloured; send again later", headers={"Retry-After": "5"}
        )
    studio.waiting += 1
    try:
        header, data = await _painted(studio, contents, look, suffix, flats=flats)
    finally:
        studio.waiting -= 1
    header["model"] = Path(look["model"]).stem
    studio.answers.keep(key, header, data)
    return header, data


async def _painted(
    studio: Studio, contents: Contents, look: dict[str, Any], suffix: str, *, flats: bool
) -> tuple[dict[str, Any], bytes]:
    """Let the worker colour a picture; ``look`` takes the sheets and the palette that came with it."""
    async with _spool(studio, contents) as (folder, files):
        look["sheets"] = [*look["sheets"], *files.pop("sheets")]
        palette = files.pop("palette")
        if palette:
            look["palette"] = await asyncio.to_thread(_palette, palette[0])
        [image] = files.pop("image")
        target = f"{folder}/done{suffix}"
        return await studio.engine.ask_once(
            "colorize", look=look, image=image, target=target, flats=flats, **files
        )


async def extract(request: Request) -> Response:
    """Draw the sketch of a picture."""
    studio = studio_of(request)
    async with form_of(request, studio.limits) as form:
        contents = {"image": [await one_picture(form)]}
        method = str(form.get("method") or "linework")
    known = await asyncio.to_thread(find_extractors)
    known.get(method)
    suffix = _wanted(request.headers.get("accept", ""), ".png")
    async with _spool(studio, contents) as (folder, spooled):
        [image] = spooled["image"]
        target = f"{folder}/done{suffix}"
        _, data = await studio.engine.ask_once(
            "extract", look=studio.look(), image=image, method=method, target=target
        )
    return Response(data, media_type=_media_of(suffix), headers={"X-Method": method, "Vary": "Accept"})


async def models(request: Request) -> Response:
    """List the colour models."""
    found = await asyncio.to_thread(lambda: environment.model_shelf().files())
    default = studio_of(request).model
    return JSONResponse(
        {
            "models": [
                {"name": model.name, "about": _first_line(model.card), "used": model.name == default}
                for model in found
            ]
        }
    )


async def extractors(_request: Request) -> Response:
    """List the sketch extractors."""
    known = await asyncio.to_thread(find_extractors)
    listed = [
        {"name": listing.name, "ready": listing.ready, "problem": listing.problem or ""}
        for listing in known.listings
    ]
    return JSONResponse({"extractors": listed})


async def convert(request: Request) -> Response:
    """Colour a page for Suwayomi, which takes any answer for a picture: what fails comes back as it was."""
    studio = studio_of(request)
    async with form_of(request, studio.limits) as form:
        name, page = await one_picture(form)
    suffix = _suffix_of(page)
    try:
        _, data = await answer(studio, {"image": [(name, page)]}, {}, suffix)
    except (ProblemError, SketchcolorError, ReplacedError, OSError):
        return Response(page, media_type=_media_of(suffix))
    return Response(data, media_type=_media_of(suffix))


async def image_data(request: Request) -> Response:
    """Colour a page for Manga-Colorizer's extensions: JSON with a data URL there and back."""
    shared = {
        "Access-Control-Allow-Origin": request.headers.get("origin", "null"),
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Allow-Private-Network": "true",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Origin",
    }
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=shared)
    studio = studio_of(request)
    try:
        page = _from_data_url(parsed(await body_of(request, studio.limits.body)))
        _, data = await answer(studio, {"image": [("", page)]}, {}, ".png")
    except (ProblemError, SketchcolorError) as error:
        problem = problem_of(error)
        return JSONResponse({"msg": problem.detail}, problem.status, shared)
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return JSONResponse({"colorImgData": url, "msg": "completed"}, headers=shared)


async def here(_request: Request) -> Response:
    """Say that the server is here, in the words that Manga-Colorizer's guides tell its users to expect."""
    return PlainTextResponse("Manga Colorizer is Up and Running!")


def _from_data_url(document: dict[str, Any]) -> bytes:
    """Return the picture of a data URL; other addresses, which it may name as well, are never fetched."""
    url = document.get("imgData")
    if not isinstance(url, str) or not url.startswith("data:image/") or ";base64," not in url[:64]:
        raise ProblemError(422, "imgData must be a picture as a data URL; addresses are not fetched")
    try:
        return base64.b64decode(url.partition(",")[2], validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProblemError(422, "imgData is not a data URL") from error


def _settings(form: FormData) -> dict[str, Any]:
    """Return the settings of a form: a field ``settings`` with JSON, or a field for each."""
    given: dict[str, Any] = {}
    text = form.get("settings")
    if isinstance(text, str) and text:
        given = parsed(text)
    for name in (*color_settings(), "model"):
        value = form.get(name)
        if isinstance(value, str) and value:
            given[name] = value
    if "model" not in given:
        return checked_colors(given)
    model, known = given.pop("model"), environment.model_shelf().names()
    if model not in known:
        raise ProblemError(422, f"there is no such model; choose one of {', '.join(known)}")
    return {**checked_colors(given), "model": model}


@asynccontextmanager
async def _spool(studio: Studio, contents: Contents) -> AsyncIterator[tuple[Path, dict[str, Any]]]:
    """Give a folder for the worker, and in it the files; errors name them as parts of the form."""
    folder = studio.spooled(os.urandom(8).hex())
    names: dict[str, str] = {}
    try:
        yield folder, await asyncio.to_thread(_spooled, folder, contents, names)
    except (ProblemError, SketchcolorError) as error:
        raise _without_paths(error, folder, names) from error
    finally:
        await asyncio.to_thread(_removed, folder)


def _spooled(folder: Path, contents: Contents, names: dict[str, str]) -> dict[str, list[str]]:
    """Put files into a folder under names of ours, return them by what they are, and note their names."""
    folder.mkdir()
    found: dict[str, list[str]] = {"image": [], "palette": [], **{name: [] for name in _HELPS.values()}}
    for name, files in contents.items():
        for number, (sent, data) in enumerate(files):
            suffix = Path(sent).suffix.lower() if name in ("palette", "points") else _suffix_of(data)
            is_usual = suffix[1:].isalnum() and len(suffix) <= _LONGEST_SUFFIX
            path = folder / f"{name}{number}{suffix if is_usual else ''}"
            path.write_bytes(data)
            names[str(path)] = sent.replace("\\", "/").rpartition("/")[2][:_NAME] or path.name
            found[_HELPS.get(name, name)].append(str(path))
    return found


def _palette(path: str) -> list[list[float]]:
    colors: list[list[float]] = read_palette(Path(path)).tolist()
    return colors


def _removed(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _without_paths(error: Exception, folder: Path, names: dict[str, str]) -> Exception:
    """Return an error that names files as they were sent instead of where they lie."""
    text = str(error)
    for path, name in names.items():
        text = text.replace(path, name)
    text = text.replace(f"{folder}{os.sep}", "")
    if isinstance(error, ProblemError):
        return ProblemError(error.status, text, headers=error.headers, **error.more)
    return type(error)(text)


def _key(contents: Contents, look: dict[str, Any], suffix: str, flats: bool) -> str:
    parts = {name: [sha256(data).hexdigest() for _, data in files] for name, files in contents.items()}
    stamps = [[str(path), Path(path).stat().st_mtime_ns] for path in (look["model"], *look["sheets"])]
    text = json.dumps([parts, look, suffix, flats, stamps], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _wanted(accept: str, name: str) -> str:
    """Return the ending of the format that a client wants: the first that it names, or else the picture's."""
    for choice in accept.split(","):
        kind = choice.partition(";")[0].strip().lower()
        if kind in _MEDIA:
            return _MEDIA[kind]
    suffix = Path(name).suffix.lower()
    return suffix if suffix in FORMAT_OF_SUFFIX else ".png"


def _media_of(suffix: str) -> str:
    return f"image/{FORMAT_OF_SUFFIX[suffix].lower()}"


def _suffix_of(data: bytes) -> str:
    """Return the ending that the first bytes of a picture stand for."""
    if data[:3] == b"\xff\xd8\xff":
        return ".jpg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:12] == b"ftypavif":
        return ".avif"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return ".tif"
    return ".bmp" if data[:2] == b"BM" else ".png"


def _first_line(card: Path | None) -> str:
    if card is None:
        return ""
    lines = (line.strip("# ") for line in card.read_text(encoding="utf-8").splitlines())
    return next((line for line in lines if line), "")
