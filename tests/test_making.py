"""Books made of loose pages: read again by our own readers, and by the rules of their formats."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from PIL import Image

from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.making import make_book
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.books.pdfs import PdfBook

if TYPE_CHECKING:
    from pathlib import Path

SIZES = {"b.png": (60, 80), "a.webp": (50, 70), "c.jpg": (40, 60), "d.avif": (30, 40)}


@pytest.fixture
def pages(tmp_path: Path) -> list[Path]:
    found = []
    for number, (name, size) in enumerate(SIZES.items()):
        mode = "RGBA" if name == "a.webp" else "RGB"
        Image.new(mode, size, (10 * number, 200, 90)).save(tmp_path / name)
        found.append(tmp_path / name)
    return found


@pytest.mark.parametrize("kind", ["cbz", "pdf", "epub"])
def test_pages_are_in_their_order_and_of_their_size(tmp_path: Path, pages: list[Path], kind: str) -> None:
    target = tmp_path / f"out/book.{kind}"
    make_book(target, pages, "A & B")
    with open_book(target) as book:
        seen = []
        for entry in book.pages:
            (tmp_path / "page").write_bytes(b"".join(book.chunks(entry)))
            with Image.open(tmp_path / "page") as image:
                seen.append(image.size)
    ratios = [round(width / height, 1) for width, height in seen]
    assert ratios == [round(width / height, 1) for width, height in SIZES.values()]
    first = target.read_bytes()
    make_book(target, pages, "A & B")
    if kind != "pdf":
        assert seen == list(SIZES.values())
    assert target.read_bytes() == first


def test_what_a_book_takes_is_put_in_as_it_is(tmp_path: Path, pages: list[Path]) -> None:
    make_book(tmp_path / "b.cbz", pages, "")
    with zipfile.ZipFile(tmp_path / "b.cbz") as book:
        assert [book.read(name) for name in book.namelist()] == [page.read_bytes() for page in pages]


def test_an_epub_has_what_the_format_asks_for(tmp_path: Path, pages: list[Path]) -> None:
    make_book(tmp_path / "b.epub", pages, "A & <B>")
    with zipfile.ZipFile(tmp_path / "b.epub") as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        names = set(book.namelist())
        package = ElementTree.fromstring(book.read("OEBPS/book.opf"))  # noqa: S314  (ours)
        opf = "{http://www.idpf.org/2007/opf}"
        listed = {f"OEBPS/{item.get('href')}" for item in package.iter(f"{opf}item")}
        assert listed == names - {"mimetype", "META-INF/container.xml", "OEBPS/book.opf"}
        assert len(list(package.iter(f"{opf}itemref"))) == len(pages)
        assert [title.text for title in package.iter("{http://purl.org/dc/elements/1.1/}title")] == [
            "A & <B>"
        ]
        for name in names:
            if name.endswith(".xhtml"):
                ElementTree.fromstring(book.read(name))  # noqa: S314  (ours)


def test_no_pages_and_no_room_are_one_line_and_leave_nothing(tmp_path: Path, pages: list[Path]) -> None:
    with pytest.raises(BookError, match="no pages"):
        make_book(tmp_path / "b.cbz", [], "")
    (tmp_path / "file").write_text("")
    with pytest.raises(BookError, match="cannot be written"):
        make_book(tmp_path / "file/b.cbz", pages, "")
    pages[1].write_bytes(b"no picture")
    for kind in ("pdf", "epub"):
        with pytest.raises(BookError, match=r"a\.webp: cannot be read"):
            make_book(tmp_path / f"b.{kind}", pages, "")
    pages[1].unlink()
    with pytest.raises(BookError, match=r"a\.webp: cannot be read \(No such file or directory\)"):
        make_book(tmp_path / "b.cbz", pages, "")
    assert list(tmp_path.glob("b.*")) == [tmp_path / "b.png"]


@pytest.mark.parametrize("dpi", [1, 90_000])
def test_a_resolution_that_makes_no_page_is_taken_for_unknown(tmp_path: Path, dpi: float) -> None:
    """Cameras and programs write 1; viewers show no page larger than 14 400 points (ISO 32000-1, annex C)."""
    Image.new("RGB", (600, 900)).save(tmp_path / "a.png", dpi=(dpi, dpi))
    make_book(tmp_path / "b.pdf", [tmp_path / "a.png"], "")
    with open_book(tmp_path / "b.pdf") as book:
        assert isinstance(book, PdfBook)
        assert book.sizes() == [(144, 216)]
