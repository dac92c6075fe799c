"""A set of pictures that are files, or pages of books, of folders with all their subfolders."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import cv2

from sketchcolor_cli.data.pictures import PictureSet, to_bytes
from sketchcolor_cli.errors import BookError, DataError, ImageError, WorklistError
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.folders import Found, natural_key, real
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.files.tiff import count_pages
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX, TIFF_SUFFIXES, find_pictures, require
from sketchcolor_cli.imaging.picture import on_paper
from sketchcolor_cli.imaging.reading import read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.files.books.book import Entry
    from sketchcolor_cli.imaging.picture import Picture


@dataclass(frozen=True)
class PictureFile:
    """A picture that is a file, or a page of a book.

    Attributes:
        path: Where it is, as the user knows it: a file, or a book's file and in it a page.
        book: The file of the book that it is a page of.
        page: The place of the page's entry in the book, from 0.
        problem: Why it cannot be read, where that is known.
    """

    path: Path
    book: Path | None = None
    page: int = 0
    problem: str = ""

    def read(self) -> Picture:
        """Return the picture.

        Raises:
            ImageError: It cannot be read.
        """
        if self.problem:
            raise ImageError(self.problem)
        if self.book is None:
            return read_picture(self.path)
        with tempfile.TemporaryDirectory() as folder:  # pictures are read from files
            copy = Path(folder) / f"page{self.path.suffix}"
            copy.write_bytes(self.content())
            return read_picture(copy, self.path)

    def content(self) -> bytes:
        """Return the bytes of the file or the page.

        Raises:
            ImageError: They cannot be read.
        """
        if self.problem:
            raise ImageError(self.problem)
        try:
            if self.book is None:
                if (why := refusal(self.path)) is not None:
                    raise ImageError(f"{self.path}: {why}")
                return self.path.read_bytes()
            # Opened each time: processes that share an open file would read in each other's places.
            with open_book(self.book) as book:
                return b"".join(book.chunks(next(filter(self._is, book.pages))))
        except (BookError, StopIteration) as error:
            raise ImageError(str(error) or f"{self.path}: is not there any more") from error
        except OSError as error:
            raise ImageError(
                f"{self.path}: cannot be read ({error.strerror}); check its permissions"
            ) from error

    def _is(self, page: Entry) -> bool:
        """Whether it is this page of its book; entries may share a name."""
        return page.place == self.page and Path(self.book or "", page.name) == self.path


@dataclass(frozen=True)
class Listing:
    """What files and folders hold.

    Attributes:
        files: The pictures by their place below what was named: ``story/page 1.png``, ``book.cbz/001.png``.
        left_out: How many files of each ending, in lower case, are not read; texts do not count.
    """

    files: dict[str, PictureFile]
    left_out: dict[str, int] = field(default_factory=dict)


class FolderSet(PictureSet):
    """Picture files; transparency is on white paper, and each subfolder, or book, is a group.

    Attributes:
        keys: The place of each file below the folder that was named: ``story/page 1.png``.
        files: The files.
    """

    def __init__(
        self, files: Mapping[str, PictureFile], lines: Mapping[str, PictureFile] | None = None
    ) -> None:
        """Take files by place, and line drawings by the place of their picture, for some or all."""
        self.keys = list(files)
        self.files = list(files.values())
        self.lines = [(lines or {}).get(key) for key in self.keys]

    def place(self, index: int) -> str:
        """See :class:`PictureSet`."""
        return str(self.files[index].path)

    def color(self, index: int) -> NDArray[np.uint8]:
        """See :class:`PictureSet`."""
        return to_bytes(on_paper(self.files[index].read()))

    def line(self, index: int) -> NDArray[np.uint8] | None:
        """See :class:`PictureSet`; coloured lines are taken by their brightness."""
        file = self.lines[index]
        if file is None:
            return None
        gray: NDArray[np.uint8] = cv2.cvtColor(to_bytes(on_paper(file.read())), cv2.COLOR_RGB2GRAY)
        return gray

    def has_line(self, index: int) -> bool:
        """See :class:`PictureSet`."""
        return self.lines[index] is not None

    def about(self, index: int) -> Mapping[str, Any]:
        """See :class:`PictureSet`."""
        folder = PurePosixPath(self.keys[index]).parent.as_posix()
        return {} if folder == "." else {"group": folder}

    def contents(self, index: int) -> Iterator[bytes]:
        """See :class:`PictureSet`."""
        line = self.lines[index]
        yield self.files[index].content()
        if line is not None:
            yield line.content()


def open_folder(inputs: Sequence[Path], *, lines: Path | None = None, apart: Path | None = None) -> FolderSet:
    """Return the pictures of files and folders.

    Args:
        inputs: Files, and folders with all their subfolders.
        lines: A folder with a line drawing of the same place, without ending, for each picture.
        apart: A folder that does not count, such as that of the results.

    Raises:
        DataError: A picture has no line drawing.
        WorklistError: There is no such file or folder, or no picture.
    """
    files = list_files(inputs, apart).files
    return FolderSet(files, match_lines(files, lines, apart) if lines else None)


def list_files(inputs: Sequence[Path], apart: Path | None = None) -> Listing:
    """Return the pictures of files and folders, pages of books included, by their place in what was named.

    A book or folder that cannot be looked into is there as one picture that cannot be read.

    Raises:
        WorklistError: There is no such file or folder, or no picture.
    """
    require(inputs)
    found, places = Found(), _Places()
    known: set[Path] = set()
    several = sum(os.path.isdir(path) for path in inputs) > 1  # noqa: PTH112 - is_dir() raises for long names
    for given in inputs:
        try:
            for source, place in find_pictures(given, apart or given, found, books=True, apart=several):
                if source.suffix.lower() == ".tar" and given.is_dir():  # a shard, not a book
                    found.left_out[".tar"] = found.left_out.get(".tar", 0) + 1
                    continue
                location = real(source.parent) / source.name
                if location not in known:  # a file may be reached twice
                    known.add(location)
                    for inner, file in _pictures_of(source):
                        places.add((place / inner).as_posix(), file)
        except OSError as error:
            raise WorklistError(f"{given}: cannot be opened ({error.strerror}); check it") from error
    for folder, why in found.unreadable:
        problem = f"{folder}: cannot be opened ({why}); check its permissions"
        places.add(folder.name, PictureFile(folder, problem=problem))
    return Listing(places.files, dict(sorted(found.left_out.items())))


def match_lines(
    files: Mapping[str, PictureFile], folder: Path, apart: Path | None = None, *, what: str = "sketch"
) -> dict[str, PictureFile]:
    """Return for each picture the file of the same place in another folder, its line drawing as a rule.

    Raises:
        DataError: A picture has none.
    """
    drawn = {without_ending(place): file for place, file in list_files([folder], apart).files.items()}
    missing = [place for place in files if without_ending(place) not in drawn]
    if missing:
        raise DataError(
            f"{folder}: no {what} of {missing[0]} ({len(missing)} of {len(files)} pictures have none)"
        )
    return {place: drawn[without_ending(place)] for place in files}


def without_ending(place: str) -> str:
    """Return a place without the ending of the file: ``story/page 1``."""
    return PurePosixPath(place).with_suffix("").as_posix()


def _pictures_of(source: Path) -> Iterator[tuple[str, PictureFile]]:
    """Give a file, or the pages of a book, each with its place in it; books within it cannot be read."""
    if not _is_book(source):
        yield "", PictureFile(source)
        return
    try:
        with open_book(source) as book:
            pages = sorted(book.pages, key=lambda page: natural_key(page.name))
            inner = book.inner_books
    except (BookError, OSError) as error:
        yield "", PictureFile(source, problem=str(error))
        return
    if not pages and not inner:
        yield "", PictureFile(source, problem=f"{source}: has no pages")
    for name in inner:
        place = source / name
        yield (
            name,
            PictureFile(place, problem=f"{place}: is a book within a book; unpack it to have its pages"),
        )
    for page in pages:
        yield page.name, PictureFile(source / page.name, source, page.place)


def _is_book(path: Path) -> bool:
    ending = path.suffix.lower()
    try:
        if ending in TIFF_SUFFIXES:
            return refusal(path) is None and count_pages(path) > 1
    except OSError:
        return False  # told when it is read
    return ending in BOOK_OF_SUFFIX


class _Places:
    """Files by place; where several have one place, as in folders of one name, the others get a number."""

    def __init__(self) -> None:
        self.files: dict[str, PictureFile] = {}
        self._last: dict[str, int] = {}  # the number given last, as a book may have thousands of one name

    def add(self, place: str, file: PictureFile) -> None:
        """Add a file."""
        path, free, number = PurePosixPath(place), place, self._last.get(place, 1)
        while free in self.files:
            number += 1
            free = path.with_name(f"{path.stem}-{number}{path.suffix}").as_posix()
        self._last[place] = number
        self.files[free] = file
