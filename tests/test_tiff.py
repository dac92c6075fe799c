"""TIFF of several pages: taken apart and put together without a pixel being touched."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from book_files import page
from sketchcolor_cli.errors import BookError
from sketchcolor_cli.files.books.binding import bind
from sketchcolor_cli.files.books.opening import open_book
from sketchcolor_cli.files.tiff import TiffDamage, TiffWriter, count_pages, read_pages

if TYPE_CHECKING:
    from pathlib import Path


def scan(path: Path, count: int = 3, **options: object) -> Path:
    """Write what a scanner does: bilevel pages, each with a blot in another place."""
    pages = [
        Image.open(io.BytesIO(page(5 * number, size=(200, 280)))).convert("1") for number in range(count)
    ]
    facts = {"compression": "group4", "dpi": (300, 200)} | options
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:], **facts)
    return path


def frames(source: Path | io.BytesIO) -> list[tuple[object, ...]]:
    with Image.open(source) as image:
        return [
            (frame.mode, frame.size, frame.info["dpi"], frame.info["compression"], frame.tobytes())
            for frame in ImageSequence.Iterator(image)
        ]


@pytest.mark.parametrize("compression", ["raw", "group4", "group3", "tiff_lzw", "tiff_adobe_deflate"])
def test_pages_are_taken_out_as_they_stand(tmp_path: Path, compression: str) -> None:
    path = scan(tmp_path / "a.tif", compression=compression)
    assert count_pages(path) == 3
    with open_book(path) as book:
        assert [page.name for page in book.pages] == ["page 001.tif", "page 002.tif", "page 003.tif"]
        taken = [frames(io.BytesIO(b"".join(book.chunks(page)))) for page in book.pages]
    assert [frame for [frame] in taken] == frames(path)


def test_a_book_of_pages_old_and_new(tmp_path: Path) -> None:
    path = scan(tmp_path / "a.tif")
    new = Image.fromarray(np.random.default_rng(1).integers(0, 255, (280, 200, 3), np.uint8))
    new.save(tmp_path / "new.tif", compression="tiff_adobe_deflate", dpi=(300, 200))
    with open_book(path) as book:
        for name in ("b.tif", "c.tif"):
            bind(book, tmp_path / name, {1: tmp_path / "new.tif"})
        (tmp_path / "cut.tif").write_bytes((tmp_path / "new.tif").read_bytes()[:-40])
        with pytest.raises(BookError, match="cannot be taken over"):
            bind(book, tmp_path / "d.tif", {1: tmp_path / "cut.tif"})
    expected = frames(path)
    expected[1] = frames(tmp_path / "new.tif")[0]
    assert frames(tmp_path / "b.tif") == expected
    assert (tmp_path / "b.tif").read_bytes() == (tmp_path / "c.tif").read_bytes()
    assert not (tmp_path / "d.tif").exists()


def test_pages_with_the_bytes_of_numbers_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "big-endian.tif"
    image = Image.new("L", (30, 20), 77)
    tags = [
        (256, 3, 1, 30), (257, 3, 1, 20), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 20), (279, 4, 1, 600),
    ]  # fmt: skip
    rows = b"".join(
        struct.pack(">HHI", tag, kind, count)
        + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        for tag, kind, count, value in tags
    )
    path.write_bytes(
        b"MM\0*" + struct.pack(">I", 608) + image.tobytes() + struct.pack(">H", 9) + rows + bytes(4)
    )
    with Image.open(path) as read:
        assert read.tobytes() == image.tobytes()
    joined = io.BytesIO()
    with path.open("rb") as file, scan(tmp_path / "a.tif", 1).open("rb") as other:
        writer = TiffWriter(joined, 10_000)
        writer.add(read_pages(file)[0], file)
        writer.add(read_pages(other)[0], other)
    with Image.open(joined) as result:
        assert (result.n_frames, result.tobytes()) == (2, image.tobytes())


def test_large_files_are_written_with_64_bits(tmp_path: Path) -> None:
    path = scan(tmp_path / "a.tif")
    joined = io.BytesIO()
    with path.open("rb") as file:
        writer = TiffWriter(joined, 2**33)
        for page in read_pages(file):
            writer.add(page, file)
    assert joined.getvalue()[:4] == b"II+\0"
    assert frames(joined) == frames(path)
    (tmp_path / "big.tif").write_bytes(joined.getvalue())
    with open_book(tmp_path / "big.tif") as book:  # and read
        bind(book, tmp_path / "small.tif", {})
    assert frames(tmp_path / "small.tif") == frames(path)


def test_sixteen_bits_stay_as_they_are(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65535, (20, 30, 3), np.uint16)
    cv2.imwritemulti(str(tmp_path / "a.tif"), [deep, deep[::-1].copy()])
    assert count_pages(tmp_path / "a.tif") == 2
    with open_book(tmp_path / "a.tif") as book:
        [_, last] = [b"".join(book.chunks(page)) for page in book.pages]
    assert (cv2.imdecode(np.frombuffer(last, np.uint8), cv2.IMREAD_UNCHANGED) == deep[::-1]).all()


def test_a_small_copy_is_no_page(tmp_path: Path) -> None:
    large, small = Image.new("RGB", (60, 80), "red"), Image.new("RGB", (6, 8), "red")
    small.encoderinfo = {"tiffinfo": {254: 1}}
    large.save(tmp_path / "a.tif", save_all=True, append_images=[small])
    with Image.open(tmp_path / "a.tif") as image:
        assert image.n_frames == 2
    assert count_pages(tmp_path / "a.tif") == 1


def test_a_chain_without_end_is_damage(tmp_path: Path) -> None:
    path = scan(tmp_path / "a.tif", 1)
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)  # the next page is this one
    path.write_bytes(data)
    assert count_pages(path) == 1
    with pytest.raises(BookError, match="its chain of pages is damaged; save or scan it again"):
        open_book(path)


def test_a_place_beyond_the_longest_file_is_damage(tmp_path: Path) -> None:
    head = b"II" + struct.pack("<HHHQ", 43, 8, 0, 16)
    strips = struct.pack("<QHHQQQ", 1, 273, 16, 20, 2**64 - 1, 0)
    (tmp_path / "a.tif").write_bytes(head + strips + bytes(400))
    assert count_pages(tmp_path / "a.tif") == 1
    with pytest.raises(BookError, match="is cut short"):
        open_book(tmp_path / "a.tif")


@given(st.data())
def test_damage_is_told_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("damage") / "a.tif"
    content = bytearray(scan(path).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = io.BytesIO(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        pages = read_pages(file)
        for page in pages:
            TiffWriter(io.BytesIO(), 1000, page.order).add(page, file)
    except TiffDamage:
        pass
