"""The page's own files: a list made once, so that no path of a client ever reaches the disk."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response

from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

INDEX = "index.html"
_PREFIX = b'"/page/'
_FOREVER = "public, max-age=31536000, immutable"

_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


class File(NamedTuple):
    """One of the page's files: where it is, and its type."""

    at: Traversable
    media: str


class PageFiles:
    """The files of ``studio/page``, by their names below it."""

    def __init__(self) -> None:
        self._files = dict(_listed(resources.files(__package__) / "page"))
        self._revision = ""

    @property
    def names(self) -> list[str]:
        """All names."""
        return sorted(self._files)

    async def index(self, request: Request) -> Response:
        """Answer with the page.

        It asks for its files below a revision of them all. So a browser keeps them without asking anew for
        each of seventy, and after an update of the program it takes all of the new ones.
        """
        found = sha256()
        for name in self.names:
            found.update(name.encode() + self._files[name].at.read_bytes())
        self._revision = found.hexdigest()[:16]
        page = self._files[INDEX].at.read_bytes().replace(_PREFIX, _PREFIX + self._revision.encode() + b"/")
        return Response(page, headers={"Cache-Control": "no-cache"}, media_type=_MEDIA[".html"])

    async def file(self, request: Request) -> Response:
        """Answer with one of the page's files."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise ProblemError(404, "the page has no such file")
        is_current = request.path_params["revision"] == self._revision
        headers = {"Cache-Control": _FOREVER if is_current else "no-cache"}
        return Response(file.at.read_bytes(), headers=headers, media_type=file.media)


def _listed(folder: Traversable, above: str = "") -> Iterator[tuple[str, File]]:
    for file in folder.iterdir():
        if file.is_dir():
            yield from _listed(file, f"{above}{file.name}/")
        elif (media := _MEDIA.get(PurePosixPath(file.name).suffix)) is not None:
            yield f"{above}{file.name}", File(file, media)
