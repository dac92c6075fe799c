"""Pictures of other kinds than the common ones, and such as lack a part though nothing is cut off."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLORS = np.array(
    [[[0, 0, 0], [255, 255, 255], [255, 0, 0]], [[0, 255, 1], [12, 34, 56], [254, 128, 127]]], np.uint8
)


def refused(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(path)
    return str(caught.value).removeprefix(f"{path}: ")


def same(picture: Any, expected: NDArray[Any], tolerance: float = 1e-6) -> bool:
    return bool(np.abs(picture.rgb - expected).max() <= tolerance)


# Reading: what drawing programs, telephones and archives write


SMOOTH = np.stack(
    [*np.meshgrid(np.linspace(20, 230, 40), np.linspace(30, 200, 30)), np.full((30, 40), 90.0)], axis=-1
).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.heic", "a.jxl", "a.jp2", "a.j2k"])
def test_formats_of_telephones_and_archives(tmp_path: Path, name: str) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pytest.importorskip("pillow_jxl")
    pillow_heif.register_heif_opener()
    options = {"a.heic": {"quality": 100}, "a.jxl": {"lossless": True}}.get(name, {})
    Image.fromarray(SMOOTH).save(tmp_path / name, **options)
    picture = read_picture(tmp_path / name)
    assert picture.rgb.shape == (30, 40, 3)
    assert np.abs(picture.rgb - SMOOTH / 255).max() < 0.04
    write_picture(tmp_path / "b.png", picture)


@pytest.mark.parametrize(
    ("start", "library", "package"),
    [
        (b"\xff\x0a", "pillow_jxl", "pillow-jxl-plugin"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "pillow_heif", "pillow-heif"),
    ],
)
def test_a_library_that_is_missing_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, library: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / "a.png").write_bytes(start + bytes(100))
    assert f"pip install {package}" in refused(tmp_path / "a.png")


def test_the_merged_picture_of_a_krita_file(tmp_path: Path) -> None:
    merged = io.BytesIO()
    Image.fromarray(COLORS).save(merged, "PNG")
    with zipfile.ZipFile(tmp_path / "a.kra", "w") as archive:
        archive.writestr("mimetype", "application/x-krita")
        archive.writestr("maindoc.xml", "<DOC/>")
        archive.writestr("mergedimage.png", merged.getvalue())
    assert same(read_picture(tmp_path / "a.kra"), COLORS / 255)
    with zipfile.ZipFile(tmp_path / "a.kra", "w") as archive:
        archive.writestr("maindoc.xml", "<DOC/>")
    assert "keeps no merged picture" in refused(tmp_path / "a.kra")
    (tmp_path / "a.kra").write_bytes(b"PK\3\4" + bytes(40))
    assert "damaged" in refused(tmp_path / "a.kra")


def test_sixteen_bits_of_a_krita_file(tmp_path: Path) -> None:
    deep = np.array([[1, 65535], [258, 40_000]], np.uint16)
    with zipfile.ZipFile(tmp_path / "a.kra", "w") as archive:
        archive.writestr("mergedimage.png", cv2.imencode(".png", deep)[1].tobytes())
    picture = read_picture(tmp_path / "a.kra")
    assert picture.bits == 16
    assert same(picture, deep[..., None] / 65535)


@pytest.mark.parametrize("depth", [8, 16])
def test_the_merged_picture_of_a_photoshop_file(tmp_path: Path, depth: int) -> None:
    pytest.importorskip("psd_tools")
    (tmp_path / "a.psd").write_bytes(photoshop(SMOOTH, depth))
    picture = read_picture(tmp_path / "a.psd")
    assert same(picture, SMOOTH / 255, 1 / 255)
    (tmp_path / "a.psd").write_bytes(photoshop(SMOOTH, depth, merged=False))
    assert "keeps no merged picture; save it so that it does" in refused(tmp_path / "a.psd")


def photoshop(rgb: NDArray[np.uint8], depth: int, *, merged: bool = True) -> bytes:
    """Write a Photoshop file: header, resources (1057 says whether there is a merged picture), raw planes."""
    height, width, _ = rgb.shape
    version = struct.pack(">IB", 1, merged) + bytes(10) + struct.pack(">I", 1)
    resource = b"8BIM" + struct.pack(">HH", 1057, 0) + struct.pack(">I", len(version)) + version
    resource += bytes(len(version) % 2)
    planes = np.moveaxis(rgb, 2, 0)
    samples = planes if depth == 8 else (planes.astype(">u2") * 257)
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, depth, 3)
    parts = struct.pack(">I", 0), struct.pack(">I", len(resource)) + resource, struct.pack(">I", 0)
    return (
        head
        + b"".join(parts)
        + struct.pack(">H", 0)
        + samples.astype(samples.dtype.newbyteorder(">")).tobytes()
    )


# Reading: pictures of which a part is missing though nothing is cut off


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_whose_stream_ends_early_is_damaged(
    tmp_path: Path, interlaced: bool, share: float, depth: int
) -> None:
    height, width = 41, 30
    parts = ADAM7 if interlaced else [(0, 0, 1, 1)]
    sizes = [(-(-(width - x) // right), -(-(height - y) // down)) for x, y, right, down in parts]
    rows = b"".join((b"\0" + b"\xc8" * (wide * depth // 8)) * tall for wide, tall in sizes)
    header = struct.pack(">2I5B", width, height, depth, 0, 0, 0, interlaced)
    kept = zlib.compress(rows[: round(len(rows) * share)])
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", header), (b"IDAT", kept), (b"IEND", b"")):
        check = zlib.crc32(kind + content)
        data += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
    (tmp_path / "a.png").write_bytes(data)
    if share == 1:
        assert read_picture(tmp_path / "a.png").rgb.min() == read_picture(tmp_path / "a.png").rgb.max() > 0.7
    else:
        assert refused(tmp_path / "a.png") == "is damaged or cut short; save or copy it again"


def test_a_black_page_is_whole(tmp_path: Path) -> None:
    for mode in ("1", "L", "P", "RGB", "RGBA", "LA"):
        Image.new(mode, (30, 41)).save(tmp_path / "a.png")
        assert not read_picture(tmp_path / "a.png").rgb.any()
