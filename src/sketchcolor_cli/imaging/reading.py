"""Picture files read to arrays: turning, transparency, colour profiles and depth are settled here.

Reading is forgiving about what cameras, scanners and drawing programs write, and strict about damage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ExifTags, Image

from sketchcolor_cli.compute import memory
from sketchcolor_cli.imaging.decoding import decoded, flat_samples
from sketchcolor_cli.imaging.formats import EXIF_DPI
from sketchcolor_cli.imaging.picture import Picture, gray_as_rgb
from sketchcolor_cli.imaging.rows import Rows, in_bands, is_huge
from sketchcolor_cli.imaging.srgb import in_srgb, to_unit
from sketchcolor_cli.imaging.turning import LYING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Samples = NDArray[np.uint8] | NDArray[np.uint16]
    Convert = Callable[[Any], FloatArray]


def read_picture(path: Path, name: Path | None = None) -> Picture:
    """Read a picture file of any kind in ``formats.NAMES``.

    The EXIF orientation is applied. Pictures with another colour profile than sRGB are converted to sRGB;
    PNG and TIFF with 16 bits per channel keep them, unless the profile is one of tables.

    Args:
        path: The file.
        name: What errors call it, where the user knows it by another name.

    Raises:
        ImageError: The file is missing, empty, no picture, damaged, of a kind that is not supported, or has
            more than MAX_PIXELS pixels.
        SeveralPicturesError: It is an animation, or a TIFF of several pages.
    """
    name = name or path
    image, deep, turn = decoded(path, name)
    samples, alpha = deep or flat_samples(name, image)
    icc, dpi = image.info.get("icc_profile"), _dpi(image)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    del image
    memory.give_back_after(samples.size)
    # A damaged TIFF may have a number there.
    color, convert, icc = in_srgb(turn(samples), icc if isinstance(icc, bytes) else None)
    gray = color.ndim == 2
    bare = not gray and convert is to_unit and _has_equal_channels(color)
    if bare:
        color = color[..., 0]
        alpha = None if alpha is None else alpha.copy()  # or the other channels would be held with it
    del samples
    return Picture(
        rgb=gray_as_rgb(convert(color)) if color.ndim == 2 else _held(color, convert),
        alpha=None if alpha is None else _held(turn(alpha), to_unit),
        gray=gray,
        bits=16 if deep and color.dtype != np.uint8 else 8,
        icc=icc,
        dpi=dpi[::-1] if dpi and turn in LYING else dpi,
        format=kind,
    )


def _held(samples: Samples | FloatArray, convert: Convert) -> Any:
    """Return the values that are made of samples; of a huge picture as rows."""
    return Rows(convert, samples) if is_huge(samples) else convert(samples)


def _has_equal_channels(color: Samples | FloatArray) -> bool:
    """Whether colours (H, W, 3) are greys; then one channel is held in memory."""
    for rows in in_bands(color):
        red, green, blue = (color[rows, :, place] for place in range(3))
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            return False
    return True


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        resolution = image.info["dpi"] if image.format not in EXIF_DPI else _exif_dpi(image)
        across, down = (float(value) for value in resolution)
    except Exception:  # as above
        return None
    # What no format holds, not-a-number included, is not a resolution.
    return (across, down) if 1 <= across <= 65535 and 1 <= down <= 65535 else None


def _exif_dpi(image: Image.Image) -> tuple[float, float]:
    exif = image.getexif()
    unit = {2: 1.0, 3: 2.54}[exif.get(ExifTags.Base.ResolutionUnit, 2)]
    return exif[ExifTags.Base.XResolution] * unit, exif[ExifTags.Base.YResolution] * unit
