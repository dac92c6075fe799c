"""A project: a folder of pages, and beside them the files that say how they are coloured.

Nothing is kept that the command line does not read as well: ``series.toml``, ``hints/PAGE.json``,
``rough/PAGE.png``, ``masks/PAGE.png``, ``sheets/`` and ``swatches.gpl``. What is only of interest here, such
as which pages are done, is in ``.sketchcolor/studio.json``. Each file is written whole, and only by who has
seen what it says now.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from PIL import Image

from sketchcolor_cli.errors import DataError, ImageError, SketchcolorError, WorklistError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX, SERIES, find_jobs
from sketchcolor_cli.jobs.settings import DEFAULT_MODEL
from sketchcolor_cli.studio import marks as marks_file
from sketchcolor_cli.studio.books import originals
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.revisions import NONE, content_of, identifier, revision_of, stale
from sketchcolor_cli.studio.series_files import HINTS, MASKS, ROUGH, SHEETS, SeriesFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE = Path(".sketchcolor/studio.json")

_TURNED = range(5, 9)  # values of EXIF's orientation with width and height exchanged
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Page:
    """A page of a project.

    Attributes:
        id: What clients call it.
        name: Its file, from the project's folder on.
        path: Its file.
        target: Where its coloured page is written, if its format is kept.
    """

    id: str
    name: str
    path: Path
    target: Path

    @property
    def place(self) -> str:
        """Its name without ending, under which what helps to colour it is found."""
        return str(PurePosixPath(self.name).with_suffix(""))

    @property
    def result(self) -> Path | None:
        """Its coloured page, in whatever format it was written last; None if there is none."""
        written: dict[Path, int] = {}
        for path in {self.target, *(self.target.with_suffix(suffix) for suffix in FORMAT_OF_SUFFIX)}:
            with suppress(OSError):
                written[path] = path.stat().st_mtime_ns
        return max(written, key=lambda path: written[path], default=None)


class Project:
    """A folder of pages.

    Raises:
        DataError: It is not a folder.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder}: not a folder; name the one with the pages")
        self.folder = folder.resolve()
        self.id = identifier(str(self.folder))
        self.output = self.folder.with_name(f"{self.folder.name}.colored")
        self.limits = limits or Limits()
        self.lock = threading.RLock()
        self.series = SeriesFiles(self.folder, self.lock)
        self.colored: dict[str, bool] = {}
        self._listed: tuple[dict[str, int], list[Page]] | None = None
        self._sizes: dict[Path, tuple[tuple[int, int], tuple[int, int]]] = {}
        self._counts: dict[Path, tuple[tuple[int, int], tuple[int, int | None]]] = {}

    # Pages

    def pages(self) -> list[Page]:
        """Return the pages in reading order; folders are looked through when one of them has changed."""
        with self.lock:
            stamps = _stamps_of(self.folder)
            if self._listed is None or self._listed[0] != stamps:
                self._listed = stamps, self._found_pages()
            return self._listed[1]

    def _found_pages(self) -> list[Page]:
        try:
            jobs = find_jobs([self.folder], self.output).jobs
        except WorklistError:
            return []
        found = []
        for job in jobs:
            name = job.source.relative_to(self.folder).as_posix()
            if PurePosixPath(name).parts[0] not in (MASKS, HINTS, ROUGH, SHEETS):
                found.append(Page(identifier(name), name, job.source, job.target))
        return found

    def page(self, page_id: str) -> Page:
        """Return a page by what clients call it.

        Raises:
            ProblemError: There is none.
        """
        for page in self.pages():
            if page.id == page_id:
                return page
        raise ProblemError(404, "there is no such page; it may have been renamed or deleted")

    def describe(self, page: Page, state: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what clients are told of a page."""
        known = self._state() if state is None else state
        width, height = self.size(page.path)
        hints = self._hints(page)
        detail = known["failed"].get(page.name, "")
        description = {
            "id": page.id,
            "name": page.name,
            "width": width,
            "height": height,
            "detail": detail or ("" if width else f"{page.name}: cannot be read as a picture; save it again"),
            "seed": self._seed(hints),
            "marks": self._count(hints),
            "rough": self.layer(page, ROUGH).is_file(),
            "mask": self.layer(page, MASKS).is_file(),
            "colored": self.colored.get(page.id, False),
        }
        return description | {
            "state": _state_of(description, done=page.name in known["done"], draft=page.result is not None)
        }

    def describe_all(self) -> list[dict[str, Any]]:
        """Return what clients are told of all pages."""
        state = self._state()
        return [self.describe(page, state) for page in self.pages()]

    def size(self, path: Path) -> tuple[int, int]:
        """Return the width and height of a picture as it is shown; zeros if it cannot be read."""
        try:
            status = path.stat()
            known = self._sizes.get(path)
            stamp = status.st_mtime_ns, status.st_size
            if known is None or known[0] != stamp:
                known = self._sizes[path] = stamp, _size_of(path)
        except OSError:
            return 0, 0
        return known[1]

    def mark(self, page: Page, *, done: bool | None = None, failed: str | None = None) -> None:
        """Note that a page is done or no longer, or why it failed; an empty reason forgets the failure."""
        with self.lock:
            state, before = self._state(), self._state()
            if done is not None:
                names = [name for name in state["done"] if name != page.name]
                state["done"] = [*names, page.name] if done else names
            if failed is not None:
                state["failed"].pop(page.name, None)
                if failed:
                    state["failed"][page.name] = failed
            if state == before:
                return
            self._write(self.folder / STATE, json.dumps(state, indent=1).encode())

    # What is painted on a page

    def marks(self, page: Page) -> tuple[str, list[Any]]:
        """Return the revision and the list of what is painted on a page.

        Raises:
            ProblemError: The file is damaged.
        """
        data = content_of(self._hints(page))
        return revision_of(data), self._parsed(page, data)[0]

    def marks_revision(self, page: Page) -> str:
        """Return the revision of what is painted on a page."""
        return revision_of(content_of(self._hints(page)))

    def put_marks(self, page: Page, given: Any, expected: str) -> str:
        """Write what is painted on a page, and return the new revision.

        Raises:
            ProblemError: It makes no sense, or somebody else has written meanwhile.
        """
        marks = marks_file.checked(given, self.limits)
        path = self._hints(page)
        with self.lock:
            self.expect(path, expected, lambda: {"marks": self.marks(page)[1]})
            seed = self._parsed(page, content_of(path))[1]
            return self._put_hints(path, marks, seed)

    def set_seed(self, page: Page, seed: int | None) -> None:
        """Give a page a seed of its own, or none.

        Raises:
            ProblemError: It is none, or the page's file is damaged.
        """
        if seed is not None and not _is_seed(seed):
            raise ProblemError(422, "a seed is a whole number of at least 0, or null")
        path = self._hints(page)
        with self.lock:
            marks, _ = self._parsed(page, content_of(path))
            self._put_hints(path, marks, seed)

    def _put_hints(self, path: Path, marks: list[dict[str, Any]], seed: int | None) -> str:
        revision = self._write(path, marks_file.as_file(marks, seed))
        self.series.name_guides(HINTS)
        return revision

    def _parsed(self, page: Page, data: bytes | None) -> tuple[list[dict[str, Any]], int | None]:
        if data is None:
            return [], None
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ProblemError(
                422, f"hints of {page.name}: the file is not valid JSON; correct it"
            ) from error
        listed = document if isinstance(document, dict) else {"points": document}
        marks, seed = marks_file.checked(listed.get("points"), self.limits), listed.get("seed")
        if seed is not None and not _is_seed(seed):
            raise ProblemError(422, f"hints of {page.name}: the seed must be a whole number of at least 0")
        return marks, seed

    def layer(self, page: Page, kind: str) -> Path:
        """Return the file of a page's rough layer or mask."""
        return self.folder / kind / f"{page.place}.png"

    def layer_revision(self, page: Page, kind: str) -> str:
        """Return the revision of a page's rough layer or mask."""
        return revision_of(content_of(self.layer(page, kind)))

    def put_layer(self, page: Page, kind: str, data: bytes | None, expected: str) -> str:
        """Write or delete a page's rough layer or mask, a PNG file, and return the new revision.

        Raises:
            ProblemError: Somebody else has written meanwhile.
        """
        path = self.layer(page, kind)
        with self.lock:
            self.expect(path, expected, dict)
            if data is None:
                path.unlink(missing_ok=True)
                self.series.forget_guides(kind)
                return NONE
            revision = self._write(path, data)
            self.series.name_guides(kind)
            return revision

    def expect(self, path: Path, expected: str, current: Any) -> None:
        """Refuse to write a file that is not what the client saw last.

        Raises:
            ProblemError: It is another.
        """
        now = revision_of(content_of(path))
        if expected != now:
            raise stale(now, current())

    def _hints(self, page: Page) -> Path:
        return self.folder / HINTS / f"{page.place}.json"

    def _count(self, path: Path) -> int:
        """Return how many marks a file holds."""
        return self._about(path)[0]

    def _seed(self, path: Path) -> int | None:
        """Return the seed that a file gives its page."""
        return self._about(path)[1]

    def _about(self, path: Path) -> tuple[int, int | None]:
        try:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            known = self._counts.get(path)
            if known is None or known[0] != stamp:
                document = json.loads(path.read_bytes())
                listed = document if isinstance(document, dict) else {"points": document}
                seed = listed.get("seed")
                known = self._counts[path] = stamp, (len(listed["points"]), seed if _is_seed(seed) else None)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return 0, None
        return known[1]

    # The whole

    def document(self) -> dict[str, Any]:
        """Return what clients are told of the project."""
        notes = []
        try:
            settings = self.series.settings()
            notes += self.other_model()
        except SketchcolorError as error:
            notes.append(str(error))
            settings = {}
        try:
            swatches = self.series.swatches()
        except SketchcolorError as error:
            notes.append(str(error))
            swatches = []
        sheets = [
            dict(zip(("id", "name", "width", "height"), (sheet_id, path.name, *self.size(path)), strict=True))
            for sheet_id, path in self.series.sheets().items()
        ]
        return {
            "revision": self.series.revision(),
            "id": self.id,
            "name": self.folder.name,
            "folder": str(self.folder),
            "settings": settings,
            "swatches": swatches,
            "sheets": sheets,
            "pages": self.describe_all(),
            "books": [book.name for book in originals(self.folder)],
            "notes": notes,
        }

    def other_model(self) -> list[str]:
        """Return a line where the profile names another model than the one the user started with.

        Raises:
            DataError: The profile makes no sense.
        """
        usual, named = self.series.usual_model, self.series.model()
        if usual in (DEFAULT_MODEL, named):
            return []
        return [
            f"{SERIES} names the model {named}, which counts; --model {usual} is for projects that name none"
        ]

    def put(self, settings: Any, swatches: Any, expected: str) -> None:
        """Write settings and swatches, of which either may be None for as it is.

        Raises:
            ProblemError: Something makes no sense, or somebody else has written meanwhile.
            DataError: The same of a value.
        """
        with self.lock:
            now = self.series.revision()
            if expected != now:
                raise stale(now, self.document())
            if swatches is not None:
                self.series.put_swatches(swatches)
            if settings is not None:
                self.series.put_settings(settings)

    def _state(self) -> dict[str, Any]:
        try:
            document = json.loads((self.folder / STATE).read_bytes())
            return {"done": list(document["done"]), "failed": dict(document["failed"])}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {"done": [], "failed": {}}

    def _write(self, path: Path, data: bytes) -> str:
        write_bytes(path, data, ImageError)
        return revision_of(data)


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _state_of(facts: Mapping[str, Any], *, done: bool, draft: bool) -> str:
    if facts["detail"]:
        return "failed"
    if done:
        return "done"
    if draft:
        return "draft"
    painted = facts["marks"] or facts["rough"] or facts["mask"] or facts["seed"] is not None
    return "hinted" if painted else "untouched"


def _stamps_of(folder: Path) -> dict[str, int]:
    """Return when each folder with pages, or that may get some, was changed last."""
    stamps = {}
    for place, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        stamps[place] = os.stat(place).st_mtime_ns  # noqa: PTH116  (a text, as os.walk gives)
    return stamps


def _size_of(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TURNED
    except MemoryError:
        raise
    except Exception:  # damaged files make Pillow raise nearly anything
        return 0, 0
    return (height, width) if turned else (width, height)
