"""Searching folders for files in natural order: each once, what systems leave behind passed over."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERIES = "series.toml"
"""The profile of a series, which stands beside its pages."""
SERIES_GUIDES = frozenset({"rough", "reference", "references", "hints", "masks", "sheets"})
"""Folders beside such a profile that hold no pages but what helps to colour them."""
PALETTE_SUFFIXES = frozenset({".txt", ".hex", ".css", ".gpl", ".kpl", ".pal", ".ase", ".aco"})
"""Endings of the palettes that are read, in lower case."""
POINT_SUFFIXES = frozenset({".json", ".toml"})
"""Endings of the files of colour points, in lower case."""

LITTER_FOLDERS = frozenset({"__MACOSX", "@eaDir"})
"""Folders that unpacking on a Mac and Synology servers leave behind; in them nothing is a picture."""
LITTER_FILES = frozenset({"thumbs.db", ".ds_store", "desktop.ini"})
"""Files that systems leave behind, in lower case."""
_DIGITS = 1000  # of a number in a name that count; Python refuses to read 4301
# What stands beside pages and was never meant to be one: texts, and what helps to colour.
_BESIDE = frozenset(
    {".txt", ".md", ".json", ".toml", ".xml", ".csv", ".nfo", ".log", ".url", ".html", ".htm", ".ini"}
    | {".yaml", ".yml", ".opf", ".sfv", ".md5", ".py", ".sh", ".safetensors"}
    | PALETTE_SUFFIXES
)


@dataclass
class Found:
    """What a search came across besides the files that it was for.

    Attributes:
        left_out: How many files there are of each ending that is not read; "" for none.
        unreadable: Folders that cannot be looked into, each with the system's reason.
    """

    left_out: dict[str, int] = field(default_factory=dict)
    unreadable: list[tuple[Path, str]] = field(default_factory=list)


def counted(left_out: Mapping[str, int]) -> str:
    """Return how many files of each ending there are, as words: ``3 .psd, 1 without ending``."""
    return ", ".join(f"{count} {ending or 'without ending'}" for ending, count in left_out.items())


def files_in(folder: Path, output: Path, wanted: frozenset[str], found: Found) -> Iterator[Path]:
    """Give the files with these endings, the output folder passed over; what else there is, is noted."""
    visited = {real(output)} - {real(folder)}
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if not _is_folder(path):
            if path.suffix.lower() in wanted:
                yield path
            else:
                _leave_out(path, found)
        elif (place := real(path)) not in visited:
            visited.add(place)
            try:
                waiting += _children(path)
            except OSError as error:
                found.unreadable.append((path, error.strerror or str(error)))


def real(path: Path) -> Path:
    """Return where a path leads; unlike Path.resolve(), of a link that leads to itself too."""
    return Path(os.path.realpath(path))


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sort key under which numbers in names count as numbers: page2 comes before page10.

    Case makes no difference, unless nothing else does.
    """
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece[:_DIGITS]) if piece.isdecimal() else piece for piece in pieces], name


def _children(folder: Path) -> list[Path]:
    children = [child for child in folder.iterdir() if not _is_litter(child.name)]
    if any(child.name == SERIES for child in children):
        children = [child for child in children if child.name not in SERIES_GUIDES]
    return sorted(children, key=lambda child: natural_key(child.name), reverse=True)


def _leave_out(path: Path, found: Found) -> None:
    ending = PurePath(path.name).suffix.lower()
    if ending not in _BESIDE and not path.is_symlink() and path.is_file():
        found.left_out[ending] = found.left_out.get(ending, 0) + 1


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() raises for links that lead to themselves


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name in LITTER_FOLDERS or name.lower() in LITTER_FILES
