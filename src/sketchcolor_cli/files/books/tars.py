"""CBT and TAR."""

from __future__ import annotations

import os
import tarfile
import threading
import time
from dataclasses import replace
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, cast

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import DAMAGE, Book, Entry, is_picture
from sketchcolor_cli.files.books.names import decoded

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from sketchcolor_cli.files.books.settings import BookLimits


class TarBook(Book):
    """A CBT or TAR file, not compressed as a whole."""

    damage = (*DAMAGE, tarfile.TarError)

    def __init__(self, path: Path, limits: BookLimits, names: str | None = None) -> None:
        """Read the list of entries.

        Args:
            path: The file.
            limits: What it may ask of us.
            names: Encoding of names that are not UTF-8; None guesses it.

        Raises:
            BookError: the file is damaged, compressed as a whole, or refused for its limits.
        """
        try:
            self._tar = tarfile.open(path, "r:", encoding="utf-8")  # noqa: SIM115 - closed by close()
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise BookError(
                f"{path}: is not a TAR file, or compressed as a whole; unpack it and give the folder"
            ) from error
        try:
            self._members = self._tar.getmembers()
            entries = [_entry(*numbered) for numbered in enumerate(self._members)]
            super().__init__(path, _with_names(entries, names), limits)
        except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
            self._tar.close()
            raise BookError(f"{path}: is damaged or cut short ({error}); get it again") from error
        except BaseException:
            self._tar.close()
            raise
        self._lock = threading.Lock()

    def open(self, entry: Entry) -> BinaryIO:
        """Return the content of an entry."""
        member = self._members[entry.place]
        stream = self._tar.extractfile(member) if holds_content(member) else None
        if stream is None:
            raise ValueError("is not a regular file")
        return cast("BinaryIO", BufferedReader(_Locked(stream, member.size, self._lock)))

    def info(self, entry: Entry) -> tarfile.TarInfo:
        """Return what the archive says about an entry."""
        return self._members[entry.place]

    def close(self) -> None:
        """Let go of the file."""
        self._tar.close()


def holds_content(member: tarfile.TarInfo) -> bool:
    """Whether a member is a file: POSIX says of unknown types that they are to be taken for one."""
    return member.isreg() or member.type not in tarfile.SUPPORTED_TYPES


class _Locked(RawIOBase):
    """A member's content; all share one file, hence the lock. One that is cut short is an error."""

    def __init__(self, stream: object, size: int, lock: threading.Lock) -> None:
        self._stream = cast("BinaryIO", stream)
        self._left = size
        self._lock = lock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        with self._lock:
            piece = self._stream.read(len(memoryview(buffer)))
        self._left -= len(piece)
        if not piece and self._left:
            raise EOFError("cut short")
        memoryview(buffer)[: len(piece)] = piece
        return len(piece)


def _entry(place: int, member: tarfile.TarInfo) -> Entry:
    name = member.name
    if member.issym() or member.islnk():  # must stay within the book too, though nobody follows it here
        _refuse_far_link(member)
    date = time.gmtime(max(0, min(member.mtime, 4e9)))[:6]
    return Entry(
        place,
        name,
        member.size if holds_content(member) else 0,
        is_page=is_picture(name) and holds_content(member),
        is_folder=member.isdir(),
        date=date,
    )


def _with_names(entries: list[Entry], encoding: str | None) -> list[Entry]:
    """Decode the names that are not UTF-8, which Python keeps as surrogates."""
    raw = {entry.place: _bytes(entry.name) for entry in entries if not entry.name.isascii()}
    strange = {place: name for place, name in raw.items() if not _is_utf8(name)}
    text = dict(zip(strange, decoded(list(strange.values()), encoding), strict=True))
    return [
        replace(entry, name=text[entry.place], raw=strange[entry.place]) if entry.place in text else entry
        for entry in entries
    ]


def _bytes(name: str) -> bytes:
    return name.encode(errors="surrogateescape")


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_far_link(member: tarfile.TarInfo) -> None:
    start = os.path.dirname(member.name) if member.issym() else ""  # noqa: PTH120 - a name, no path here
    end = os.path.normpath(os.path.join(start, member.linkname))  # noqa: PTH118
    if end.startswith(("/", "..")):
        raise ValueError(f"{member.name} links to {member.linkname}, out of the book")
