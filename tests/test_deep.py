"""16 bits per channel, against OpenCV, against Pillow, and against files written here byte by byte."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.imaging.deep import _bare_png
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Samples = NDArray[np.uint16]

GRAY = np.array([[[300], [65535], [0]], [[1], [32768], [255]]], np.uint16)
ALPHA = np.array([[[65535], [0], [258]], [[40000], [1], [65534]]], np.uint16)
RGB = np.concatenate([GRAY, GRAY[::-1], 65535 - GRAY], axis=2)
EVERY_VALUE = np.arange(65536, dtype=np.uint16).reshape(128, 128, 4)


def png(samples: Samples, *chunks: tuple[bytes, bytes]) -> bytes:
    """An unfiltered 16-bit PNG file with further chunks before the pixels."""
    height, width, channels = samples.shape
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">2I5B", width, height, 16, color_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    every = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in every
    )


def tiff(samples: Samples, photometric: int, further: dict[int, list[int]]) -> bytes:
    """An uncompressed 16-bit TIFF file in one strip, with further tags of type SHORT."""
    height, width, channels = samples.shape
    strip = samples.astype("<u2").tobytes()
    tags = {256: [width], 257: [height], 258: [16] * channels, 259: [1], 262: [photometric]}
    tags |= {273: [8], 277: [channels], 278: [height], 279: [len(strip)]} | further
    directory_at = 8 + len(strip)
    values_at = directory_at + 2 + 12 * len(tags) + 4
    directory, values = struct.pack("<H", len(tags)), b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}H", *numbers)
        if len(packed) > 4:
            values += packed
            packed = struct.pack("<I", values_at + len(values) - len(packed))
        directory += struct.pack("<HHI4s", tag, 3, len(numbers), packed)
    return b"II*\0" + struct.pack("<I", directory_at) + strip + directory + bytes(4) + values


def read(path: Path, data: bytes) -> Picture:
    path.write_bytes(data)
    picture = read_picture(path)
    assert picture.bits == 16
    return picture


def holds(picture: Picture, color: Samples, alpha: Samples | None = None) -> bool:
    """Whether the picture has these samples, all 16 bits of them."""
    gray = color.shape[2] == 1
    same = np.array_equal(np.rint(picture.rgb * 65535), np.repeat(color, 3, axis=2) if gray else color)
    if alpha is None:
        return same and picture.gray == gray and picture.alpha is None
    seen = picture.alpha is not None and np.array_equal(np.rint(picture.alpha * 65535), alpha[..., 0])
    return same and picture.gray == gray and seen


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_files_that_opencv_writes(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    def encoded(samples: Samples) -> bytes:
        data: bytes = cv2.imencode(suffix, samples)[1].tobytes()
        return data

    assert holds(read(tmp_path / "a", encoded(GRAY)), GRAY)
    assert holds(read(tmp_path / "a", encoded(RGB[..., ::-1])), RGB)
    bgra = EVERY_VALUE[..., [2, 1, 0, 3]]
    assert holds(read(tmp_path / "a", encoded(bgra)), EVERY_VALUE[..., :3], EVERY_VALUE[..., 3:])
    assert capfd.readouterr() == ("", "")  # OpenCV finds fault with its own TIFF files


@pytest.mark.parametrize("color", [GRAY, RGB])
def test_png_by_the_byte(tmp_path: Path, color: Samples) -> None:
    assert holds(read(tmp_path / "a", png(color)), color)
    assert holds(read(tmp_path / "a", png(np.dstack([color, ALPHA]))), color, ALPHA)


@pytest.mark.parametrize("color", [GRAY, RGB])
def test_png_with_one_transparent_value(tmp_path: Path, color: Samples) -> None:
    transparent = (b"tRNS", color[1, 1].astype(">u2").tobytes())
    alpha = np.full((2, 3, 1), 65535, np.uint16)
    alpha[1, 1] = 0
    assert holds(read(tmp_path / "a", png(color, transparent)), color, alpha)


def test_png_orientation(tmp_path: Path) -> None:
    quarter_turn = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x112, 3, 1, 6, 0) + bytes(4)
    picture = read(tmp_path / "a", png(np.dstack([RGB, ALPHA]), (b"eXIf", quarter_turn)))
    assert holds(picture, np.rot90(RGB, -1), np.rot90(ALPHA, -1))


def test_png_with_a_damaged_profile_is_read_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = read(tmp_path / "a", png(RGB, (b"iCCP", b"x\0\0" + zlib.compress(b"junk"))))
    assert holds(picture, RGB)
    assert capfd.readouterr() == ("", "")


def test_tiff_by_the_byte(tmp_path: Path) -> None:
    assert holds(read(tmp_path / "a", tiff(GRAY, 1, {})), GRAY)
    assert holds(read(tmp_path / "a", tiff(RGB, 2, {})), RGB)
    rgba = np.dstack([RGB, ALPHA])
    assert holds(read(tmp_path / "a", tiff(rgba, 2, {338: [2]})), RGB, ALPHA)


def test_tiff_in_which_white_is_zero(tmp_path: Path) -> None:
    assert holds(read(tmp_path / "a", tiff(65535 - GRAY, 0, {})), GRAY)


def test_tiff_with_a_channel_that_is_no_alpha(tmp_path: Path) -> None:
    assert holds(read(tmp_path / "a", tiff(np.dstack([RGB, ALPHA]), 2, {338: [0]})), RGB)


def test_tiff_orientation(tmp_path: Path) -> None:
    assert holds(read(tmp_path / "a", tiff(RGB, 2, {274: [6]})), np.rot90(RGB, -1))


def test_premultiplied_tiff_is_read_in_eight_bits(tmp_path: Path) -> None:
    premultiplied = np.full((2, 2, 4), (0x2000, 0x4000, 0, 0x8000), np.uint16)
    (tmp_path / "a.tif").write_bytes(tiff(premultiplied, 2, {338: [1]}))
    picture = read_picture(tmp_path / "a.tif")
    assert picture.bits == 8
    assert picture.rgb[0, 0] == pytest.approx((0.25, 0.5, 0), abs=1 / 255)
    assert picture.alpha is not None
    assert picture.alpha[0, 0] == pytest.approx(0.5, abs=1 / 255)


def test_tiff_in_planes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(RGB, 2, {284: [2]}))
    with pytest.raises(ImageError, match=r"a\.tif: 16-bit TIFF in separate planes is not supported"):
        read_picture(tmp_path / "a.tif")


def test_file_that_only_pillow_decodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(png(RGB))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(ImageError, match=r"a\.png: its 16-bit channels cannot be decoded"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_written_opencv_reads(tmp_path: Path, suffix: str, channels: int) -> None:
    values = EVERY_VALUE.astype(np.float32) / 65535
    rgb = np.repeat(values[..., :1], 3, axis=2) if channels == 1 else values[..., :3]
    picture = Picture(rgb, values[..., 3] if channels == 4 else None, gray=channels == 1, bits=16)
    path = tmp_path / f"a{suffix}"
    write_picture(path, picture)
    decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded, EVERY_VALUE[..., {1: 0, 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]])
    again = read_picture(path)
    assert again.bits == 16
    assert again.gray == picture.gray
    assert np.array_equal(again.rgb, picture.rgb)
    assert (again.alpha is None) == (picture.alpha is None)


def test_alpha_is_declared_in_tiff(tmp_path: Path) -> None:
    rgb, alpha = np.full((2, 2, 3), 0.5, np.float32), np.full((2, 2), 0.25, np.float32)
    write_picture(tmp_path / "a.tif", Picture(rgb, alpha, bits=16))
    with Image.open(tmp_path / "a.tif") as image:
        assert image.tag_v2[338] == (2,)  # not multiplied into the colours


@pytest.mark.parametrize(("name", "gray"), [("a.png", True), ("a.tif", False)])
def test_gray_with_alpha(tmp_path: Path, name: str, gray: bool) -> None:
    color, alpha = GRAY / np.float32(65535), ALPHA[..., 0] / np.float32(65535)
    write_picture(tmp_path / name, Picture(np.repeat(color, 3, axis=2), alpha, gray=True, bits=16))
    with Image.open(tmp_path / name) as image:
        assert np.array_equal(np.asarray(image.convert("RGBA")), np.dstack([GRAY >> 8] * 3 + [ALPHA >> 8]))
    again = read_picture(tmp_path / name)
    assert holds(again, GRAY if gray else np.repeat(GRAY, 3, axis=2), ALPHA)


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp", "a.webp"])
def test_other_formats_get_eight_bits(tmp_path: Path, name: str) -> None:
    write_picture(tmp_path / name, Picture(np.full((8, 8, 3), 0.3, np.float32), bits=16))
    picture = read_picture(tmp_path / name)
    assert picture.bits == 8
    assert np.abs(picture.rgb - 0.3).max() <= 1.01 / 255


def test_a_chunk_is_never_said_to_be_longer_than_the_file() -> None:
    """OpenCV makes room for as much as a chunk says, up to 4 GiB."""
    head = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + bytes(13 + 4)
    bare = _bare_png(head + (2**31 - 1).to_bytes(4, "big") + b"IDAT" + b"pixels")
    assert bare == head + (6).to_bytes(4, "big") + b"IDAT" + b"pixels"
