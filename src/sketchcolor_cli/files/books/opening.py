"""Opening a book as what it is, whatever it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files import signatures
from sketchcolor_cli.files.books.pdfs import PdfBook
from sketchcolor_cli.files.books.rars import RarBook
from sketchcolor_cli.files.books.settings import PAGE_TIMEOUT, BookLimits, PdfSettings
from sketchcolor_cli.files.books.tars import TarBook
from sketchcolor_cli.files.books.tiffs import TiffBook
from sketchcolor_cli.files.books.zips import ZipBook
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.files.worklist import TIFF_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.files.books.book import Book

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def open_book(
    path: Path,
    *,
    pdf: PdfSettings | None = None,
    limits: BookLimits | None = None,
    names: str | None = None,
    page_timeout: float = PAGE_TIMEOUT,
) -> Book:
    """Open a book; what it is made of is told by its beginning, as a .cbr is often a ZIP.

    ``names`` is the encoding of names in archives that do not say it; None guesses it from all of them. A
    page of a PDF may take ``page_timeout`` seconds.

    Raises:
        BookError: it is missing, no book, damaged, encrypted, or asks for what no honest book does.
    """
    limits = limits or BookLimits()
    try:
        start = _start(path)
        if b"%PDF-" in start and not start.startswith((*_ZIP, b"Rar!")):
            return PdfBook(path, limits, pdf, page_timeout)
        return _archive(path, start, limits, names)
    except FileNotFoundError as error:
        raise BookError(f"{path}: no such file; check the name") from error
    except OSError as error:
        reason = error.strerror or error
        raise BookError(f"{path}: cannot be read ({reason}); check its permissions") from error


def _start(path: Path) -> bytes:
    """Return the first bytes of a regular file that is not empty."""
    if (why := refusal(path)) is not None:
        raise BookError(f"{path}: {why}")
    with path.open("rb") as file:
        start = file.read(signatures.START)
    if not start:
        raise BookError(f"{path}: is empty (0 bytes); get it again")
    return start


def _archive(path: Path, start: bytes, limits: BookLimits, names: str | None) -> Book:
    """Open what is not a PDF; what looks like nothing known is tried as a ZIP, which is read from its end."""
    if start.startswith(_ZIP):
        return ZipBook(path, limits, is_epub=path.suffix.lower() == ".epub", names=names)
    if start.startswith(b"Rar!"):
        return RarBook(path, limits)
    if start.startswith(_TIFF) and path.suffix.lower() in TIFF_SUFFIXES:
        return TiffBook(path, limits)
    if _is_tar(path, start):
        return TarBook(path, limits, names)
    if (kind := signatures.picture(start)) is not None:
        raise BookError(f"{path}: is a {kind} picture, not a book; give it the ending of one")
    if (what := signatures.describe(start)) is not None:
        raise BookError(f"{path}: {what}")
    return ZipBook(path, limits, names=names)


def _is_tar(path: Path, start: bytes) -> bool:
    if start[257:].startswith(b"ustar"):
        return True
    # Old TARs have no mark; a file with another mark is not a TAR.
    return path.suffix.lower() in (".cbt", ".tar") and not (
        signatures.describe(start) or signatures.picture(start)
    )
