"""What all kinds of books have in common: entries in order, some of them pages, each read as a stream.

Nothing of a book is ever unpacked under a name that the book chooses.
"""

from __future__ import annotations

import re
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Self

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.folders import LITTER_FILES, LITTER_FOLDERS
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX, IMAGE_SUFFIXES, natural_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sketchcolor_cli.files.books.settings import BookLimits

_INNER = frozenset({*BOOK_OF_SUFFIX, ".cb7", ".7z"})
_CHUNK = 2**20
# What unpackers raise for damaged data, each its own.
DAMAGE: tuple[type[Exception], ...] = (zlib.error, LZMAError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Entry:
    """One entry of a book.

    Attributes:
        place: Its number in the book's own order, from 0.
        name: Its name with folders, separated by "/".
        size: Bytes, unpacked; for pages of a PDF, which have none until they are rendered, 0.
        is_page: Whether it is a picture to work on.
        is_folder: Whether it is a folder, which has no content.
        date: Year, month, day, hour, minute, second of its last change, local time.
        packed: Whether it is compressed.
        raw: Its name as the archive has it, where that is in an encoding of its packer's; else empty.
    """

    place: int
    name: str
    size: int
    is_page: bool = False
    is_folder: bool = False
    date: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0)
    packed: bool = False
    raw: bytes = b""


class Book(ABC):
    """An open book.

    Attributes:
        path: The file.
        entries: All that is in it, in its own order, without what systems leave behind.
    """

    damage: tuple[type[Exception], ...] = DAMAGE

    def __init__(self, path: Path, entries: Sequence[Entry], limits: BookLimits) -> None:
        self.path = path
        self._limits = limits
        _check(path, entries, limits)
        kept = [entry for entry in entries if not _is_litter(entry.name)]
        self.entries = tuple(
            replace(entry, is_page=entry.is_page and _is_visible(entry.name)) for entry in kept
        )

    @property
    def pages(self) -> list[Entry]:
        """The pages in natural order: page2 before page10, one folder after the other."""
        return sorted(
            (entry for entry in self.entries if entry.is_page), key=lambda entry: _reading_key(entry.name)
        )

    @property
    def inner_books(self) -> list[str]:
        """The names of books within the book, which are not opened."""
        names = [entry.name for entry in self.entries if not entry.is_folder and _is_visible(entry.name)]
        return [name for name in names if PurePosixPath(name).suffix.lower() in _INNER]

    @abstractmethod
    def open(self, entry: Entry) -> BinaryIO:
        """Return the content of an entry as a stream; of a page, a picture file. Any thread may call it."""

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Give the content piece by piece.

        Raises:
            BookError: the content is damaged from here on, or larger than the book said.
        """
        size = entry.size or self._limits.page_bytes
        try:
            with self.open(entry) as stream:
                while piece := stream.read(_CHUNK):
                    size -= len(piece)
                    if size < 0:
                        raise BookError(
                            f"{self.path / entry.name}: is larger than the book says; get it again"
                        )
                    yield piece
        except self.damage as error:
            raise BookError(
                f"{self.path / entry.name}: cannot be unpacked ({_reason(error)}); get the book again"
            ) from error

    def readable_chunks(self, entry: Entry) -> Iterator[bytes]:
        """Give the content piece by piece, as far as it can be read: what is left of a damaged entry."""
        try:
            yield from self.chunks(entry)
        except BookError:
            return

    def cancel(self) -> None:  # noqa: B027 - only a PDF takes long
        """End what is being read, from any thread; whoever waits for it gets a BookError."""

    def close(self) -> None:  # noqa: B027 - a PDF holds nothing open
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encrypted(path: Path) -> BookError:
    """Return the error of an archive that asks for a password."""
    return BookError(f"{path}: is encrypted; unpack it with its password and give the folder")


def is_picture(name: str) -> bool:
    """Whether an entry's name ends like that of a picture."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def _check(path: Path, entries: Sequence[Entry], limits: BookLimits) -> None:
    """Refuse what no honest book asks for, before anything is unpacked."""
    if len(entries) > limits.entries:
        raise BookError(f"{path}: has {len(entries)} entries, more than {limits.entries}; it is not a comic")
    for entry in entries:
        if entry.name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", entry.name):
            raise BookError(
                f"{path}: holds the absolute path {entry.name}, which leads out of it; get another copy"
            )
        if ".." in re.split(r"[/\\]", entry.name):
            raise BookError(f"{path}: holds the name {entry.name}, which leads out of it; get another copy")
        if entry.size < 0:
            raise BookError(
                f"{path}: {entry.name} claims {entry.size} bytes; the book is damaged, get it again"
            )
        if entry.is_page and entry.size > limits.page_bytes:
            raise BookError(
                f"{path}: {entry.name} claims {_gib(entry.size)}, more than any page needs; get another copy"
            )
    unpacked = sum(entry.size for entry in entries)
    if unpacked > max(limits.unpacked_bytes, limits.ratio * path.stat().st_size):
        raise BookError(
            f"{path}: would unpack to {_gib(unpacked)}, over {limits.ratio} times its size; it looks like a "
            "decompression bomb; unpack it yourself if it is not"
        )


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _reading_key(name: str) -> list[tuple[list[str | int], str]]:
    return [natural_key(part) for part in name.split("/")]


def _is_litter(name: str) -> bool:
    *folders, last = name.rstrip("/").split("/")
    return bool(LITTER_FOLDERS.intersection([*folders, last])) or last.lower() in LITTER_FILES


def _is_visible(name: str) -> bool:
    return not any(part.startswith(".") for part in name.split("/") if part != ".")
