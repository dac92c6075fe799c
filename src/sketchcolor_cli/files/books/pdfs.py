"""PDF: pages are rendered at the resolution of their scan, and written back as one picture each.

Rendering is PDFium's. It is not safe to use from several threads, hence the one lock; and a document keeps
what it has decoded, hence each page opens the file anew, so that memory does not grow with the book.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.book import Book, Entry
from sketchcolor_cli.files.books.settings import PdfSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sketchcolor_cli.files.books.pdf_writer import Bookmark
    from sketchcolor_cli.files.books.settings import BookLimits

_POINTS = 72  # per inch
_LARGEST_PAGE = 14_400  # points, as the PDF reference has it
_FILLS = 0.5  # share of a page from which a picture counts as its scan
_DPI = (72, 1200)
_PDFIUM = threading.Lock()


class PdfBook(Book):
    """A PDF file; each page is a picture named by its number."""

    def __init__(self, path: Path, limits: BookLimits, settings: PdfSettings | None = None) -> None:
        """Count the pages.

        Raises:
            BookError: the file is damaged, encrypted, or refused for its limits.
        """
        self._settings = settings or PdfSettings()
        self.path = path
        with self._document() as document:
            count = len(document)
        digits = max(3, len(str(count)))
        # No picture format that is compressed: it is read again at once.
        entries = [Entry(n, f"page {n + 1:0{digits}}.tif", 0, is_page=True) for n in range(count)]
        super().__init__(path, entries, limits)

    def open(self, entry: Entry) -> BinaryIO:
        """Return the rendered page as a TIFF file."""
        with self._document() as document:
            page = document[entry.place]
            dpi = self._resolution(page)
            # Less by a hair: it rounds up, and 1600.001 pixels are 1600.
            rendered = page.render(scale=dpi / _POINTS * (1 - 1e-5), rev_byteorder=True)
            samples = np.array(rendered.to_numpy()[..., :3])
        if (samples[..., 0] == samples[..., 1]).all() and (samples[..., 0] == samples[..., 2]).all():
            samples = np.ascontiguousarray(samples[..., 0])
        file = BytesIO()
        Image.fromarray(samples).save(file, "TIFF", dpi=(dpi, dpi))
        file.seek(0)
        return file

    def sizes(self) -> list[tuple[float, float]]:
        """Return width and height of each page in points, as it is seen."""
        with self._document() as document:
            return [_size(document.get_page_size(number)) for number in range(len(document))]

    def title_page(self) -> dict[str, str]:
        """Return the document's title, author and so on, as far as it has them."""
        with self._document() as document:
            return dict(document.get_metadata_dict(skip_empty=True))

    def bookmarks(self) -> list[Bookmark]:
        """Return the outline: level (from 0), title, number of the page (from 0)."""
        found: list[Bookmark] = []
        with self._document() as document:
            for one in document.get_toc():
                target = one.get_dest()
                page = None if target is None else target.get_index()
                if page is not None:
                    found.append((one.level, one.get_title(), page))
        return found

    def _resolution(self, page: pdfium.PdfPage) -> float:
        """Find the dots per inch to render a page at."""
        width, height = page.get_size()
        dpi = float(self._settings.dpi or self._settings.vector_dpi)
        if not self._settings.dpi:
            scans = [
                pixels
                for one in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4)
                if (pixels := _pixels_per_inch(one, width * height))
            ]
            dpi = max(scans, default=dpi)
        dpi = min(max(dpi, _DPI[0]), _DPI[1])
        most = (self._settings.max_pixels / max(width * height, 1)) ** 0.5 * _POINTS
        return min(dpi, float(most))

    @contextmanager
    def _document(self) -> Iterator[Any]:
        with _PDFIUM:
            try:
                document = pdfium.PdfDocument(self.path)
            except pdfium.PdfiumError as error:
                if "password" in str(error).lower():
                    raise BookError(
                        f"{self.path}: is encrypted; save it without its password, or as pictures"
                    ) from error
                raise BookError(f"{self.path}: is no PDF, or damaged ({error}); get it again") from error
            try:
                yield document
            except pdfium.PdfiumError as error:
                raise BookError(f"{self.path}: is damaged ({error}); get it again") from error
            finally:
                document.close()


def _size(size: tuple[float, float]) -> tuple[float, float]:
    """Bring a page's size, which may be absurd, between one point and the largest that viewers show."""
    width, height = (min(max(side, 1.0), float(_LARGEST_PAGE)) for side in size)
    return width, height


def _pixels_per_inch(picture: Any, page_area: float) -> float | None:
    """Return the resolution of a picture on the page; None where it fills too little of it."""
    left, bottom, right, top = picture.get_bounds()
    width, height = right - left, top - bottom
    if width <= 0 or height <= 0 or width * height < _FILLS * page_area:
        return None
    across, down = picture.get_px_size()
    turned = (across > down) != (width > height)
    return float((down if turned else across) / width * _POINTS)
