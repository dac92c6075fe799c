"""CBR and RAR: read with the help of a program that unpacks them; no free program writes them."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, cast

import rarfile

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import DAMAGE, Book, Entry, encrypted, is_picture

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.files.books.settings import BookLimits

_PROGRAMS = ("unrar", "unar", "sevenzip", "sevenzip2", "bsdtar")  # as rarfile calls them


class RarBook(Book):
    """A CBR or RAR file. Entries that are only stored need no program."""

    damage = (*DAMAGE, rarfile.Error)

    def __init__(self, path: Path, limits: BookLimits) -> None:
        """Read the list of entries.

        Raises:
            BookError: the file is damaged, encrypted, needs a program that is not there, or is refused for
                its limits.
        """
        try:
            self._rar = rarfile.RarFile(path)
            self._infos = [info for info in self._rar.infolist() if info.is_file() or info.is_dir()]
        except (rarfile.Error, EOFError, ValueError) as error:
            raise BookError(f"{path}: is damaged or cut short ({error}); get it again") from error
        try:
            super().__init__(path, [_entry(*numbered) for numbered in enumerate(self._infos)], limits)
            self._refuse_what_cannot_be_unpacked()
        except BaseException:
            self._rar.close()
            raise
        self._lock = threading.Lock()

    def open(self, entry: Entry) -> BinaryIO:
        """Return the content of an entry."""
        with self._lock:
            return BytesIO(self._rar.read(self._infos[entry.place]))

    def close(self) -> None:
        """Let go of the file."""
        self._rar.close()

    def _refuse_what_cannot_be_unpacked(self) -> None:
        if self._rar.needs_password() or any(info.needs_password() for info in self._infos):
            raise encrypted(self.path)
        packed = [entry for entry in self.entries if entry.packed and not entry.is_folder]
        if packed:
            least = min(packed, key=lambda info: info.size)
            _choose_program(self._rar, self._infos[least.place], self.path)


def unpacker() -> str | None:
    """Return the name of a program that unpacks RAR, as rarfile calls it; None if none is installed."""
    for program in _PROGRAMS:
        try:
            rarfile.tool_setup(**{name: name == program for name in _PROGRAMS}, force=True)
        except rarfile.Error:
            continue
        return program
    return None


def _choose_program(rar: rarfile.RarFile, entry: rarfile.RarInfo, path: Path) -> None:
    """Find a program that unpacks this entry: a 7z without its part for RAR is there and is of no use."""
    why = "no program that unpacks RAR is installed"
    for program in _PROGRAMS:
        try:
            rarfile.tool_setup(**{name: name == program for name in _PROGRAMS}, force=True)
            why = "cannot be unpacked by the programs that are installed, or is damaged"
            rar.read(entry)
        except (rarfile.Error, *DAMAGE):
            continue
        return
    raise BookError(f"{path}: {why}; install unar or unrar, or save the book as CBZ")


def _entry(place: int, info: rarfile.RarInfo) -> Entry:
    name = str(info.filename)
    date = cast("tuple[int, int, int, int, int, int]", tuple(info.date_time or (1980, 1, 1, 0, 0, 0))[:6])
    return Entry(
        place,
        name,
        int(info.file_size or 0),
        is_page=is_picture(name) and info.is_file(),
        is_folder=info.is_dir(),
        date=date,
        packed=info.compress_type != rarfile.RAR_M0,
    )
