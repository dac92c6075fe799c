"""PNG and TIFF files with 16 bits per channel, which Pillow cuts to 8 in colour; TIFF is also written."""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import cv2
import numpy as np
from PIL import TiffImagePlugin
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    ICCPROFILE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    PREDICTOR,
    RESOLUTION_UNIT,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    X_RESOLUTION,
    Y_RESOLUTION,
)

from sketchcolor_cli.compute import memory
from sketchcolor_cli.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    Samples = NDArray[np.uint16]


def decode(path: Path, image: Image.Image, file: BinaryIO) -> tuple[Samples, Samples | None] | None:
    """Decode the colour (H×W grey or H×W×3 RGB) and the alpha (H×W or None) of a file with 16-bit channels.

    OpenCV does it, which keeps all bits but takes some kinds of TIFF for others; those are left to Pillow.

    Args:
        path: The file's name, for errors.
        image: The same file, decoded by Pillow; its pixels are let go if they are decoded here.
        file: The same file, open.

    Returns:
        Colour and alpha, or None for any other file than PNG and TIFF with 16 bits.

    Raises:
        ImageError: The file is damaged or of a kind that neither library reads.
    """
    kind = _png_kind(file) if image.format == "PNG" else _tiff_kind(path, image)
    if kind is None:
        return None
    file.seek(0)
    data = _bare_png(file.read()) if image.format == "PNG" else file.read()
    has_alpha = image.has_transparency_data
    image.close()  # OpenCV takes twice the room that the samples have
    memory.give_back_after(3 * image.width * image.height)
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    del data
    if samples is None or samples.dtype != np.uint16 or samples.shape[:2] != (image.height, image.width):
        raise ImageError(f"{path}: its 16-bit channels cannot be decoded; save it again, as PNG")
    samples = samples.reshape(image.height, image.width, -1)  # BGR
    color = samples[..., 0] if kind.gray else samples[..., 2::-1]
    alpha = None
    if (key := image.info.get("transparency")) is not None:  # the one grey or colour that is transparent
        hit = color == key if kind.gray else np.all(color == np.array(key), axis=2)
        alpha = np.where(hit, np.uint16(0), np.uint16(65535))
    elif has_alpha:
        alpha = samples[..., 3]
    return (65535 - color if kind.inverted else color), alpha


class _Kind(NamedTuple):
    """How the colours of a file are kept."""

    gray: bool
    inverted: bool = False
    """Whether 0 is white."""


def _png_kind(file: BinaryIO) -> _Kind | None:
    """Return the kind of a PNG file; None if it has not 16 bits."""
    file.seek(24)
    depth, color_type = file.read(2)
    return _Kind(gray=color_type in {0, 4}) if depth == 16 else None  # grey, grey with alpha


def _tiff_kind(path: Path, image: Image.Image) -> _Kind | None:
    """Return the kind of a TIFF file; None if it has not 16 bits, or is nothing that OpenCV reads rightly."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    tags = image.tag_v2
    if set(tags.get(BITSPERSAMPLE, ())) != {16}:
        return None
    if tags.get(PLANAR_CONFIGURATION) == 2 and tags[SAMPLESPERPIXEL] > 1:
        raise ImageError(f"{path}: 16-bit TIFF in separate planes is not supported; save it interleaved")
    photometric = tags.get(PHOTOMETRIC_INTERPRETATION)
    if photometric not in {0, 1, 2} or 1 in tags.get(EXTRASAMPLES, ()):
        return None  # neither grey nor RGB, or premultiplied
    return _Kind(gray=photometric != 2, inverted=photometric == 0)


def _bare_png(data: bytes) -> bytes:
    """Keep nothing but the pixels: libpng complains on stderr about much of the rest.

    A chunk that says it is longer than the file is as long as what is left: OpenCV would make room for 4 GiB.
    """
    kept, start = [data[:8]], 8
    while start < len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        if kind in {b"IHDR", b"IDAT", b"IEND"}:
            length = min(end, len(data) + 4) - start - 12
            kept.append(length.to_bytes(4, "big") + data[start + 4 : end])
        start = end
    return b"".join(kept)


def encode_tiff(
    parts: Iterable[NDArray[Any]], height: int, dpi: tuple[float, float] | None, icc: bytes | None
) -> bytes:
    """Encode samples (grey, grey and alpha, RGB or RGBA) as a 16-bit TIFF file, one deflated strip.

    Source: TIFF revision 6.0 and Adobe's technical note on Deflate.

    Args:
        parts: (n, W, C) each, some rows from the top.
        height: How many rows there are.
        dpi: Dots per inch across and down, or None.
        icc: The profile, or None.
    """
    packer, packed = zlib.compressobj(), []
    for part in parts:
        # Few programs read grey with alpha at this depth.
        samples = part[..., [0, 0, 0, 1]] if part.shape[2] == 2 else part
        _, width, count = samples.shape
        differences = samples.copy()
        differences[:, 1:] -= samples[:, :-1]
        packed.append(packer.compress(differences.astype("<u2").tobytes()))
    strip = b"".join([*packed, packer.flush()])
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[IMAGEWIDTH] = width
    tags[IMAGELENGTH] = height
    tags[BITSPERSAMPLE] = (16,) * count
    tags[COMPRESSION] = 8  # Deflate
    tags[PHOTOMETRIC_INTERPRETATION] = 1 if count == 1 else 2  # black is zero, or RGB
    tags[STRIPOFFSETS] = 0  # counted from the end of the tags
    tags[SAMPLESPERPIXEL] = count
    tags[ROWSPERSTRIP] = height
    tags[STRIPBYTECOUNTS] = len(strip)
    tags[PREDICTOR] = 2  # horizontal differences
    if count == 4:
        tags[EXTRASAMPLES] = 2  # alpha that the colours are not multiplied by
    if dpi:
        tags[X_RESOLUTION], tags[Y_RESOLUTION] = dpi
        tags[RESOLUTION_UNIT] = 2  # inch
    if icc:
        tags[ICCPROFILE] = icc
    buffer = BytesIO()
    tags.save(buffer)
    return buffer.getvalue() + strip
