"""What holds for all pages of a project: its profile ``series.toml``, swatches and character sheets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.guides.palette_files import Swatch, read_swatches, written
from sketchcolor_cli.coloring.guides.points import parse_color
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.worklist import IMAGE_SUFFIXES, SERIES, natural_key
from sketchcolor_cli.jobs.requests import ColorizeRequest
from sketchcolor_cli.jobs.series import read_series, template
from sketchcolor_cli.jobs.settings import DEFAULT_MODEL
from sketchcolor_cli.studio.colors import color_settings
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.profile import with_values
from sketchcolor_cli.studio.revisions import content_of, identifier, revision_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping, Sequence

HINTS, ROUGH, MASKS, SHEETS, SWATCHES = "hints", "rough", "masks", "sheets", "swatches.gpl"
"""Names of folders and files beside the pages."""

_LONGEST = 80  # letters of a swatch's name


class SeriesFiles:
    """The files of a project that hold for all its pages.

    Attributes:
        folder: The project's.
        lock: Held while files are written.
        profile: The file with the settings.
        usual_model: What counts where the profile names no model; the next change of the profile names it.
    """

    usual_model = DEFAULT_MODEL

    def __init__(self, folder: Path, lock: threading.RLock) -> None:
        self.folder, self.lock = folder, lock
        self.profile = folder / SERIES

    def model(self) -> str:
        """Return the name or file of the model.

        Raises:
            DataError: The profile makes no sense.
        """
        return str(self.profile_settings().get("model", self.usual_model))

    def profile_settings(self) -> dict[str, Any]:
        """Return what the profile sets, by the name of the setting; nothing without one.

        Raises:
            DataError: It makes no sense.
        """
        return read_series(ColorizeRequest, self.profile) if self.profile.is_file() else {}

    def revision(self) -> str:
        """Return the revision of settings, swatches and sheets together.

        What else the profile says, such as which folders of hints count, is nothing that a window could lose.
        """
        try:
            settings: bytes | None = json.dumps(self.settings(), sort_keys=True).encode()
        except DataError:
            settings = content_of(self.profile)
        parts = [settings, content_of(self.folder / SWATCHES)]
        parts += [str(path).encode(errors="surrogateescape") for path in self.sheets().values()]
        return revision_of(b"\0".join(part or b"-" for part in parts))

    def settings(self) -> dict[str, Any]:
        """Return the settings as clients see them.

        Raises:
            DataError: The profile makes no sense.
        """
        values = self.profile_settings()
        usual = ColorizeSettings()
        chosen = {name: values.get(name, getattr(usual, name)) for name in color_settings()}
        palette = values.get("palette")
        named = None if palette is None else "swatches" if palette == self.folder / SWATCHES else "file"
        return {"model": Path(self.model()).name, "palette": named} | {
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
        names = sorted((path.name for path in folder.iterdir()), key=natural_key)
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

    def put_swatches(self, swatches: Any) -> None:
        """Write the colours with names.

        Raises:
            ProblemError: They make no sense.
        """
        if not isinstance(swatches, list) or not all(isinstance(swatch, dict) for swatch in swatches):
            raise ProblemError(422, "swatches is a list of names and colours")
        colors = [
            Swatch(
                parse_color(swatch.get("color"), f"swatch {number}"), str(swatch.get("name", ""))[:_LONGEST]
            )
            for number, swatch in enumerate(swatches, start=1)
        ]
        path = self.folder / SWATCHES
        if colors:
            write_bytes(path, written(colors, self.folder.name).encode(), ImageError)
        else:
            if self._says_palette():
                self.set({"palette": None})
            path.unlink(missing_ok=True)

    def list_sheets(self) -> None:
        """Let the profile name the sheets that are there."""
        self.set({"sheets": [f"{SHEETS}/{path.name}" for path in self.sheets().values()]})

    def delete_sheet(self, path: Path) -> None:
        """Delete a sheet; the profile forgets it first."""
        with self.lock:
            kept = [sheet for sheet in self.sheets().values() if sheet != path]
            self.set({"sheets": [f"{SHEETS}/{sheet.name}" for sheet in kept]})
            path.unlink(missing_ok=True)

    def put_settings(self, given: Any) -> None:
        """Change settings, as clients see them.

        Raises:
            ProblemError: They make no sense.
        """
        if not isinstance(given, dict):
            raise ProblemError(422, "settings is an object")
        unknown = sorted(set(given) - {*color_settings(), "model", "palette"})
        if unknown:
            raise ProblemError(422, f"settings: unknown key {unknown[0]}")
        now = self.settings()
        values = {leaf.key: given[name] for name, leaf in color_settings().items() if name in given}
        if "model" in given and given["model"] != now["model"]:
            values["model"] = self._model_of(given["model"])
        if "palette" in given:
            if given["palette"] not in (None, "swatches", "file"):
                raise ProblemError(422, "settings: palette is null or swatches")
            if given["palette"] == "swatches" and not (self.folder / SWATCHES).is_file():
                raise ProblemError(422, "there are no swatches to pull colours to; add one first")
            if given["palette"] != "file":
                values["palette"] = SWATCHES if given["palette"] else None
        self.set(values)

    def _model_of(self, name: Any) -> str:
        known = environment.model_shelf().names()
        if name not in known:
            raise ProblemError(422, f"there is no model {name!r}; choose one of {', '.join(known)}")
        return str(name)

    def set(self, values: Mapping[str, Any]) -> None:
        """Change values of the profile, which is read before it counts."""
        with self.lock:
            old = content_of(self.profile)
            if self.usual_model != DEFAULT_MODEL and "model" not in self.profile_settings():
                values = {"model": self.usual_model, **values}
            try:
                text = template(ColorizeRequest) if old is None else old.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise ProblemError(422, f"{SERIES}: is not UTF-8 text; save it as UTF-8") from error
            new = with_values(text, values)
            draft = self.profile.with_name(f".draft.{SERIES}")  # read as TOML, by its ending
            draft.write_text(new, encoding="utf-8")
            try:
                read_series(ColorizeRequest, draft)
            except DataError as error:
                raise ProblemError(422, str(error).replace(str(draft), SERIES)) from error
            finally:
                draft.unlink(missing_ok=True)
            write_bytes(self.profile, new.encode(), ImageError)

    def name_guides(self, kind: str) -> None:
        """Let the profile name the folder of what is painted on pages, once there is anything in it."""
        folder = self.folder / kind
        with self.lock:
            values = self.profile_settings()
            if kind == MASKS:
                if values.get("masks") is None:
                    self.set({MASKS: MASKS})
                return
            key, name = _keys(kind)
            named: Sequence[Path] = values.get(name, ())
            if folder not in named:
                self.set({key: [kind, *(self._relative(path) for path in named)]})

    def forget_guides(self, kind: str) -> None:
        """Let the profile no longer name a folder in which nothing is left, and remove it."""
        folder = self.folder / kind
        with self.lock:
            if any(path.is_file() for path in folder.rglob("*")):
                return
            values = self.profile_settings()
            if kind == MASKS and values.get("masks") == folder:
                self.set({MASKS: None})
            elif kind != MASKS:
                key, name = _keys(kind)
                named: Sequence[Path] = values.get(name, ())
                if folder in named:
                    self.set({key: [self._relative(path) for path in named if path != folder]})
            for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
                inner.rmdir()
            folder.rmdir()

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(path, self.folder)).as_posix()

    def _says_palette(self) -> bool:
        palette: Path | None = self.profile_settings().get("palette")
        return palette == self.folder / SWATCHES


def _keys(kind: str) -> tuple[str, str]:
    """Return how the profile and how a request calls the list that a folder is in."""
    return ("hints", "hints") if kind == HINTS else ("references", "reference")


def described(swatches: Iterable[Swatch]) -> list[dict[str, str]]:
    """Return swatches as clients see them."""
    return [
        {"name": swatch.name, "color": "#" + "".join(f"{round(255 * value):02x}" for value in swatch.color)}
        for swatch in swatches
    ]
