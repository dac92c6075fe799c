"""CBZ, ZIP and EPUB."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import DAMAGE, Book, Entry, is_picture
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.files.books.settings import BookLimits

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_UTF8 = 0x800  # the flag that says a name is written so
_LOCKED = 0x1


class ZipBook(Book):
    """A CBZ, ZIP or EPUB file."""

    damage = (*DAMAGE, zipfile.BadZipFile, RuntimeError)

    def __init__(self, path: Path, limits: BookLimits, *, is_epub: bool = False) -> None:
        """Read the list of entries.

        Args:
            path: The file.
            limits: What it may ask of us.
            is_epub: Whether its texts name its pictures, so that none may get another name.

        Raises:
            BookError: the file is damaged, encrypted, packed by a rare method, or refused for its limits.
        """
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise BookError(f"{path}: is damaged or cut short ({error}); get it again") from error
        try:
            self._infos = self._zip.infolist()
            entries = [_entry(place, info) for place, info in enumerate(self._infos)]
            if is_epub:
                entries = [replace(one, is_page=one.is_page and _keeps_its_name(one.name)) for one in entries]
            super().__init__(path, entries, limits)
            self._refuse_what_cannot_be_unpacked()
        except BaseException:
            self._zip.close()
            raise

    def _refuse_what_cannot_be_unpacked(self) -> None:
        for one in self.entries:
            info = self._infos[one.place]
            if info.flag_bits & _LOCKED:
                raise BookError(f"{self.path}: is encrypted; unpack it with its password and give the folder")
            if info.compress_type not in _METHODS:
                raise BookError(
                    f"{self.path}: {one.name} is packed by method {info.compress_type}, which few programs "
                    "know; pack it again as an ordinary ZIP"
                )

    def open(self, entry: Entry) -> BinaryIO:
        """Return the content of an entry."""
        return cast("BinaryIO", self._zip.open(self._infos[entry.place]))

    def info(self, entry: Entry) -> zipfile.ZipInfo:
        """Return what the archive says about an entry."""
        return self._infos[entry.place]

    @property
    def comment(self) -> bytes:
        """The archive's comment."""
        return self._zip.comment

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


def _entry(place: int, info: zipfile.ZipInfo) -> Entry:
    name = _name(info)
    return Entry(
        place,
        name,
        info.file_size,
        is_page=is_picture(name) and not info.is_dir(),
        is_folder=info.is_dir(),
        date=info.date_time,
        packed=info.compress_type != zipfile.ZIP_STORED,
    )


def _name(info: zipfile.ZipInfo) -> str:
    """Decode a name. Without the flag, Python takes it for cp437, but packers wrote what their system had."""
    name = info.orig_filename.partition("\0")[0]
    if not info.flag_bits & _UTF8 and not name.isascii():
        raw = name.encode("cp437")
        # Single accents within plain letters are Western; Japanese has runs of bytes above ASCII.
        western = re.fullmatch(r"([\x00-\x7f]|(?<![^\x00-\x7f])[A-Za-zÀ-ÿ](?![^\x00-\x7f]))*", name)
        for encoding in ("utf-8",) if western else ("utf-8", "cp932"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _keeps_its_name(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in FORMAT_OF_SUFFIX


def packed_info(entry: Entry, name: str, original: zipfile.ZipInfo | None) -> zipfile.ZipInfo:
    """Return the header under which an entry is written: the original's date, rights, comment and packing."""
    date = max(entry.date, (1980, 0, 0, 0, 0, 0))
    info = zipfile.ZipInfo(name + ("/" if entry.is_folder and not name.endswith("/") else ""), date)
    # Not the machine's system, so that the same book gives the same file everywhere.
    info.create_system = 3
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED if entry.packed else zipfile.ZIP_STORED
    if original is not None:
        info.create_system = original.create_system
        info.external_attr = original.external_attr
        info.internal_attr = original.internal_attr
        info.comment = original.comment
        info.compress_type = original.compress_type
    return info
