"""A JPEG of very many scans is refused wherever it lies: each takes the decoder a pass over all pixels."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from book_files import write_tar
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.errors import BookError, ImageError
from sketchcolor_cli.evaluation.fid.pictures import decode
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.books.pdf_writer import PdfWriter
from sketchcolor_cli.imaging.reading import read_picture

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 64
REFUSED = "has over 500 scans, which no program writes; save it again"


def jpeg(more: int, beyond: int = 0) -> bytes:
    """Return a progressive JPEG with its last scan so many times more, also after its end."""
    file = io.BytesIO()
    Image.fromarray(np.full((SIDE, SIDE), 90, np.uint8)).save(file, "JPEG", progressive=True)
    plain = file.getvalue()
    at = plain.rindex(b"\xff\xda")
    scan = plain[at : at + 2 + plain[at + 3]] + b"\0"
    return plain[:-2] + more * scan + plain[-2:] + beyond * scan


def tiff(*strips: bytes) -> bytes:
    """Return a grey TIFF whose strips, one above the other, are JPEG."""
    count, at = len(strips), 8 + 2 + 12 * 9 + 4
    lengths = [len(strip) for strip in strips]
    starts = [at + 8 * count + sum(lengths[:n]) for n in range(count)]
    tags = [
        (256, SIDE),
        (257, SIDE * count),
        (258, 8),
        (259, 7),
        (262, 1),
        (273, starts if count > 1 else starts[0]),
        (277, 1),
        (278, SIDE),
        (279, lengths if count > 1 else lengths[0]),
    ]
    fields, tables = b"", b""
    for tag, value in tags:
        listed = value if isinstance(value, list) else [value]
        place = at + len(tables) if isinstance(value, list) else value
        fields += struct.pack("<2H2I", tag, 4, len(listed), place)
        tables += struct.pack(f"<{count}I", *value) if isinstance(value, list) else b""
    tables = tables.ljust(8 * count, b"\0")
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + fields + bytes(4) + tables + b"".join(strips)


def write_pdf(path: Path, picture: Path) -> None:
    with path.open("wb") as file:
        writer = PdfWriter(file)
        writer.add_page(picture, (72.0, 72.0))
        writer.finish({}, [])


def test_in_a_file_of_its_own(tmp_path: Path) -> None:
    """3 000 in 14 kB keep a page of 4 megapixels busy for seconds; what is after the end is no scan."""
    path = tmp_path / "page.jpg"
    path.write_bytes(jpeg(400, beyond=400))
    assert read_picture(path).rgb.shape == (SIDE, SIDE, 3)
    path.write_bytes(jpeg(600))
    with pytest.raises(ImageError, match=REFUSED):
        read_picture(path)


def test_in_any_strip_of_a_tiff(tmp_path: Path) -> None:
    path = tmp_path / "page.tif"
    path.write_bytes(tiff(jpeg(0)))
    assert read_picture(path).rgb.shape == (SIDE, SIDE, 3)
    path.write_bytes(tiff(jpeg(0), jpeg(0)))
    assert read_picture(path).rgb.shape == (2 * SIDE, SIDE, 3)
    for strips in ([jpeg(600)], [jpeg(0), jpeg(600)]):
        path.write_bytes(tiff(*strips))
        with pytest.raises(ImageError, match=REFUSED):
            read_picture(path)


def test_on_a_page_of_a_pdf(tmp_path: Path) -> None:
    picture = tmp_path / "page.jpg"
    for more in (0, 600):
        picture.write_bytes(jpeg(more))
        write_pdf(tmp_path / f"{more}.pdf", picture)
    for more in (0, 600):
        book = open_book(tmp_path / f"{more}.pdf")
        try:
            if not more:
                assert book.open(book.entries[0]).read(2) == b"II"
                continue
            with pytest.raises(BookError, match=rf"page 001\.tif: a picture in it {REFUSED}"):
                book.open(book.entries[0])
        finally:
            book.close()


def test_in_a_shard(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"1.color.jpg": jpeg(0), "2.color.jpg": jpeg(600)})
    shard = ShardSet([tmp_path / "a.tar"])
    assert shard.color(0).shape == (SIDE, SIDE, 3)
    with pytest.raises(ImageError, match=REFUSED):
        shard.color(1)


def test_among_pictures_to_be_measured() -> None:
    assert decode("a.jpg", jpeg(0)).rgb.shape == (SIDE, SIDE, 3)
    with pytest.raises(ImageError, match=REFUSED):
        decode("a.jpg", jpeg(600))
