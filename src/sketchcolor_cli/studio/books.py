"""The books that a project's pages were taken out of, and how they are bound again.

The original is kept beside the pages, so that what is exported is that book with coloured pages: with its
names, its order, ``ComicInfo.xml`` and all else that is in it.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.atomic import atomic_write, write_bytes
from sketchcolor_cli.files.books.binding import bind
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX, IMAGE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketchcolor_cli.files.books.book import Book, Entry

_NOTE = Path(".sketchcolor/books.json")
_ORIGINALS = Path(".sketchcolor/originals")
_ARCHIVES = frozenset({".cbz", ".zip", ".cbt", ".tar"})  # what a CBZ can be made of, with all that is in it
_LOSSY = frozenset({".jpg", ".jpeg"})


class Original(NamedTuple):
    """A book that pages were taken out of.

    Attributes:
        name: As the user called it.
        path: The copy that is kept.
        pages: The place of its entry, by the name of each page from the project's folder on.
    """

    name: str
    path: Path
    pages: Mapping[str, int]

    @property
    def ending(self) -> str:
        """The ending of the book that it becomes."""
        return BOOK_OF_SUFFIX[self.path.suffix.lower()]

    @property
    def is_archive(self) -> bool:
        """Whether a CBZ can hold all that is in it."""
        return self.ending in _ARCHIVES


def unpack_book(book: Path, folder: Path, project: Path, name: str) -> list[Path]:
    """Take the pages of a book out into a folder of a project, as 0001.png and so on, and keep the book.

    Raises:
        BookError: It cannot be read, or has no pages.
    """
    done: dict[Path, int] = {}
    with open_book(book) as opened:
        for number, entry in enumerate(opened.pages, start=1):
            suffix = PurePosixPath(entry.name).suffix.lower()
            target = folder / f"{number:04d}{suffix if suffix in IMAGE_SUFFIXES else '.png'}"
            _take_out(opened, entry, target)
            done[target] = entry.place
    if not done:
        raise BookError(f"{book.name}: has no pages")
    _keep(book, project, name, {path.relative_to(project).as_posix(): at for path, at in done.items()})
    return list(done)


def originals(project: Path) -> list[Original]:
    """Return the books that a project's pages were taken out of, as far as they are still kept."""
    try:
        noted = json.loads((project / _NOTE).read_bytes())
        found = [
            Original(entry["name"], project / _ORIGINALS / entry["file"], entry["pages"]) for entry in noted
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [original for original in found if original.path.is_file()]


def bind_again(original: Original, target: Path, pages: Mapping[str, Path], kind: str, quality: int) -> None:
    """Write a book with other pictures for its pages.

    Args:
        original: The book.
        target: Its ending is that of the original's book, or .cbz for an archive.
        pages: The new picture of each page, by its name; pages that are missing stay as they are.
        kind: The format that was asked for, or keep.
        quality: Of JPEG.

    Raises:
        BookError: It cannot be written, or the original cannot be read.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_book(original.path) as book, TemporaryDirectory(dir=target.parent, prefix=".") as drafts:
        entries = {entry.place: entry for entry in book.entries}
        pictures: dict[int, Path] = {}
        for name, place in original.pages.items():
            draft, picture = Path(drafts) / str(place), pages.get(name)
            if picture is None and target.suffix == ".pdf":  # which can only be written with all its pages
                picture = draft.with_suffix(".png")
                _take_out(book, entries[place], picture)
            if picture is not None:
                ending = _ending(entries[place], picture, target.suffix, kind)
                pictures[place] = _with_ending(picture, draft.with_suffix(ending), quality)
        bind(book, target, pictures)


def _ending(entry: Entry, picture: Path, book: str, kind: str) -> str:
    """Return the ending of a page's picture in a book, as ``colorize`` chooses it."""
    if book == ".epub":
        return PurePosixPath(entry.name).suffix  # its texts call it so
    if book == ".pdf":
        return ".png" if kind == "png" else ".jpg"
    return picture.suffix


def _with_ending(picture: Path, draft: Path, quality: int) -> Path:
    """Return a picture in the format of the draft's ending: itself, or the draft, which is written."""
    now, wanted = picture.suffix.lower(), draft.suffix.lower()
    if now == wanted or {now, wanted} <= _LOSSY:
        return picture
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.settings import Saving
    from sketchcolor_cli.imaging.writing import write_picture

    write_picture(draft, read_picture(picture), Saving(quality=quality))
    return draft


def _take_out(book: Book, entry: Entry, target: Path) -> None:
    with atomic_write(target, BookError) as draft, draft.open("wb") as out:
        for piece in book.chunks(entry):
            out.write(piece)


def _keep(book: Path, project: Path, name: str, pages: Mapping[str, int]) -> None:
    kept = project / _ORIGINALS / f"{os.urandom(8).hex()}{book.suffix.lower()}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            os.link(book, kept)
        except OSError:  # a file system without links, or another one
            shutil.copyfile(book, kept)
        known: list[object] = []
        with suppress(OSError, ValueError):
            known = json.loads((project / _NOTE).read_bytes())
        noted = [*known, {"name": name, "file": kept.name, "pages": dict(pages)}]
        write_bytes(project / _NOTE, json.dumps(noted, indent=1).encode(), BookError)
    except OSError as error:
        raise BookError(f"{name}: cannot be kept ({error.strerror}); free some space") from error
