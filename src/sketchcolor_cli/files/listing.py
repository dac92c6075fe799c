"""The pictures of a folder by their place in it, and matching two sets by place."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from sketchcolor_cli.errors import WorklistError
from sketchcolor_cli.files.folders import Found
from sketchcolor_cli.files.worklist import find_pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

T = TypeVar("T")


def list_pictures(given: Path) -> dict[PurePath, Path]:
    """Return the pictures of a folder and its subfolders in natural order, each by its place in the folder.

    A place is the path below the folder, with its ending. A file that is given itself is at its name.

    Raises:
        WorklistError: There is no such file or folder, it cannot be looked into, or it holds no pictures.
    """
    found = Found()
    try:
        pictures = find_pictures(given, given, found, books=False, apart=False)
        listed: dict[PurePath, Path] = {place: source for source, place in pictures}
    except OSError as error:
        raise WorklistError(f"{given}: cannot be opened ({error.strerror}); check it") from error
    for folder, why in found.unreadable:
        raise WorklistError(f"{folder}: cannot be opened ({why}); check its permissions")
    return listed


def match_by_place(places: Iterable[PurePath], others: Mapping[PurePath, T]) -> dict[PurePath, T]:
    """Return for each place what lies at the same place in the other set, whatever the ending.

    Places without a partner are left out. Of several partners, such as ``a.png`` and ``a.jpg``, the first one
    counts.
    """
    known: dict[PurePath, T] = {}
    for place, what in others.items():
        known.setdefault(without_ending(place), what)
    return {place: known[key] for place in places if (key := without_ending(place)) in known}


def without_ending(place: PurePath) -> PurePath:
    """Return a place without the ending of its name."""
    return place.with_suffix("") if place.name else PurePath(place)
