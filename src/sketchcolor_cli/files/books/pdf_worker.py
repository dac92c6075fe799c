"""The process in which PDFium reads a PDF, so that it can be ended: a page may hold any number of strokes.

It is asked by lines of JSON on its standard input. An answer is a letter, the length in eight bytes, and
content: of the letter J JSON, of T a TIFF file, of E why it cannot be done, of R why a page is refused.
"""

from __future__ import annotations

import json
import signal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from sketchcolor_cli.files.jpeg import TOO_MANY, has_too_many_scans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_POINTS = 72  # per inch
_FILLS = 0.5  # share of a page from which pictures count as its scan, together
_DPI = (72, 1200)


class _RefusedError(Exception):
    """A page holds what is not read from picture files either."""


def serve() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it amid PDFium's work
    with open(0, "rb") as questions, open(1, "wb") as answers:
        for line in questions:
            letter, content = answered(json.loads(line))
            answers.write(letter + len(content).to_bytes(8, "big") + content)
            answers.flush()


def answered(asked: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return the answer to one question: its letter, and its content."""
    try:
        # Opened again for each: a document keeps what it has decoded, and memory would grow with the book.
        document = pdfium.PdfDocument(asked["path"])
        try:
            if asked["what"] == "page":
                return b"T", rendered(document, **asked["how"])
            return b"J", json.dumps(_FACTS[asked["what"]](document)).encode()
        finally:
            document.close()
    except _RefusedError as error:
        return b"R", str(error).encode()
    except (pdfium.PdfiumError, ValueError, OSError) as error:
        return b"E", str(error).encode()


def rendered(document: Any, place: int, dpi: int, vector_dpi: int, max_pixels: int) -> bytes:
    """Return a page as a TIFF file; ``dpi`` 0 takes the resolution of the scan that fills it."""
    page = document[place]
    width, height = page.get_size()
    pictures = list(page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4))
    _refuse_many_scans(pictures)
    scale = float(dpi or _scan_dpi(pictures, width * height) or vector_dpi)
    scale = min(max(scale, _DPI[0]), _DPI[1])
    scale = min(scale, (max_pixels / max(width * height, 1)) ** 0.5 * _POINTS)
    # Less by a hair: it rounds up, and 1600.001 pixels are 1600.
    bitmap = page.render(scale=scale / _POINTS * (1 - 1e-5), rev_byteorder=True)
    samples = np.array(bitmap.to_numpy()[..., :3])
    if (samples[..., 0] == samples[..., 1]).all() and (samples[..., 0] == samples[..., 2]).all():
        samples = np.ascontiguousarray(samples[..., 0])
    file = BytesIO()
    Image.fromarray(samples).save(file, "TIFF", dpi=(scale, scale))
    return file.getvalue()


def _refuse_many_scans(pictures: Sequence[Any]) -> None:
    """Refuse what a picture file is refused for, too.

    Raises:
        _RefusedError: A JPEG on the page has too many scans.
    """
    for picture in pictures:
        if "DCTDecode" in picture.get_filters() and has_too_many_scans(
            bytes(picture.get_data(decode_simple=True))
        ):
            raise _RefusedError(f"a picture in it {TOO_MANY}")


def _scan_dpi(pictures: Sequence[Any], page_area: float) -> float | None:
    """Return the dots per inch of pictures that fill a page together, as strips do; None where they do not.

    It is the finest resolution that, with all that is finer, covers half of the page.
    """
    covered = 0.0
    for dpi, area in sorted(filter(None, map(_resolution, pictures)), reverse=True):
        covered += area
        if covered >= _FILLS * page_area:
            return dpi
    return None


def _resolution(picture: Any) -> tuple[float, float] | None:
    """Return the dots per inch of a picture on the page, and the area that it takes in square points.

    A fax has more of them across than down; the finer counts.
    """
    left, bottom, right, top = picture.get_bounds()
    width, height = right - left, top - bottom
    if width <= 0 or height <= 0:
        return None
    across, down = picture.get_px_size()
    a, b, c, d = picture.get_matrix().get()[:4]
    if abs(b) + abs(c) > abs(a) + abs(d):  # it lies on its side
        across, down = down, across
    return max(across / width, down / height) * _POINTS, width * height


def _bookmarks(document: Any) -> list[Sequence[Any]]:
    found: list[Sequence[Any]] = []
    for item in document.get_toc():
        target = item.get_dest()
        page = None if target is None else target.get_index()
        if page is not None:
            found.append((item.level, item.get_title(), page))
    return found


_FACTS: dict[str, Callable[[Any], Any]] = {
    "count": len,
    "sizes": lambda document: [document.get_page_size(number) for number in range(len(document))],
    "title": lambda document: dict(document.get_metadata_dict(skip_empty=True)),
    "bookmarks": _bookmarks,
}
