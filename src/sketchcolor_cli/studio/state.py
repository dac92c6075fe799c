"""What the server holds: the open project, the worker, the queue, and who listens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.guides.palette_files import read_palette
from sketchcolor_cli.errors import SketchcolorError
from sketchcolor_cli.studio.answers import Answers
from sketchcolor_cli.studio.colors import color_settings
from sketchcolor_cli.studio.hub import Hub
from sketchcolor_cli.studio.latest import Latest
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.pictures import Pictures
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.series_files import MASKS, ROUGH

if TYPE_CHECKING:
    from sketchcolor_cli.studio.engine import Engine
    from sketchcolor_cli.studio.job_queue import Queue
    from sketchcolor_cli.studio.project import Page, Project
    from sketchcolor_cli.studio.shelf import Shelf


@dataclass
class Studio:
    """What requests work on.

    Attributes:
        engine: Asks the worker.
        shelf: The projects.
        queue: Jobs over many pages.
        model: The model where a project names none.
        device, backend: Where and by what to compute, as the user said it.
        limits: What may be asked.
    """

    engine: Engine
    shelf: Shelf
    queue: Queue
    model: str
    device: str
    backend: str = "auto"
    limits: Limits = field(default_factory=Limits)
    hub: Hub = field(default_factory=Hub)
    sockets: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make what is not given."""
        self.pictures = Pictures(self.limits.pixels)
        self.answers, self.waiting, self.open_sockets = Answers(), 0, 0
        self.latest = Latest()
        self.intake = asyncio.Lock()  # held while pages are taken in: their names are looked for first
        self.spool = TemporaryDirectory(prefix="sketchcolor-")
        self._project: Project | None = None

    @property
    def project(self) -> Project:
        """The open project.

        Raises:
            ProblemError: None is open.
        """
        if self._project is None:
            raise ProblemError(404, "no project is open; open a folder or a book first")
        return self._project

    @property
    def is_open(self) -> bool:
        """Whether a project is open."""
        return self._project is not None

    def open(self, project: Project) -> None:
        """Open a project in place of the one that is open."""
        project.series.usual_model = self.model
        self._project = project
        self.queue.open(project)
        self.shelf.note(project, len(project.pages()))

    def look(self, model: str | None = None) -> dict[str, Any]:
        """Return how pages of the project are coloured, as the worker is told it.

        Raises:
            SketchcolorError: The profile makes no sense, or names what is not there.
        """
        values = self._project.series.profile_settings() if self._project is not None else {}
        name = str(model or values.get("model", self.model))
        palette = values.get("palette")
        return {
            "model": str(environment.model_file(name)),
            "device": self.device,
            "backend": self.backend,
            "settings": {key: values[key] for key in color_settings() if key in values},
            "sheets": [str(path) for path in values.get("sheet", ())],
            "palette": [] if palette is None else read_palette(palette).tolist(),
        }

    def page_files(self, page: Page) -> dict[str, str | None]:
        """Return the files of a page, as the worker is told them."""
        rough, mask = (self.project.layer(page, kind) for kind in (ROUGH, MASKS))
        return {
            "path": str(page.path),
            "rough": str(rough) if rough.is_file() else None,
            "mask": str(mask) if mask.is_file() else None,
        }

    async def prepare(self, page: Page, urgent: bool = False) -> dict[str, Any]:
        """Let the worker find out what does not depend on strokes, and return what it says of the page.

        Raises:
            ProblemError: The page cannot be read.
        """
        project = self.project
        look = await asyncio.to_thread(self.look)
        answer, _ = await self.engine.ask_once(
            "open", page=self.page_files(page), look=look, lane=None if urgent else f"ahead {page.id}"
        )
        project.colored[page.id] = bool(answer.get("colored"))
        return answer

    def neighbours(self, page: Page) -> list[Page]:
        """Return the page after and the page before."""
        pages = self.project.pages()
        at = next((number for number, other in enumerate(pages) if other.id == page.id), None)
        if at is None:
            return []
        return [pages[number] for number in (at + 1, at - 1) if 0 <= number < len(pages)]

    def describe(self, page: Page) -> dict[str, Any]:
        """Return what clients are told of a page, with the revisions of its files."""
        project = self.project
        return project.describe(page) | {
            "marks_revision": project.marks_revision(page),
            "rough_revision": project.layer_revision(page, ROUGH),
            "mask_revision": project.layer_revision(page, MASKS),
        }

    def tell_page(self, description: dict[str, Any], what: str, by: str | None) -> None:
        """Tell all windows that a page has changed, which is described as it is now."""
        self.hub.tell("page", **description, what=what, by=by)

    def tell_project(self, by: str | None, *, opened: bool = False) -> None:
        """Tell all windows that the project has changed."""
        try:
            revision = self.project.series.revision()
        except SketchcolorError:
            revision = ""
        self.hub.tell("project", revision=revision, opened=opened, by=by)

    def spooled(self, name: str) -> Path:
        """Return a path for what a request needs for a while."""
        return Path(self.spool.name) / name
