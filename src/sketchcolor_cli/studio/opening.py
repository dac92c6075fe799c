"""From what the user named to a project, and from settings to a server that is ready to run."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sketchcolor_cli import environment
from sketchcolor_cli.errors import DataError, ImageError, SketchcolorError, UsageError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX, SERIES
from sketchcolor_cli.studio import running
from sketchcolor_cli.studio.books import unpack_book
from sketchcolor_cli.studio.engine import Engine, ProcessHost
from sketchcolor_cli.studio.guard import Access
from sketchcolor_cli.studio.job_queue import Queue
from sketchcolor_cli.studio.job_runners import ProcessRunner
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.project import Project
from sketchcolor_cli.studio.server import application
from sketchcolor_cli.studio.shelf import Shelf
from sketchcolor_cli.studio.state import Studio

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from sketchcolor_cli.studio.settings import ServerSettings

_BOOK = Path(".sketchcolor/book.json")


class Ready(NamedTuple):
    """A server that is ready to run.

    Attributes:
        app: Its application.
        listening: The socket it will listen on.
        address: What a browser opens.
        token: What clients have to name.
        limits: What may be asked.
    """

    app: ASGIApp
    listening: socket.socket
    address: str
    token: str
    limits: Limits

    def run(self, begun: Callable[[], None]) -> None:
        """Serve until Ctrl-C; ``begun`` is called as soon as requests are taken."""
        running.serve(self.app, self.listening, self.limits, begun)


def project_of(target: Path) -> Project:
    """Return the project of what the user named; the pages of a book are unpacked into a folder beside it.

    Raises:
        DataError: It is none.
        BookError: The book cannot be read.
    """
    if target.is_dir():
        return _with_pages(Project(target))
    if not target.exists():
        raise DataError(f"{target}: no such file or folder; check the name")
    if target.name == SERIES:
        return Project(target.parent)
    if target.suffix.lower() in BOOK_OF_SUFFIX:
        return Project(_unpacked(target))
    raise DataError(f"{target}: is neither a folder with pages nor a book; name the folder it is in")


def ready(
    settings: ServerSettings,
    project: Project | None,
    *,
    with_page: bool,
    doors: tuple[str, ...] = (),
    note: Callable[[str], None],
) -> Ready:
    """Put a server together; it listens and computes only once it runs.

    Raises:
        UsageError: Settings make no sense, or the port is taken.
        CheckpointError: There is no such model.
    """
    environment.model_file(settings.model)
    token = running.checked_token(settings.token, settings.host)
    limits = Limits()
    studio = _studio(settings, limits)
    if project is not None:
        studio.open(project)
        with suppress(SketchcolorError):  # a broken profile is told on the page
            for line in project.other_model():
                note(line)
    access = Access(
        token,
        running.allowed_hosts(settings.host, settings.allow_hosts),
        frozenset(f"/{door}" for door in doors),
        limits,
        local=running.is_local(settings.host),
    )
    app = application(studio, access, with_page=with_page, note=note)
    listening = running.bound(settings.host, settings.port)
    return Ready(app, listening, running.address(listening, settings.host), token, limits)


def _studio(settings: ServerSettings, limits: Limits) -> Studio:
    return Studio(
        engine=Engine(ProcessHost()),
        shelf=Shelf(environment.projects_folder()),
        queue=Queue(ProcessRunner, limits, settings.device, settings.backend),
        model=settings.model,
        device=settings.device,
        backend=settings.backend,
        limits=limits,
    )


def _with_pages(project: Project) -> Project:
    if not project.pages():
        raise DataError(f"{project.folder}: no pictures in this folder; name the one with the pages")
    return project


def _unpacked(book: Path) -> Path:
    """Return the folder with a book's pages, which is made the first time."""
    folder = book.with_name(f"{book.stem} pages")
    status = book.stat()
    stamp = {"book": book.name, "size": status.st_size}
    note = folder / _BOOK
    if folder.is_dir():
        try:
            known = json.loads(note.read_bytes())
        except (OSError, ValueError, RecursionError):
            known = None
        if known == stamp:
            return folder
        raise UsageError(f"{folder}: is there already, and not of this {book.name}; move or open it instead")
    unpack_book(book, folder, folder, book.name)
    write_bytes(note, json.dumps(stamp).encode(), ImageError)
    return folder
