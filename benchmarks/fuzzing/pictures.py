"""Readers of pictures: every kind of file, deep ones, colour profiles, masks, and sets for the FID."""

from __future__ import annotations

import importlib.util
import io
import struct
import zipfile
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageCms

from fuzzing.changes import png, tiff, words, zip_parts
from fuzzing.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from fuzzing.reader import Seeds

_MOST = 4_000_000  # pixels that are allowed here, so that a picture which is refused for its size is found cheaply


@cache
def encoded(kind: str, mode: str = "L", number: int = 0, **options: object) -> bytes:
    """Return a small picture as a file."""
    y, x = np.mgrid[:56, :40].astype(np.uint8)
    planes = [Image.fromarray((x * 5 + y * (3 + plane) + number).astype(np.uint8)) for plane in range(4)]
    image = (
        planes[0].convert(mode) if mode in ("1", "L", "P", "I;16") else Image.merge(mode, planes[: len(mode)])
    )
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def profile(kind: str) -> bytes:
    """Return a colour profile: sRGB, or one of curves and a matrix."""
    if kind == "lab":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def deep(suffix: str, channels: int) -> bytes:
    y, x = np.mgrid[:56, :40].astype(np.uint16)
    plane = (x * 1500 + y * 7).astype(np.uint16)
    samples = plane if channels == 1 else np.stack([plane] * channels, 2)
    return bytes(cv2.imencode(suffix, samples)[1])


def pngs() -> Seeds:
    tags = Image.Exif()
    tags[0x0112] = 6
    icc = profile("srgb")
    found = [encoded("PNG", mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA")]
    found += [
        encoded("PNG", "RGB", icc_profile=icc),
        encoded("PNG", "RGB", exif=tags.tobytes()),
        encoded("PNG", "P", transparency=3),
    ]
    return [(".png", data) for data in [*found, *(deep(".png", kind) for kind in (1, 3, 4)), _gray_curve()]]


def _gray_curve() -> bytes:
    """A PNG with a grey profile of one tone curve."""
    curve = b"curv\0\0\0\0" + struct.pack(">I3H", 3, 0, 30000, 65535) + b"\0\0"
    head = bytearray(132)
    head[16:24], head[36:40] = b"GRAYXYZ ", b"acsp"
    struct.pack_into(">I", head, 128, 1)
    body = bytes(head) + b"kTRC" + struct.pack(">II", 144, len(curve)) + curve
    return encoded("PNG", "L", icc_profile=len(body).to_bytes(4, "big") + body[4:])


def tiffs() -> Seeds:
    found = [
        encoded("TIFF", mode, compression=how)
        for mode in ("L", "RGB", "RGBA", "CMYK")
        for how in ("raw", "tiff_lzw", "tiff_adobe_deflate")
    ]
    found += [
        encoded("TIFF", "1", compression="group4"),
        encoded("TIFF", "RGB", compression="jpeg"),
        encoded("TIFF", "L", compression="packbits"),
    ]
    return [
        (".tif", data)
        for data in [
            *found,
            deep(".tif", 1),
            deep(".tif", 3),
            encoded("TIFF", "RGB", icc_profile=profile("srgb")),
        ]
    ]


def others() -> Seeds:
    found = [
        (".jpg", encoded("JPEG", "L")), (".jpg", encoded("JPEG", "RGB", progressive=True, icc_profile=profile("srgb"))),
        (".jpg", encoded("JPEG", "CMYK")), (".webp", encoded("WEBP", "RGB")), (".webp", encoded("WEBP", "RGBA", lossless=True)),
        (".gif", encoded("GIF", "P")), (".bmp", encoded("BMP", "RGB")), (".bmp", encoded("BMP", "P")),
        (".avif", encoded("AVIF", "RGB")),
    ]  # fmt: skip
    frames = [Image.open(io.BytesIO(encoded("PNG", "P", number))) for number in range(3)]
    for kind in ("GIF", "WEBP", "PNG"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        found.append((f".{kind.lower()}", file.getvalue()))
    return found


def painting() -> Seeds:
    """Files of painting programs and phones, as far as the libraries for them are there."""
    merged = io.BytesIO()
    with zipfile.ZipFile(merged, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/x-krita")
        archive.writestr("maindoc.xml", "<DOC/>")
        archive.writestr("mergedimage.png", encoded("PNG", "RGB"))
    found = [
        (".kra", merged.getvalue()),
        (".psd", _psd(8, 3)),
        (".psd", _psd(8, 1)),
        (".jp2", encoded("JPEG2000", "RGB")),
    ]
    if importlib.util.find_spec("psd_tools"):
        found.append((".psd", _psd(16, 3)))
    for suffix, kind, module, opener in (
        (".heic", "HEIF", "pillow_heif", "register_heif_opener"),
        (".jxl", "JXL", "pillow_jxl", ""),
    ):
        if importlib.util.find_spec(module):
            library = __import__(module)
            if opener:
                getattr(library, opener)()
            found.append((suffix, encoded(kind, "RGB")))
    return found


def _psd(depth: int, channels: int) -> bytes:
    """A Photoshop file with a merged picture that is not packed."""
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, channels, 56, 40, depth, 3 if channels > 1 else 1)
    version = b"8BIM" + struct.pack(">HHI", 1057, 0, 6) + b"\0\0\0\1\1\0"
    return (
        head
        + bytes(4)
        + struct.pack(">I", len(version))
        + version
        + bytes(4)
        + b"\0\0"
        + bytes(range(56)) * 40 * channels * (depth // 8)
    )


def read(path: Path) -> None:
    """Read a picture; what comes of it is a picture, and can be written again."""
    from sketchcolor_cli.imaging import decoding
    from sketchcolor_cli.imaging.picture import on_paper
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.imaging.writing import write_picture

    decoding.MAX_PIXELS = _MOST
    picture = read_picture(path)
    height, width = picture.rgb.shape[:2]
    assert picture.rgb.shape == (height, width, 3)
    assert min(height, width) > 0
    assert picture.alpha is None or picture.alpha.shape == (height, width)
    paper = on_paper(picture)
    assert np.isfinite(paper).all(), "values that are not numbers"
    assert -1e-3 <= paper.min() <= paper.max() <= 1 + 1e-3, "values outside of 0 to 1"
    if height * width < 100_000:
        for suffix in (".png", ".tif"):
            write_picture(path.with_name(f"out{suffix}"), picture)
            again = read_picture(path.with_name(f"out{suffix}"))
            assert again.rgb.shape == picture.rgb.shape, "it is written in another size"


def read_mask(path: Path) -> None:
    from sketchcolor_cli.coloring.guides.masks import corrected
    from sketchcolor_cli.imaging import decoding
    from sketchcolor_cli.imaging.reading import read_picture

    decoding.MAX_PIXELS = _MOST
    corrected(None, read_picture(path), (56, 40))


def read_sets(path: Path) -> None:
    """Read a picture as pytorch-fid does, and as viewers do."""
    from sketchcolor_cli.evaluation.fid.pictures import decode
    from sketchcolor_cli.evaluation.settings import Decode
    from sketchcolor_cli.imaging import decoding

    decoding.MAX_PIXELS, Image.MAX_IMAGE_PIXELS = _MOST, _MOST
    for how in Decode:
        rgb = decode(path.name, path.read_bytes(), how).rgb
        assert rgb.dtype == np.uint8
        assert rgb.ndim == 3
        assert rgb.shape[2] == 3


def sets() -> Seeds:
    return [
        *pngs()[:7],
        *others()[:5],
        (".ppm", encoded("PPM", "RGB")),
        (".pgm", encoded("PPM", "L")),
        (".pgm", b"P5 40 56 65535\n" + bytes(40 * 56 * 2)),
    ]


READERS = {
    "png": Reader(pngs, read, (png, png, png)),
    "tiff": Reader(tiffs, read, (tiff, tiff, tiff)),
    "pictures": Reader(others, read),
    "painting": Reader(painting, read, (zip_parts(png), words("8BIM", "ftyp", "heic", "jp2c", "mif1"))),
    "masks": Reader(lambda: pngs()[:6], read_mask, (png,)),
    "fid": Reader(sets, read_sets, (png,)),
}
