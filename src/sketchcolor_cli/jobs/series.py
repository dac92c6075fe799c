"""The profile of a series, ``series.toml`` beside its pages: what gives all pages the same colours."""

from __future__ import annotations

import os
import textwrap
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.folders import PALETTE_SUFFIXES, POINT_SUFFIXES
from sketchcolor_cli.files.listing import list_pictures
from sketchcolor_cli.files.regular import read_table
from sketchcolor_cli.files.worklist import SERIES, SERIES_GUIDES
from sketchcolor_cli.settings import as_toml, from_table, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sketchcolor_cli.coloring.guides.drift import Drift
    from sketchcolor_cli.settings import Leaf, Settings

_PALETTES = PALETTE_SUFFIXES - {".txt", ".css"}  # which may be anything
_SHEETS = {".png", ".jpg", ".jpeg", ".webp"}
_PARTS = {"model", "guides", "colors"}  # of a request, whose settings a new profile lists
_EXTRAS = {".layers", ".parts"}  # endings of folders of what is made beside pages
_WIDTH = 96  # of comments
_HEAD = """\
# Colours of a series, for: sketchcolor colorize THIS_FOLDER -o colored/
# Names of files are relative to this folder; its folders rough, references, hints, masks and sheets hold
# no pages.
# Options on the command line take precedence over this file.
"""


def find_series(given: Path | None, inputs: Sequence[Path]) -> Path | None:
    """Return the profile to use: the one that was given, or the one in the one input folder."""
    if given is not None:
        return series_file(given)
    beside = Path(inputs[0]) / SERIES if len(inputs) == 1 else None
    # Not Path.is_file(), which raises for too long a name; that is told when the request is made.
    return beside if beside is not None and os.path.isfile(beside) else None  # noqa: PTH113


def series_file(given: Path) -> Path:
    """Return the profile of a folder, or the file itself."""
    return given / SERIES if os.path.isdir(given) else given  # noqa: PTH112


def read_series(kind: type[Settings], path: Path) -> dict[str, Any]:
    """Return what a profile sets of a request of this kind, by name.

    Raises:
        DataError: It cannot be read, sets something unknown or to something that makes no sense, or names a
            file that is not there.
    """
    document = read_table(path)
    try:
        values = from_table(kind, document, path.parent)
    except UsageError as error:
        raise DataError(f"{path}: {error}") from error
    for leaf in leaves(kind):
        for file in _paths(leaf, values.get(leaf.name)):
            if not file.exists():
                named = file.relative_to(path.parent) if file.is_relative_to(path.parent) else file
                raise DataError(f"{path}: {leaf.key} names {str(named)!r}, which is not there")
    beside = path.parent / str(values.get("model", ""))
    if os.path.isfile(beside):  # noqa: PTH113 - Path.is_file() raises for too long a name
        values["model"] = str(beside)
    return values


def check_series(kind: type[Settings], path: Path) -> Path | None:
    """Read a profile and the palette and points that it names; return the palette's file.

    Raises:
        DataError: One of them cannot be read or makes no sense.
    """
    values = read_series(kind, path)
    palette: Path | None = values.get("palette")
    if palette is not None:
        from sketchcolor_cli.coloring.guides.palette_files import read_palette

        read_palette(palette)
    for hints in values.get("hints", ()):
        if hints.suffix.lower() in POINT_SUFFIXES:
            from sketchcolor_cli.coloring.guides.points import read_points

            read_points(hints)
    return palette


def write_series(kind: type[Settings], folder: Path) -> Path:
    """Write a profile to fill in, with the palette, points and folders that are there; return its file.

    Raises:
        DataError: There is no such folder, or a profile is there already, or it cannot be written; or what it
            would name has a name that is not Unicode.
    """
    path = folder / SERIES
    if not folder.is_dir():
        raise DataError(f"{folder}: is not a folder; name the one with the pages")
    if os.path.lexists(path):
        raise DataError(f"{path}: is there already; change it, or delete it first")
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be opened ({error.strerror}); check its permissions") from error
    hints = [name for name in names if name == "hints" or _is_points(Path(name))]
    found = {
        "palette": [name for name in names if Path(name).suffix.lower() in _PALETTES][:1],
        "hints": hints,
        "reference": [name for name in names if name in SERIES_GUIDES - {"hints", "masks", "sheets"}],
        "masks": [name for name in names if name == "masks"],
        "sheet": [
            f"sheets/{sheet.name}"
            for sheet in sorted(folder.glob("sheets/*"))
            if sheet.suffix.lower() in _SHEETS
        ],
    }
    _require_unicode(folder, found)
    write_bytes(path, template(kind, found).encode(), DataError)
    return path


def template(kind: type[Settings], found: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return a profile to begin with: settings with their help and default, or the files of ``found``."""
    listed = [leaf for leaf in leaves(kind) if leaf.path[0] in _PARTS and leaf.about.stored]
    pieces = [_entry(leaf, (found or {}).get(leaf.name, ())) for leaf in listed if not leaf.about.internal]
    return "\n".join([_HEAD, *pieces])


def drifts(colored: Path, palette: Path | None) -> list[Drift]:
    """Return how far colours move across the coloured pages of a folder, the farthest first.

    Raises:
        WorklistError: There are no pictures in the folder.
        SketchcolorError: A picture or the palette cannot be read.
    """
    from sketchcolor_cli.coloring.guides.drift import drift, small
    from sketchcolor_cli.coloring.guides.palette_files import read_palette
    from sketchcolor_cli.imaging.reading import read_picture

    files = {place: file for place, file in list_pictures(colored).items() if not _is_extra(place)}
    pages = {place.as_posix(): small(read_picture(file)) for place, file in files.items()}
    return drift(pages, None if palette is None else read_palette(palette))


def _is_extra(place: PurePath) -> bool:
    """Whether a picture was made beside a coloured page."""
    return place.name.endswith(".flats.png") or any(folder.suffix in _EXTRAS for folder in place.parents)


def _require_unicode(folder: Path, found: Mapping[str, Sequence[str]]) -> None:
    """Refuse names that TOML cannot say."""
    for name in chain.from_iterable(found.values()):
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{folder / name}: its name is not Unicode; rename it") from error


def _is_points(file: Path) -> bool:
    return file.stem == "points" and file.suffix.lower() in POINT_SUFFIXES


def _paths(leaf: Leaf, value: Any) -> Iterable[Path]:
    if leaf.kind is not Path or value is None:
        return ()
    return value if leaf.many else (value,)


def _entry(leaf: Leaf, found: Sequence[str]) -> str:
    """Return a setting of the template; one that has no value yet is a comment."""
    comment = textwrap.fill(
        leaf.about.help, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    key = leaf.field if leaf.many else leaf.key
    if leaf.many:
        line = f"{key} = {as_toml(list(found))}"
    elif found or leaf.default is not None:
        line = f"{key} = {as_toml(found[0] if found else leaf.default)}"
    else:
        line = f"# {key} = {as_toml(1 if leaf.kind is int else '')}"
    return f"{comment}\n{line}\n"
