"""CBZ, ZIP and EPUB."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import DAMAGE, Book, Entry, encrypted, is_picture
from sketchcolor_cli.files.books.names import decoded
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sketchcolor_cli.files.books.settings import BookLimits

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
_UTF8 = 0x800  # the flag that says a name is written so
_LOCKED = 0x1
_ENCRYPTION, _MOST_ENCRYPTION = "META-INF/encryption.xml", 2**24
_CIPHER = re.compile(r"""CipherReference\s+URI\s*=\s*["']([^"']+)""")
_FIRST_DATE, _LAST_DATE = (1980, 0, 0, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # that a ZIP can say
_UNICODE_PATH = 0x7075  # the extra field in which Info-ZIP says a name in UTF-8 beside the one of its system


class ZipBook(Book):
    """A CBZ, ZIP or EPUB file."""

    damage = (*DAMAGE, zipfile.BadZipFile, RuntimeError)

    def __init__(
        self, path: Path, limits: BookLimits, *, is_epub: bool = False, names: str | None = None
    ) -> None:
        """Read the list of entries.

        Args:
            path: The file.
            limits: What it may ask of us.
            is_epub: Whether its texts name its pictures, so that none may get another name.
            names: Encoding of names that do not say that they are UTF-8; None guesses it.

        Raises:
            BookError: the file is damaged, encrypted, packed by a rare method, or refused for its limits.
        """
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise BookError(f"{path}: is damaged or cut short ({error}); get it again") from error
        try:
            self._infos = self._zip.infolist()
            texts = _names(self._infos, names)
            entries = [_entry(place, info, *texts[place]) for place, info in enumerate(self._infos)]
            if is_epub:
                entries = [
                    replace(entry, is_page=entry.is_page and _keeps_its_name(entry.name)) for entry in entries
                ]
            super().__init__(path, entries, limits)
            self._refuse_what_cannot_be_unpacked()
            if is_epub:
                self._refuse_protected()
        except BaseException:
            self._zip.close()
            raise

    def _refuse_what_cannot_be_unpacked(self) -> None:
        for entry in self.entries:
            info = self._infos[entry.place]
            if info.flag_bits & _LOCKED:
                raise encrypted(self.path)
            if info.compress_type not in _METHODS:
                raise BookError(
                    f"{self.path}: {entry.name} is packed by method {info.compress_type}, which few programs "
                    "know; pack it again as an ordinary ZIP"
                )

    def _refuse_protected(self) -> None:
        """Refuse an EPUB whose pictures are encrypted for a shop's own reader; fonts do not matter.

        Source: EPUB Open Container Format 3.3, encryption.xml.
        """
        encryption = next((entry for entry in self.entries if entry.name == _ENCRYPTION), None)
        if encryption is None or encryption.size > _MOST_ENCRYPTION:
            return
        text = b"".join(self.readable_chunks(encryption)).decode("utf-8", "replace")
        locked = {unquote(uri) for uri in _CIPHER.findall(text)}
        if any(page.name in locked for page in self.pages):
            raise BookError(
                f"{self.path}: its pictures are protected (DRM), so that only the shop's own reader can show "
                "them; get a copy without protection"
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


def _entry(place: int, info: zipfile.ZipInfo, name: str, raw: bytes) -> Entry:
    return Entry(
        place,
        name,
        info.file_size,
        is_page=is_picture(name) and not info.is_dir(),
        is_folder=info.filename.endswith("/"),  # unlike is_dir(), of an empty name too
        date=info.date_time,
        packed=info.compress_type != zipfile.ZIP_STORED,
        raw=raw,
    )


def _names(infos: Sequence[zipfile.ZipInfo], encoding: str | None) -> list[tuple[str, bytes]]:
    """Return each name as text, and its bytes where they are in the encoding of the packer's system."""
    # Python takes names without the flag for cp437, in which every byte is a character.
    raw = {
        place: _original(info).encode("cp437")
        for place, info in enumerate(infos)
        if not info.flag_bits & _UTF8 and not _original(info).isascii()
    }
    unicode = {place: text for place in raw if (text := _unicode_path(infos[place], raw[place]))}
    unnamed = [place for place in raw if place not in unicode]
    unicode |= zip(unnamed, decoded([raw[place] for place in unnamed], encoding), strict=True)
    return [
        (unicode.get(place, _original(info)).replace("\\", "/"), raw.get(place, b""))
        for place, info in enumerate(infos)
    ]


def _original(info: zipfile.ZipInfo) -> str:
    return info.orig_filename.partition("\0")[0]


def _unicode_path(info: zipfile.ZipInfo, raw: bytes) -> str:
    """Return the name that an extra field says, if it is meant for this one; else nothing (APPNOTE 4.6.9)."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(field) > 5 and field[1:5] == struct.pack("<I", zlib.crc32(raw)):
            return field[5:].decode("utf-8", "replace")
    return ""


def _keeps_its_name(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in FORMAT_OF_SUFFIX


class _RawInfo(zipfile.ZipInfo):
    """A header whose name is written byte for byte as it was; Python's own would write it as UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's name
        return self.raw, self.flag_bits & ~_UTF8  # which Python 3.14 sets before it asks


def packed_info(
    entry: Entry, name: str, raw: bytes = b"", original: zipfile.ZipInfo | None = None
) -> zipfile.ZipInfo:
    """Return the header under which an entry is written: the original's date, rights, comment and packing.

    ``raw`` is the name in bytes where it is to be written so, without saying in which encoding.
    """
    date = min(max(entry.date, _FIRST_DATE), _LAST_DATE)
    slash = "/" if entry.is_folder and not name.endswith("/") else ""
    info = _RawInfo(name + slash, date) if raw else zipfile.ZipInfo(name + slash, date)
    if isinstance(info, _RawInfo):
        info.raw = raw
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
