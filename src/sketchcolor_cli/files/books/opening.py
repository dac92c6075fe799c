"""Opening a book as what it is, whatever it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.pdfs import PdfBook
from sketchcolor_cli.files.books.rars import RarBook
from sketchcolor_cli.files.books.settings import BookLimits, PdfSettings
from sketchcolor_cli.files.books.tars import TarBook
from sketchcolor_cli.files.books.zips import ZipBook

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.files.books.book import Book

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def open_book(path: Path, *, pdf: PdfSettings | None = None, limits: BookLimits | None = None) -> Book:
    """Open a book; what it is made of is told by its beginning, as a .cbr is often a ZIP.

    Raises:
        BookError: it is missing, no book, damaged, encrypted, or asks for what no honest book does.
    """
    limits = limits or BookLimits()
    try:
        with path.open("rb") as file:
            start = file.read(1024)
        if not start:
            raise BookError(f"{path}: is empty (0 bytes); get it again")
        if start.startswith(_ZIP):
            return ZipBook(path, limits, is_epub=path.suffix.lower() == ".epub")
        if start.startswith(b"Rar!"):
            return RarBook(path, limits)
        if b"%PDF-" in start:
            return PdfBook(path, limits, pdf)
        return TarBook(path, limits) if path.suffix.lower() in (".cbt", ".tar") else ZipBook(path, limits)
    except FileNotFoundError as error:
        raise BookError(f"{path}: no such file; check the name") from error
    except OSError as error:
        raise BookError(
            f"{path}: cannot be read ({error.strerror or error}); check its permissions"
        ) from error
