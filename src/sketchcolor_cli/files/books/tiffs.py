"""TIFF of several pages, as scanners and fax machines write them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import Book, Entry
from sketchcolor_cli.files.tiff import TiffDamage, TiffWriter, read_pages, write_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sketchcolor_cli.files.books.settings import BookLimits
    from sketchcolor_cli.files.tiff import Page


class TiffBook(Book):
    """A TIFF file; each page is a picture named by its number, as it stands."""

    def __init__(self, path: Path, limits: BookLimits) -> None:
        """Read where the pages are.

        Raises:
            BookError: the file is damaged, or refused for its limits.
        """
        try:
            with path.open("rb") as file:
                self._pages = read_pages(file)
        except TiffDamage as error:
            raise BookError(f"{path}: {error}; save or scan it again") from error
        digits = max(3, len(str(len(self._pages))))
        names = [f"page {number:0{digits}}.tif" for number in range(1, len(self._pages) + 1)]
        super().__init__(path, [Entry(n, name, 0, is_page=True) for n, name in enumerate(names)], limits)

    def open(self, entry: Entry) -> BinaryIO:
        """Return the page as a TIFF file of its own."""
        page = BytesIO()
        with self.path.open("rb") as file:
            write_page(self._pages[entry.place], file, page)
        page.seek(0)
        return page

    def bind(self, file: BinaryIO, pictures: Mapping[int, Path]) -> None:
        """Write the book with new pictures, single-page TIFF files, for some of its pages.

        Raises:
            BookError: a page cannot be taken over.
        """
        expected = self.path.stat().st_size + sum(picture.stat().st_size for picture in pictures.values())
        new = TiffWriter(file, expected)
        for entry in self.entries:
            source = pictures.get(entry.place, self.path)
            try:
                with source.open("rb") as content:
                    new.add(self._page(entry, content, own=source is self.path), content)
            except TiffDamage as error:
                raise BookError(f"{self.path}/{entry.name}: cannot be taken over ({error})") from error

    def _page(self, entry: Entry, content: BinaryIO, *, own: bool) -> Page:
        return self._pages[entry.place] if own else read_pages(content)[0]
