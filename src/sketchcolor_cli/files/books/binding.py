"""Writing a book: the entries of the original in their order, with new pictures for its pages."""

from __future__ import annotations

import calendar
import copy
import math
import tarfile
import warnings
import zipfile
from io import BufferedReader, RawIOBase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.files.books.pdf_writer import PdfWriter
from sketchcolor_cli.files.books.pdfs import PdfBook
from sketchcolor_cli.files.books.tars import TarBook, holds_content
from sketchcolor_cli.files.books.tiffs import TiffBook
from sketchcolor_cli.files.books.zips import ZipBook, packed_info
from sketchcolor_cli.files.worklist import names_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from _typeshed import WriteableBuffer

    from sketchcolor_cli.files.books.book import Book, Entry

_CHUNK = 2**20


def bind(book: Book, target: Path, pictures: Mapping[int, Path]) -> None:
    """Write a book in the form that the target's ending names.

    Args:
        book: The original, open.
        target: Ends in .cbz, .zip, .epub, .cbt, .tar, or of a PDF .pdf, of a TIFF .tif or .tiff. It is whole
            or absent.
        pictures: The new picture of each page, by the place of its entry. A page without one keeps what it
            has, as far as that can be read. Where the picture's ending is another one, so is the page's.

    Raises:
        BookError: the target cannot be written, or an entry that is not a page cannot be read.
    """
    write = _WRITERS.get(target.suffix.lower(), _bind_zip)
    with atomic_write(target, BookError) as temporary, temporary.open("wb") as file:
        write(book, file, pictures)


def new_name(entry: Entry, picture: Path | None) -> str:
    """Return the name of an entry in the new book: its own, with the ending of its new picture."""
    if picture is None:
        return entry.name
    own, new = PurePosixPath(entry.name).suffix, picture.suffix
    return entry.name if own.lower() == new.lower() else entry.name.removesuffix(own) + new


def _named(book: Book, pictures: Mapping[int, Path]) -> Iterator[tuple[Entry, Path | None, str]]:
    """Give each entry with its new picture, if any, and its name in the new book."""
    chosen = [(entry, pictures.get(entry.place)) for entry in book.entries]
    names = names_apart([(entry.name, new_name(entry, picture)) for entry, picture in chosen])
    for (entry, picture), name in zip(chosen, names, strict=True):
        yield entry, picture, name


def _raw_name(entry: Entry, name: str) -> bytes:
    """Return a new name in bytes where the old one is in the packer's own encoding, else nothing."""
    if not entry.raw or name == entry.name:
        return entry.raw
    if name.startswith(entry.name):  # which keeps its ending
        return entry.raw + name.removeprefix(entry.name).encode("ascii")
    own, new = PurePosixPath(entry.name).suffix, PurePosixPath(name).suffix
    return entry.raw.removesuffix(own.encode("ascii")) + new.encode("ascii")


def _bind_zip(book: Book, file: BinaryIO, pictures: Mapping[int, Path]) -> None:
    with zipfile.ZipFile(file, "w") as new, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name comes twice: so it does in the original
        if isinstance(book, ZipBook):
            new.comment = book.comment
        for entry, picture, name in _named(book, pictures):
            original = book.info(entry) if isinstance(book, ZipBook) else None
            raw = b"" if original is None else _raw_name(entry, name)
            info = packed_info(entry, name, raw, original)
            if entry.is_folder:
                info.compress_type = zipfile.ZIP_STORED
                new.writestr(info, b"")
                continue
            # The size decides whether the header is that of a large file, before it is written.
            info.file_size = entry.size if picture is None else picture.stat().st_size
            with new.open(info, "w") as out:
                for piece in _content(book, entry, picture):
                    out.write(piece)


def _bind_tar(book: Book, file: BinaryIO, pictures: Mapping[int, Path]) -> None:
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as new:
        for entry, picture, name in _named(book, pictures):
            info = _tar_info(book, entry)
            raw = _raw_name(entry, name) if isinstance(book, TarBook) else b""
            info.name = raw.decode(errors="surrogateescape") or name
            if entry.is_folder or (isinstance(book, TarBook) and not holds_content(info)):
                info.size = 0  # whatever it says, no content follows
                new.addfile(info)
                continue
            # A TAR says before the content how long it is; what cannot be read is filled up with zeros.
            info.size = entry.size if picture is None else picture.stat().st_size
            with BufferedReader(_Filled(_content(book, entry, picture), info.size), _CHUNK) as content:
                new.addfile(info, content)


def _tar_info(book: Book, entry: Entry) -> tarfile.TarInfo:
    if isinstance(book, TarBook):
        info = copy.copy(book.info(entry))
        info.pax_headers = {}  # what there is to say is said by the fields, and old sizes would count first
        if not math.isfinite(info.mtime):  # which cannot be written
            info.mtime = 0
        if info.isreg() or entry.is_page:
            info.type = tarfile.REGTYPE  # a sparse file is written with its holes filled
        return info
    info = tarfile.TarInfo(entry.name)
    info.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
    info.mode = 0o755 if entry.is_folder else 0o644
    year, month, day, hour, minute, second = entry.date
    info.mtime = calendar.timegm((year, min(max(month, 1), 12), max(day, 1), hour, minute, second))
    return info


class _Filled(RawIOBase):
    """Pieces as a stream of a given length."""

    def __init__(self, pieces: Iterator[bytes], size: int) -> None:
        self._pieces = pieces
        self._piece = b""
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        count = min(len(view), self._left)
        self._piece = self._piece or next(self._pieces, b"") or bytes(count)
        view[: len(self._piece[:count])] = self._piece[:count]
        count = len(self._piece[:count])
        self._piece = self._piece[count:]
        self._left -= count
        return count


def _bind_pdf(book: Book, file: BinaryIO, pictures: Mapping[int, Path]) -> None:
    if not isinstance(book, PdfBook):
        raise BookError(f"{book.path}: only a PDF is written back as PDF; give the target another ending")
    new = PdfWriter(file)
    for entry, size in zip(book.entries, book.sizes(), strict=True):
        new.add_page(pictures[entry.place], size)
    new.finish(book.title_page(), book.bookmarks())


def _bind_tiff(book: Book, file: BinaryIO, pictures: Mapping[int, Path]) -> None:
    if not isinstance(book, TiffBook):
        raise BookError(f"{book.path}: only a TIFF is written back as TIFF; give the target another ending")
    book.bind(file, pictures)


_WRITERS = {
    ".cbt": _bind_tar,
    ".tar": _bind_tar,
    ".pdf": _bind_pdf,
    ".tif": _bind_tiff,
    ".tiff": _bind_tiff,
}


def _content(book: Book, entry: Entry, picture: Path | None) -> Iterator[bytes]:
    if picture is None:
        read: Callable[[Entry], Iterator[bytes]] = book.readable_chunks if entry.is_page else book.chunks
        yield from read(entry)
        return
    with picture.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece
