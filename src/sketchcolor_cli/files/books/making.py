"""Making a book of loose pages: CBZ, PDF or EPUB, from picture files in their order."""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import NAMESPACE_URL, uuid5

from PIL import Image

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.atomic import atomic_write
from sketchcolor_cli.files.books.pdf_writer import LARGEST_PAGE, PdfWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DPI = 300.0  # of pages that say nothing, or nothing possible
_POINTS = 72.0  # in an inch
_QUALITY = 95  # of what a container cannot take as it is
_PDF_TAKES = frozenset({".png", ".jpg", ".jpeg"})
_EPUB_TAKES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same pages make the same bytes


def make_book(target: Path, pages: Sequence[Path], title: str) -> None:
    """Write a book of these pages; whole, or not at all.

    Args:
        target: Ends in .cbz, .pdf or .epub.
        pages: Picture files, in reading order. What the book cannot hold as it is becomes a JPEG.
        title: Of the book.

    Raises:
        BookError: There are no pages, one cannot be read, or the book cannot be written.
    """
    if not pages:
        raise BookError(f"{target}: there are no pages to make a book of")
    write = {".cbz": _cbz, ".pdf": _pdf, ".epub": _epub}[target.suffix.lower()]
    with atomic_write(target, BookError) as draft, draft.open("wb") as file:
        write(file, pages, title)


def _cbz(file: BinaryIO, pages: Sequence[Path], _title: str) -> None:
    with zipfile.ZipFile(file, "w") as book:
        for number, page in enumerate(pages, start=1):
            with _reading(page):
                data = page.read_bytes()
            _put(book, f"{number:04d}{page.suffix.lower()}", data)


def _pdf(file: BinaryIO, pages: Sequence[Path], title: str) -> None:
    writer = PdfWriter(file)
    for page in pages:
        size, redrawn = _for_pdf(page)
        if redrawn is None:
            writer.add_page(page, size)
            continue
        draft = Path(f"{file.name}.page.jpg")
        try:
            redrawn.save(draft, "JPEG", quality=_QUALITY, subsampling=0)
            writer.add_page(draft, size)
        finally:
            draft.unlink(missing_ok=True)
    writer.finish({"Title": title}, [])


def _for_pdf(page: Path) -> tuple[tuple[float, float], Image.Image | None]:
    """Return a page's size in points, and the picture of it as RGB where a PDF does not take its file."""
    with _reading(page), Image.open(page) as image:
        taken = page.suffix.lower() in _PDF_TAKES and image.mode in ("L", "RGB")
        return _size(image), None if taken else _on_paper(image)


def _size(image: Image.Image) -> tuple[float, float]:
    """Return width and height in points, by the picture's own resolution where that gives a possible page."""
    across, down = (float(dpi) for dpi in image.info.get("dpi", (_DPI, _DPI)))
    if across > 0 and down > 0:
        size = image.width / across * _POINTS, image.height / down * _POINTS
        if min(size) >= 1 and max(size) <= LARGEST_PAGE:
            return size
    dpi = max(_DPI, max(image.size) * _POINTS / LARGEST_PAGE)
    return image.width / dpi * _POINTS, image.height / dpi * _POINTS


@contextmanager
def _reading(page: Path) -> Iterator[None]:
    """Name the page that cannot be read; the message would be that the book cannot be written.

    Raises:
        BookError: It cannot be read.
    """
    try:
        yield
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BookError(f"{page}: cannot be read ({reason}); make it again") from error


def _epub(file: BinaryIO, pages: Sequence[Path], title: str) -> None:
    """EPUB 3.3 with fixed layout: a page is an XHTML file of the size of its picture."""
    names: list[tuple[str, str]] = []
    with zipfile.ZipFile(file, "w") as book:
        _put(book, "mimetype", b"application/epub+zip")
        _put(book, "META-INF/container.xml", _CONTAINER.encode())
        for number, page in enumerate(pages, start=1):
            data, suffix, size = _for_epub(page)
            name = f"{number:04d}{suffix}"
            _put(book, f"OEBPS/{name}", data)
            shown = _PAGE.format(title=escape(title), width=size[0], height=size[1], name=name, number=number)
            _put(book, f"OEBPS/{number:04d}.xhtml", shown.encode())
            names.append((f"{number:04d}.xhtml", name))
        _put(book, "OEBPS/nav.xhtml", _navigation(title, names).encode())
        _put(book, "OEBPS/book.opf", _package(title, names).encode())


def _for_epub(page: Path) -> tuple[bytes, str, tuple[int, int]]:
    with _reading(page), Image.open(page) as image:
        if page.suffix.lower() in _EPUB_TAKES:
            return page.read_bytes(), page.suffix.lower(), image.size
        buffer = io.BytesIO()
        _on_paper(image).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
        return buffer.getvalue(), ".jpg", image.size


def _on_paper(image: Image.Image) -> Image.Image:
    """Return a picture as RGB, on white where it is transparent."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


def _put(book: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Store a file; pictures are compressed already, and the first of an EPUB has to be stored."""
    book.writestr(zipfile.ZipInfo(name, _STAMP), data, zipfile.ZIP_STORED)


def _navigation(title: str, names: Sequence[tuple[str, str]]) -> str:
    items = "".join(f'<li><a href="{page}">{number}</a></li>' for number, (page, _) in enumerate(names, 1))
    return _NAVIGATION.format(title=escape(title), items=items)


def _package(title: str, names: Sequence[tuple[str, str]]) -> str:
    manifest, spine = [], []
    for number, (page, picture) in enumerate(names, start=1):
        kind = _EPUB_TAKES[Path(picture).suffix]
        cover = ' properties="cover-image"' if number == 1 else ""
        manifest.append(f'<item id="p{number}" href="{page}" media-type="application/xhtml+xml"/>')
        manifest.append(f'<item id="i{number}" href="{picture}" media-type="{kind}"{cover}/>')
        spine.append(f'<itemref idref="p{number}"/>')
    own = uuid5(NAMESPACE_URL, title)
    return _PACKAGE.format(title=escape(title), number=own, manifest="".join(manifest), spine="".join(spine))


_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""
_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title>
<meta name="viewport" content="width={width}, height={height}"/>
<style>body{{margin:0}}img{{display:block}}</style></head>
<body><img src="{name}" width="{width}" height="{height}" alt="{number}"/></body></html>
"""
_NAVIGATION = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">
<head><title>{title}</title></head><body><nav epub:type="toc"><ol>{items}</ol></nav></body></html>
"""
_PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:uuid:{number}</dc:identifier>
<dc:title>{title}</dc:title><dc:language>und</dc:language>
<meta property="dcterms:modified">1980-01-01T00:00:00Z</meta>
<meta property="rendition:layout">pre-paginated</meta></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
{manifest}</manifest>
<spine>{spine}</spine></package>
"""
