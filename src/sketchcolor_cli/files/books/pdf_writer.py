"""A PDF of one picture per page, written front to back, so that its size costs no memory.

JPEG data and the compressed rows of PNG files go in as they are.
Source: ISO 32000-1 (PDF 1.7), 7.4 to 7.7, 12.3.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

from sketchcolor_cli.errors import BookError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LARGEST_PAGE = 14_400.0
"""Points of the longest side that viewers show (ISO 32000-1, annex C)."""

Bookmark = tuple[int, str, int]
"""Level from 0, title, number of the page from 0."""

_CATALOG, _PAGES = 1, 2
_INFO = ("Title", "Author", "Subject", "Keywords", "CreationDate")


class PdfWriter:
    """Writes to a file that is open for writing; nothing is read back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._offsets: dict[int, int] = {}
        self._next = 3
        self._pages: list[int] = []
        self._put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def add_page(self, picture: Path, size: tuple[float, float]) -> None:
        """Add a page of this size, in points, filled by a JPEG or PNG file.

        Raises:
            BookError: the file is of another kind, or has transparency.
        """
        data, facts = _embedded(picture)
        width, height = (f"{side:.4f}".rstrip("0").rstrip(".") for side in size)
        image = self._stream(data, f"/Type /XObject /Subtype /Image {facts}")
        content = self._stream(f"q {width} 0 0 {height} 0 0 cm /I Do Q".encode())
        self._pages.append(
            self._object(
                f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {width} {height}] "
                f"/Resources << /XObject << /I {image} 0 R >> >> /Contents {content} 0 R >>".encode()
            )
        )

    def finish(self, info: Mapping[str, str], bookmarks: Sequence[Bookmark]) -> None:
        """Write the title page, the outline, and the index that ends the file."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._object(f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>".encode(), _PAGES)
        outline = self._outline([bookmark for bookmark in bookmarks if bookmark[2] < len(self._pages)])
        shown = f" /Outlines {outline} 0 R /PageMode /UseOutlines" if outline else ""
        self._object(f"<< /Type /Catalog /Pages {_PAGES} 0 R{shown} >>".encode(), _CATALOG)
        facts = b" ".join(b"/%s %s" % (key.encode(), _text(info[key])) for key in _INFO if key in info)
        about = self._object(b"<< " + facts + b" >>")
        start, count = self._at, self._next
        self._put(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        for number in range(1, count):
            self._put(b"%010d 00000 n \n" % self._offsets[number])
        trailer = f"trailer\n<< /Size {count} /Root {_CATALOG} 0 R /Info {about} 0 R >>\n"
        self._put(f"{trailer}startxref\n{start}\n%%EOF\n".encode())

    def _outline(self, bookmarks: Sequence[Bookmark]) -> int | None:
        if not bookmarks:
            return None
        root, first = self._next, self._next + 1
        self._next = first + len(bookmarks)
        above = _parents([level for level, _, _ in bookmarks])
        kids: dict[int | None, list[int]] = {}
        for place, parent in enumerate(above):
            kids.setdefault(parent, []).append(place)
        place_in_row = {place: here for row in kids.values() for here, place in enumerate(row)}
        for place, (_, title, page) in enumerate(bookmarks):
            parent, here = above[place], place_in_row[place]
            row = kids[parent]
            links = b" /Parent %d 0 R" % (root if parent is None else first + parent)
            links += b" /Prev %d 0 R" % (first + row[here - 1]) if here else b""
            links += b" /Next %d 0 R" % (first + row[here + 1]) if here + 1 < len(row) else b""
            below = kids.get(place)
            if below:
                ends = first + below[0], first + below[-1], -len(below)
                links += b" /First %d 0 R /Last %d 0 R /Count %d" % ends
            goal = b" /Dest [%d 0 R /Fit]" % self._pages[page]
            self._object(b"<< /Title " + _text(title) + links + goal + b" >>", first + place)
        top = kids[None]
        ends = first + top[0], first + top[-1], len(top)
        self._object(b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % ends, root)
        return root

    def _stream(self, data: bytes, facts: str = "") -> int:
        head = f"<< {facts} /Length {len(data)} >>\nstream\n".encode()
        return self._object(head + data + b"\nendstream")

    def _object(self, body: bytes, number: int | None = None) -> int:
        if number is None:
            number, self._next = self._next, self._next + 1
        self._offsets[number] = self._at
        self._put(b"%d 0 obj\n" % number + body + b"\nendobj\n")
        return number

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)


def _parents(levels: Sequence[int]) -> list[int | None]:
    """Return for each bookmark the place of the one it is under."""
    path: list[tuple[int, int]] = []
    above: list[int | None] = []
    for place, level in enumerate(levels):
        while path and path[-1][0] >= level:
            path.pop()
        above.append(path[-1][1] if path else None)
        path.append((level, place))
    return above


def _text(text: str) -> bytes:
    return b"<" + (b"\xfe\xff" + text.encode("utf-16-be", "replace")).hex().encode() + b">"


def _embedded(picture: Path) -> tuple[bytes, str]:
    """Return the data of a picture as a PDF holds it, and what it has to say about them."""
    with Image.open(picture) as image:
        kind, mode = image.format, image.mode
        size = f"/Width {image.width} /Height {image.height}"
    data = picture.read_bytes()
    if kind == "JPEG" and mode in ("L", "RGB"):
        space = "/DeviceGray" if mode == "L" else "/DeviceRGB"
        return data, f"{size} /ColorSpace {space} /BitsPerComponent 8 /Filter /DCTDecode"
    if kind == "PNG":
        width, _, bits, color, _, _, interlaced = struct.unpack(">2I5B", data[16:29])
        if color in (0, 2) and not interlaced:
            count, space = (1, "/DeviceGray") if color == 0 else (3, "/DeviceRGB")
            rows = f"<< /Predictor 15 /Colors {count} /BitsPerComponent {bits} /Columns {width} >>"
            facts = f"{size} /ColorSpace {space} /BitsPerComponent {bits} /Filter /FlateDecode"
            return _png_rows(data), f"{facts} /DecodeParms {rows}"
    raise BookError(f"{picture.name}: a PDF takes JPEG and PNG without transparency; choose another format")


def _png_rows(data: bytes) -> bytes:
    found, start = [], 8
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        if data[start + 4 : start + 8] == b"IDAT":
            found.append(data[start + 8 : end - 4])
        start = end
    return b"".join(found)
