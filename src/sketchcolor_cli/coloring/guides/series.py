"""The profile of a series, ``series.toml`` beside its pages: what makes all pages have the same colours."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings, Guess, Protect
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.worklist import SERIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NAME = SERIES
"""Name of the file."""

TEMPLATE = """\
# Colours of a series, for: sketchcolor colorize THIS_FOLDER -o colored/
# Names of files are meant from this folder on; its folders rough, references, hints and sheets hold no
# pages. What the command line says counts before this file.

model = "{model}"

# Other drawings in the right colours, such as a character sheet for each character.
sheets = [{sheets}]

# Rough colourings: a folder with one of the same name for each page, or one picture for all.
references = [{references}]

# Transparent pictures with strokes, a folder of them, or points in a JSON or TOML file.
hints = [{hints}]

# The colours that results are pulled to, and how far, from 0 to 1.
{palette}
palette-strength = {settings.palette_strength}

protect = "{settings.protect}"          # none, gutters, bubbles or all
colored-pages = "{settings.colored_pages}"   # skip or redo
saturation = {settings.saturation}
work-size = {settings.work_size}
guess = "{settings.guess}"            # what areas without a colour get: draw, mean or auto
seed = {settings.seed}                  # by which colours are drawn
"""

_LISTS = ("sheets", "references", "hints")
_NUMBERS = {"palette-strength": (0, 1), "saturation": (0, 10)}


@dataclass(frozen=True)
class Series:
    """A profile; paths are complete.

    Attributes:
        model: Name of a bundled model, or a model file.
        sheets, references, hints: As the options of these names.
        palette: A palette file, or None.
        settings: What else is set.
        said: The names of what the file sets, as it writes them.
    """

    model: str = "default"
    sheets: tuple[Path, ...] = ()
    references: tuple[Path, ...] = ()
    hints: tuple[Path, ...] = ()
    palette: Path | None = None
    settings: ColorizeSettings = field(default_factory=ColorizeSettings)
    said: frozenset[str] = frozenset()


def template(found: Mapping[str, Sequence[str]] | None = None, model: str = "default") -> str:
    """Return a profile to begin with, with what ``found`` names as sheets, references, hints and palette."""
    found = found or {}
    listed = {name: ", ".join(f'"{one}"' for one in found.get(name, ())) for name in _LISTS}
    palette = [f'palette = "{one}"' for one in found.get("palette", ())] or ['# palette = "palette.gpl"']
    return TEMPLATE.format(model=model, palette=palette[0], settings=ColorizeSettings(), **listed)


def read_series(path: Path) -> Series:
    """Read a profile.

    Raises:
        DataError: It cannot be read, sets something unknown or to something that makes no sense, or names a
            file that is not there.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); make one with: series init") from error
    except ValueError as error:
        raise DataError(f"{path}: is no proper TOML ({error})") from error
    known = {"model", "palette", "protect", "colored-pages", "work-size", "guess", "seed", *_LISTS, *_NUMBERS}
    unknown = sorted(set(document) - known)
    if unknown:
        raise DataError(f"{path}: {unknown[0]} means nothing; it may set {', '.join(sorted(known))}")
    folder = path.parent
    lists = {
        name: tuple(_file(folder, one, path, name) for one in _list(document, name, path)) for name in _LISTS
    }
    palette = _file(folder, document["palette"], path, "palette") if "palette" in document else None
    return Series(
        model=_model(folder, document.get("model", "default")),
        palette=palette,
        settings=_settings(document, path),
        said=frozenset(document),
        **lists,
    )


def _list(document: dict[str, Any], name: str, path: Path) -> list[Any]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise DataError(f'{path}: {name} must be a list, such as {name} = ["file.png"]')
    return value


def _file(folder: Path, value: Any, path: Path, name: str) -> Path:
    if not isinstance(value, str) or not (folder / value).exists():
        raise DataError(f"{path}: {name} names {value!r}, which is not there")
    return folder / value


def _model(folder: Path, value: Any) -> str:
    beside = folder / str(value)
    return str(beside) if beside.is_file() else str(value)


def _settings(document: dict[str, Any], path: Path) -> ColorizeSettings:
    settings = ColorizeSettings()
    for name, (least, most) in _NUMBERS.items():
        value = document.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise DataError(f"{path}: {name} must be a number from {least} to {most}, not {value!r}")
    size = document.get("work-size", settings.work_size)
    if isinstance(size, bool) or not isinstance(size, int) or size < 64:
        raise DataError(f"{path}: work-size must be a whole number of at least 64, not {size!r}")
    seed = document.get("seed", settings.seed)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DataError(f"{path}: seed must be a whole number of at least 0, not {seed!r}")
    try:
        protect = Protect(document.get("protect", settings.protect))
        guess = Guess(document.get("guess", settings.guess))
        colored = ColoredPages(document.get("colored-pages", settings.colored_pages))
    except ValueError as error:
        raise DataError(f"{path}: {error}; see the comments that series init writes") from error
    return replace(
        settings,
        work_size=size,
        protect=protect,
        colored_pages=colored,
        saturation=float(document.get("saturation", settings.saturation)),
        palette_strength=float(document.get("palette-strength", settings.palette_strength)),
        guess=guess,
        seed=seed,
    )


def over(profile: ColorizeSettings, typed: ColorizeSettings, names: set[str]) -> ColorizeSettings:
    """Return the profile's settings with those of ``names`` as they were typed."""
    return replace(
        profile, **{one.name: getattr(typed, one.name) for one in fields(typed) if one.name in names}
    )
