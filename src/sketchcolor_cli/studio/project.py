"""A project: a folder of pages, and beside them the files that say how they are coloured.

Nothing is kept that the command line does not read as well: ``series.toml``, ``hints/PAGE.json``,
``rough/PAGE.png``, ``masks/PAGE.png``, ``sheets/`` and ``swatches.gpl``. What is only of interest here, such
as which pages are done, is in ``.sketchcolor/studio.json``. Each file is written whole, and only by who has
seen what it says now.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from PIL import Image

from sketchcolor_cli.coloring.guides.palette import Swatch, read_swatches, written
from sketchcolor_cli.coloring.guides.points import parse_color
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.errors import DataError, ImageError, SketchcolorError, WorklistError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.worklist import IMAGE_SUFFIXES, SERIES, find_jobs, natural_key
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.jobs.series import read_series, template
from sketchcolor_cli.studio import marks as marks_file
from sketchcolor_cli.studio.limits import Limits
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.profile import with_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NONE = "0"
"""The revision of a file that does not exist."""

HINTS, ROUGH, MASKS, SHEETS, SWATCHES = "hints", "rough", "masks", "sheets", "swatches.gpl"
STATE = Path(".sketchcolor/studio.json")

_SETTINGS = {
    "seed": "seed",
    "guess": "guess",
    "protect": "protect",
    "colored_pages": "colored-pages",
    "saturation": "saturation",
    "work_size": "work-size",
    "palette_strength": "palette-strength",
}
_TURNED = range(5, 9)  # values of EXIF's orientation with width and height exchanged
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Page:
    """A page of a project.

    Attributes:
        id: What clients call it.
        name: Its file, from the project's folder on.
        path: Its file.
        result: Where its coloured page is written.
    """

    id: str
    name: str
    path: Path
    result: Path

    @property
    def place(self) -> str:
        """Its name without ending, under which what helps to colour it is found."""
        return str(PurePosixPath(self.name).with_suffix(""))


def revision_of(data: bytes | None) -> str:
    """Return the revision of a file's content; None for a file that is not there."""
    return NONE if data is None else sha256(data).hexdigest()[:16]


def identifier(name: str) -> str:
    """Return what clients call a file of this name; it is in no way a path."""
    return sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]


class Project:
    """A folder of pages.

    Raises:
        DataError: It is no folder.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder}: is no folder; name the one with the pages")
        self.folder = folder.resolve()
        self.id = identifier(str(self.folder))
        self.output = self.folder.with_name(f"{self.folder.name}.colored")
        self.limits = limits or Limits()
        self.lock = threading.RLock()
        self.colored: dict[str, bool] = {}
        self._sizes: dict[Path, tuple[tuple[int, int], tuple[int, int]]] = {}
        self._counts: dict[Path, tuple[tuple[int, int], tuple[int, int | None]]] = {}

    # Pages

    def pages(self) -> list[Page]:
        """Return the pages in reading order."""
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
        about = {
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
        return about | {
            "state": _state_of(about, done=page.name in known["done"], draft=page.result.is_file())
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
            state = self._state()
            if done is not None:
                names = [name for name in state["done"] if name != page.name]
                state["done"] = [*names, page.name] if done else names
            if failed is not None:
                state["failed"].pop(page.name, None)
                if failed:
                    state["failed"][page.name] = failed
            self._write(self.folder / STATE, json.dumps(state, ensure_ascii=False, indent=1).encode())

    # What is painted on a page

    def marks(self, page: Page) -> tuple[str, list[Any]]:
        """Return the revision and the list of what is painted on a page.

        Raises:
            ProblemError: The file is damaged.
        """
        data = _content(self._hints(page))
        return revision_of(data), self._parsed(page, data)[0]

    def marks_revision(self, page: Page) -> str:
        """Return the revision of what is painted on a page."""
        return revision_of(_content(self._hints(page)))

    def put_marks(self, page: Page, given: Any, expected: str) -> str:
        """Write what is painted on a page, and return the new revision.

        Raises:
            ProblemError: It makes no sense, or somebody else has written meanwhile.
        """
        marks = marks_file.checked(given, self.limits)
        path = self._hints(page)
        with self.lock:
            self.expect(path, expected, lambda: {"marks": self.marks(page)[1]})
            seed = self._parsed(page, _content(path))[1]
            return self._put_hints(path, marks, seed)

    def set_seed(self, page: Page, seed: int | None) -> None:
        """Give a page a seed of its own, or none.

        Raises:
            ProblemError: It is none, or the page's file is damaged.
        """
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise ProblemError(422, "a seed is a whole number of at least 0, or null")
        path = self._hints(page)
        with self.lock:
            marks, _ = self._parsed(page, _content(path))
            self._put_hints(path, marks, seed)

    def _put_hints(self, path: Path, marks: list[dict[str, Any]], seed: int | None) -> str:
        self._ready(HINTS)
        return self._write(path, marks_file.as_file(marks, seed))

    def _parsed(self, page: Page, data: bytes | None) -> tuple[list[dict[str, Any]], int | None]:
        if data is None:
            return [], None
        try:
            document = json.loads(data)
        except ValueError as error:
            raise ProblemError(422, f"hints of {page.name}: the file is no proper JSON; mend it") from error
        about = document if isinstance(document, dict) else {"points": document}
        return marks_file.checked(about.get("points"), self.limits), about.get("seed")

    def layer(self, page: Page, kind: str) -> Path:
        """Return the file of a page's rough layer or mask."""
        return self.folder / kind / f"{page.place}.png"

    def layer_revision(self, page: Page, kind: str) -> str:
        """Return the revision of a page's rough layer or mask."""
        return revision_of(_content(self.layer(page, kind)))

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
                return NONE
            path.parent.mkdir(parents=True, exist_ok=True)
            self._ready(kind)
            return self._write(path, data)

    def expect(self, path: Path, expected: str, current: Any) -> None:
        """Refuse to write a file that is not what the client saw last.

        Raises:
            ProblemError: It is another.
        """
        now = revision_of(_content(path))
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
                about = document if isinstance(document, dict) else {"points": document}
                known = self._counts[path] = stamp, (len(about["points"]), about.get("seed"))
        except (OSError, ValueError, TypeError, KeyError):
            return 0, None
        return known[1]

    # What holds for all pages

    @property
    def profile(self) -> Path:
        """The file with the settings."""
        return self.folder / SERIES

    def series(self) -> dict[str, Any]:
        """Return what the profile sets, by the name of the setting; nothing without one.

        Raises:
            DataError: It makes no sense.
        """
        return read_series(ColorizeRequest, self.profile) if self.profile.is_file() else {}

    def revision(self) -> str:
        """Return the revision of settings, swatches and sheets together."""
        parts = [_content(self.profile), _content(self.folder / SWATCHES)]
        parts += [str(path).encode(errors="surrogateescape") for path in self.sheets().values()]
        return revision_of(b"\0".join(part or b"-" for part in parts))

    def settings(self) -> dict[str, Any]:
        """Return the settings as clients see them.

        Raises:
            DataError: The profile makes no sense.
        """
        said = self.series()
        usual = ColorizeSettings()
        chosen = {name: said.get(name, getattr(usual, name)) for name in _SETTINGS}
        palette = said.get("palette")
        named = None if palette is None else "swatches" if palette == self.folder / SWATCHES else "file"
        return {"model": Path(said.get("model", "default")).name, "palette": named} | {
            name: str(value) if isinstance(value, str) else value for name, value in chosen.items()
        }

    def swatches(self) -> list[dict[str, str]]:
        """Return the colours with names."""
        path = self.folder / SWATCHES
        return described(read_swatches(path)) if path.is_file() else []

    def sheets(self) -> dict[str, Path]:
        """Return the character sheets, by what clients call them."""
        folder = self.folder / SHEETS
        if not folder.is_dir():
            return {}
        names = sorted((one.name for one in folder.iterdir()), key=natural_key)
        return {
            identifier(f"{SHEETS}/{name}"): folder / name
            for name in names
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")
        }

    def sheet(self, sheet_id: str) -> Path:
        """Return a sheet by what clients call it.

        Raises:
            ProblemError: There is none.
        """
        found = self.sheets().get(sheet_id)
        if found is None:
            raise ProblemError(404, "there is no such sheet; it may have been deleted")
        return found

    def document(self) -> dict[str, Any]:
        """Return what clients are told of the project."""
        notes = []
        try:
            settings = self.settings()
        except SketchcolorError as error:
            notes.append(str(error))
            settings = {}
        try:
            swatches = self.swatches()
        except SketchcolorError as error:
            notes.append(str(error))
            swatches = []
        sheets = [
            dict(zip(("id", "name", "width", "height"), (one, path.name, *self.size(path)), strict=True))
            for one, path in self.sheets().items()
        ]
        return {
            "revision": self.revision(),
            "id": self.id,
            "name": self.folder.name,
            "folder": str(self.folder),
            "settings": settings,
            "swatches": swatches,
            "sheets": sheets,
            "pages": self.describe_all(),
            "notes": notes,
        }

    def put(self, settings: Any, swatches: Any, expected: str) -> None:
        """Write settings and swatches, of which either may be None for as it is.

        Raises:
            ProblemError: Something makes no sense, or somebody else has written meanwhile.
            DataError: The same of a value.
        """
        with self.lock:
            if expected != self.revision():
                raise stale(self.revision(), self.document())
            if swatches is not None:
                self.put_swatches(swatches)
            if settings is not None:
                self._put_settings(settings)

    def put_swatches(self, swatches: Any) -> None:
        """Write the colours with names.

        Raises:
            ProblemError: They make no sense.
        """
        if not isinstance(swatches, list) or not all(isinstance(one, dict) for one in swatches):
            raise ProblemError(422, "swatches is a list of names and colours")
        colors = [
            Swatch(parse_color(one.get("color"), f"swatch {number}"), str(one.get("name", ""))[:80])
            for number, one in enumerate(swatches, start=1)
        ]
        path = self.folder / SWATCHES
        if colors:
            self._write(path, written(colors, self.folder.name).encode())
        else:
            if self._says_palette():
                self._set({"palette": None})
            path.unlink(missing_ok=True)

    def list_sheets(self) -> None:
        """Let the profile name the sheets that are there."""
        self._set({"sheets": [f"{SHEETS}/{path.name}" for path in self.sheets().values()]})

    def delete_sheet(self, path: Path) -> None:
        """Delete a sheet; the profile forgets it first."""
        with self.lock:
            kept = [one for one in self.sheets().values() if one != path]
            self._set({"sheets": [f"{SHEETS}/{one.name}" for one in kept]})
            path.unlink(missing_ok=True)

    def _put_settings(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise ProblemError(422, "settings is an object")
        unknown = sorted(set(given) - {*_SETTINGS, "model", "palette"})
        if unknown:
            raise ProblemError(422, f"settings: {unknown[0]} means nothing")
        values = {_SETTINGS[name]: value for name, value in given.items() if name in _SETTINGS}
        if "model" in given:
            values["model"] = self._model_of(given["model"])
        if "palette" in given:
            if given["palette"] not in (None, "swatches", "file"):
                raise ProblemError(422, "settings: palette is null or swatches")
            if given["palette"] == "swatches" and not (self.folder / SWATCHES).is_file():
                raise ProblemError(422, "there are no swatches to pull colours to; add one first")
            if given["palette"] != "file":
                values["palette"] = SWATCHES if given["palette"] else None
        self._set(values)

    def _model_of(self, name: Any) -> str:
        from sketchcolor_cli import environment

        known = environment.model_shelf().names()
        if name not in known:
            raise ProblemError(422, f"there is no model {name!r}; choose one of {', '.join(known)}")
        return str(name)

    def _set(self, values: Mapping[str, Any]) -> None:
        """Change values of the profile, which is read before it counts."""
        with self.lock:
            old = _content(self.profile)
            text = template(ColorizeRequest) if old is None else old.decode("utf-8-sig")
            new = with_values(text, values)
            draft = self.profile.with_name(f".{SERIES}.draft")
            draft.write_text(new, encoding="utf-8")
            try:
                read_series(ColorizeRequest, draft)
            except DataError as error:
                raise ProblemError(422, str(error).replace(str(draft), SERIES)) from error
            finally:
                draft.unlink(missing_ok=True)
            self._write(self.profile, new.encode())

    def _ready(self, kind: str) -> None:
        """Make the folder for what is painted on pages, and let the profile name it."""
        (self.folder / kind).mkdir(exist_ok=True)
        said = self.series()
        folder = self.folder / kind
        if kind == MASKS:
            if said.get("masks") is None:
                self._set({MASKS: MASKS})
            return
        key, name = ("hints", "hints") if kind == HINTS else ("references", "reference")
        named: tuple[Path, ...] = said.get(name, ())
        if folder not in named:
            others = [path.relative_to(self.folder).as_posix() for path in named]
            self._set({key: [kind, *others]})

    def _says_palette(self) -> bool:
        palette: Path | None = self.series().get("palette")
        return palette == self.folder / SWATCHES

    def _state(self) -> dict[str, Any]:
        try:
            document = json.loads((self.folder / STATE).read_bytes())
            return {"done": list(document["done"]), "failed": dict(document["failed"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {"done": [], "failed": {}}

    def _write(self, path: Path, data: bytes) -> str:
        write_bytes(path, data, ImageError)
        return revision_of(data)


def described(swatches: Iterable[Swatch]) -> list[dict[str, str]]:
    """Return swatches as clients see them."""
    return [
        {"name": one.name, "color": "#" + "".join(f"{round(255 * value):02x}" for value in one.color)}
        for one in swatches
    ]


def stale(revision: str, current: Any) -> ProblemError:
    """Return the refusal to write over what the client has not seen."""
    return ProblemError(
        412,
        "this was changed in another window or by another program; look at it as it is now, then save again",
        headers={"ETag": f'"{revision}"'},
        current=current,
    )


def _state_of(about: Mapping[str, Any], *, done: bool, draft: bool) -> str:
    if about["detail"]:
        return "failed"
    if done:
        return "done"
    if draft:
        return "draft"
    painted = about["marks"] or about["rough"] or about["mask"] or about["seed"] is not None
    return "hinted" if painted else "untouched"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _size_of(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TURNED
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0, 0
    return (height, width) if turned else (width, height)
