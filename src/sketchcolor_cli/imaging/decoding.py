"""Picture files decoded to samples: what is damaged, too large, or several pictures in one is refused."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from cv2.utils import logging
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from sketchcolor_cli.errors import ImageError, SeveralPicturesError
from sketchcolor_cli.files import jpeg, signatures
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.imaging import deep as sixteen
from sketchcolor_cli.imaging import formats, png
from sketchcolor_cli.imaging.rows import in_bands
from sketchcolor_cli.imaging.turning import turn_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.turning import Turn

    Samples = NDArray[np.uint8] | NDArray[np.uint16]

MAX_PIXELS = 250_000_000
"""The largest picture that is read, in pixels: A2 at 800 dpi, 3 GB as float32 RGB."""
# The modes that Pillow decodes to, and the one of three in which each is handled.
_COLOR_SPACES = {
    **dict.fromkeys(("1", "L", "LA", "La"), "L"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"), "RGB"),
    "CMYK": "CMYK",
}
_DAMAGED = "is damaged or cut short; save or copy it again"
_DECODERS = threading.Lock()


def decoded(path: Path, name: Path) -> tuple[Image.Image, tuple[Samples, Samples | None] | None, Turn]:
    """Return a file's picture, its samples where they have 16 bits, and how it is to be turned."""
    try:
        if (why := refusal(path)) is not None:
            raise ImageError(f"{name}: {why}")
        if path.stat().st_size == 0:
            raise ImageError(f"{name}: is empty (0 bytes); save or copy it again")
        with path.open("rb") as file, _decoders_prepared():
            image, inner = _decode(name, file)
            turn = turn_of(image)
            return image, sixteen.decode(name, image, inner), turn
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file; check the name") from error
    except OSError as error:
        raise ImageError(
            f"{name}: cannot be read ({error.strerror}); check it and its permissions"
        ) from error


@contextmanager
def _decoders_prepared() -> Iterator[None]:
    """Pillow's limit set to ours, and no decoder talking to the user; both are global, hence the lock."""
    with _DECODERS, warnings.catch_warnings():
        limit, level = Image.MAX_IMAGE_PIXELS, logging.getLogLevel()
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
            logging.setLogLevel(level)


def _decode(path: Path, file: BinaryIO) -> tuple[Image.Image, BinaryIO]:
    """Decode the picture, unless the header names too many pixels; return also the file that it lies in."""
    too_large = f"{path}: has more than {MAX_PIXELS / 1e6:g} million pixels; scale it down or cut it up"
    try:
        image, inner = _opened(path, file)
        if image.width * image.height <= MAX_PIXELS:
            _refuse_several(path, formats.frames(image), image)
            _refuse_many_scans(path, image, inner)
            _refuse_missing_strips(path, image)
            image.load()
            if image.format == "PNG":
                _refuse_missing_rows(path, image, inner)
            return image, inner
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{path}: {_what_else(file)}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(too_large) from error
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageError(f"{path}: {_DAMAGED}") from error
    raise ImageError(too_large)


def _opened(path: Path, file: BinaryIO) -> tuple[Image.Image, BinaryIO]:
    try:
        return formats.opened(path, file)
    except MemoryError as error:  # for a header, which is small unless it lies
        raise ImageError(f"{path}: {_DAMAGED}") from error


def _refuse_several(path: Path, count: int, image: Image.Image) -> None:
    if count > 1 and image.format == "TIFF":
        raise SeveralPicturesError(
            f"{path}: has {count} pages; save the one that is meant as a file of its own"
        )
    if count > 1:
        raise SeveralPicturesError(
            f"{path}: is an animation of {count} frames; save the one that is meant as a picture"
        )


def _refuse_many_scans(path: Path, image: Image.Image, file: BinaryIO) -> None:
    """Each scan takes the decoder a pass over all pixels, which nothing interrupts."""
    parts = formats.jpegs(image)
    if not parts:
        return
    file.seek(0)
    data = file.read()
    if any(jpeg.has_too_many_scans(data, start, stop) for start, stop in parts):
        raise ImageError(f"{path}: {jpeg.TOO_MANY}")


def _refuse_missing_strips(path: Path, image: Image.Image) -> None:
    """Refuse a TIFF that is larger than its strips: the decoder leaves the rest black, of any size."""
    if not isinstance(image, TiffImageFile) or not image.tile:
        return
    right, bottom = (max(tile.extents[side] for tile in image.tile if tile.extents) for side in (2, 3))
    if right < image.tag_v2[IMAGEWIDTH] or bottom < image.tag_v2[IMAGELENGTH]:  # before it is turned
        raise ImageError(f"{path}: {_DAMAGED}")


def _refuse_missing_rows(path: Path, image: Image.Image, file: BinaryIO) -> None:
    """Missing rows are left zero by the decoder, so that pages that end otherwise need no counting."""
    last = image.crop((0, max(0, image.height - 2), image.width, image.height)).getextrema()
    lows = [extrema[0] if isinstance(extrema, tuple) else extrema for extrema in last]
    if min(lows) == 0 and not png.is_whole(file):
        raise ImageError(f"{path}: {_DAMAGED}")


def _what_else(file: BinaryIO) -> str:
    """Return what a file is that is not a picture we read."""
    file.seek(0)
    return signatures.describe(file.read(signatures.START)) or (
        f"is not a {formats.NAMES} picture, or its beginning is damaged; save it as PNG in a picture program"
    )


def flat_samples(path: Path, image: Image.Image) -> tuple[Samples, Samples | None]:
    """Colour (H×W grey, H×W×3 RGB or H×W×4 CMYK) and alpha (H×W) of a decoded picture, uint8."""
    if image.mode not in _COLOR_SPACES:
        raise ImageError(
            f"{path}: colour mode {image.mode} is not supported; save it with 8 or 16 bits as RGB"
        )
    if image.mode in ("P", "PA") and image.palette is None:
        raise ImageError(f"{path}: is damaged, its palette is missing; save or copy it again")
    space = _COLOR_SPACES[image.mode]
    try:
        if space == "CMYK" or not image.has_transparency_data:
            return _as_array(_in_mode(image, space)), None
        layers = _as_array(_in_mode(image, space + "A"))
    except ValueError as error:  # a palette that is smaller than what it makes transparent
        raise ImageError(f"{path}: {_DAMAGED}") from error
    return (layers[..., 0] if space == "L" else layers[..., :3]), layers[..., -1]


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def _as_array(image: Image.Image) -> NDArray[np.uint8]:
    """Return a picture's samples, taken some rows at a time: all at once Pillow holds them twice."""
    count = len(image.getbands())
    out = np.empty((image.height, image.width, count)[: 3 if count > 1 else 2], np.uint8)
    for rows in in_bands(out):
        is_all = rows.stop - rows.start == image.height
        out[rows] = np.asarray(image if is_all else image.crop((0, rows.start, image.width, rows.stop)))
    return out
