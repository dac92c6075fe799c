"""Pictures written to files, whole or not at all."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import ExifTags, Image

from sketchcolor_cli.errors import ImageError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX
from sketchcolor_cli.imaging import deep as sixteen
from sketchcolor_cli.imaging import icc as profiles
from sketchcolor_cli.imaging import png
from sketchcolor_cli.imaging.formats import EXIF_DPI
from sketchcolor_cli.imaging.picture import over_white
from sketchcolor_cli.imaging.rows import in_bands
from sketchcolor_cli.imaging.settings import Saving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture

    FloatArray = NDArray[np.float32]
    Samples = NDArray[np.uint8] | NDArray[np.uint16]

_ALPHA_FORMATS = frozenset({"AVIF", "PNG", "TIFF", "WEBP"})
_DEEP_FORMATS = frozenset({"PNG", "TIFF"})
LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65535}
"""Pixels that a side may have, of formats that have a limit."""
_ROWS = 64  # that are rounded at a time


def write_picture(
    path: Path,
    picture: Picture,
    saving: Saving | None = None,
    bands: Iterable[FloatArray] | None = None,
    name: Path | None = None,
) -> None:
    """Write a picture in the format that the file's ending names, making the folder if need be.

    Values are clipped to [0, 1] and rounded. Alpha, 16 bits, the single grey channel, resolution and profile
    are kept as far as the format has them; without alpha the picture is laid on white paper. The file is
    written under a temporary name in the same folder and then renamed, so it is whole or absent.

    Args:
        path: Ends in .png, .jpg, .jpeg, .jfif, .webp, .avif, .tif, .tiff or .bmp, in any case.
        picture: The picture.
        saving: What JPEG, WebP and AVIF are to keep; None for the defaults.
        bands: The rows of the picture from the top, (n, W, 3) each, to be written in place of its ``rgb``: a
            huge picture that is made on the way need never lie whole in memory as numbers.
        name: What errors call the file, where the user knows it by another name.

    Raises:
        ImageError: The format is not written or cannot hold the picture, the picture has values that are
            not numbers, or the file cannot be written.
    """
    write_bytes(path, encode_picture(name or path, picture, saving, bands), ImageError, name)


def encode_picture(
    path: Path,
    picture: Picture,
    saving: Saving | None = None,
    bands: Iterable[FloatArray] | None = None,
) -> bytes:
    """Return what :func:`write_picture` writes; errors name the path.

    Raises:
        ImageError: As for :func:`write_picture`, but for writing itself.
    """
    name = FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if name is None:
        endings = " ".join(FORMAT_OF_SUFFIX)
        raise ImageError(
            f"{path}: not a format that can be written; choose a name that ends in one of {endings}"
        )
    longest = max(picture.shape)
    if longest > LONGEST_SIDE.get(name, longest):
        raise ImageError(f"{path}: {longest} pixels are too many for one side of a {name} file; write PNG")
    whole = picture.rgb_rows
    rows = (whole[band] for band in in_bands(whole))
    try:
        return _encode(picture, name, saving or Saving(), rows if bands is None else bands)
    except _NotNumbersError as error:
        raise ImageError(
            f"{path}: not written, the picture has values that are not numbers; try full precision"
        ) from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be written as {name} ({error}); try PNG") from error


class _NotNumbersError(Exception):
    """A picture has values that are not numbers."""


def _encode(picture: Picture, name: str, saving: Saving, bands: Iterable[FloatArray]) -> bytes:
    icc = None if picture.gray else picture.icc
    profile = profiles.read_profile(icc) if icc else None
    if profile and (profile.is_srgb or profile.is_gray):
        profile = None
    deep = picture.bits == 16 and name in _DEEP_FORMATS
    parts = _samples(picture, bands, profile, deep=deep, alpha=name in _ALPHA_FORMATS)
    if name == "PNG":
        return png.encode(parts, picture.shape[0], picture.dpi, icc)
    if deep:
        return sixteen.encode_tiff(parts, picture.shape[0], picture.dpi, icc)
    options: dict[str, Any] = {}
    ratios = ":".join(saving.subsampling)
    if name == "JPEG":
        options = {"quality": saving.quality, "subsampling": ratios}
    elif name == "WEBP":
        options = {"quality": saving.quality, "lossless": saving.quality == 100}
    elif name == "AVIF":
        options = {"quality": saving.quality, "subsampling": "4:0:0" if picture.gray else ratios}
    elif name == "TIFF":
        options = {"compression": "tiff_adobe_deflate"}  # 0.6 of LZW on coloured pages
    if picture.dpi and name in EXIF_DPI:
        options["exif"] = _exif_with(picture.dpi)
    elif picture.dpi:
        options["dpi"] = picture.dpi
    if icc:
        options["icc_profile"] = icc
    buffer = BytesIO()
    _as_whole(parts, picture.shape[0]).save(buffer, name, **options)
    return buffer.getvalue()


def _as_whole(parts: Iterable[Samples], height: int) -> Image.Image:
    """Put samples (n, W, C) of rows from the top together to a picture of so many rows."""
    whole, top = None, 0
    for part in parts:
        image = Image.fromarray(part[..., 0] if part.shape[2] == 1 else part)
        whole = whole or Image.new(image.mode, (image.width, height))
        whole.paste(image, (0, top))
        top += image.height
    assert whole is not None  # noqa: S101  (no picture is without rows)
    return whole


def _exif_with(dpi: tuple[float, float]) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = dpi
    exif[ExifTags.Base.ResolutionUnit] = 2  # inch
    return exif


def _samples(
    picture: Picture,
    bands: Iterable[FloatArray],
    profile: profiles.Profile | None,
    *,
    deep: bool,
    alpha: bool,
) -> Iterator[Samples]:
    """Give what is written of a picture, (n, W, C) uint8 or uint16, of its rows from the top.

    ``profile`` is what colours are converted to, if that is needed; without ``alpha`` they are laid on paper.
    """
    top, alphas = 0, picture.alpha_rows
    for band in bands:
        if np.isnan(band.min(initial=0)):  # which is as good as looking at each
            raise _NotNumbersError
        opaque = None if alphas is None else alphas[top : top + len(band)]
        top += len(band)
        color = band if alpha or opaque is None else over_white(band, opaque)
        if profile is not None:
            color = profile.from_srgb(color)
        values = [color[..., :1] if picture.gray else color]
        if alpha and opaque is not None:
            values.append(opaque[..., None])
        whole = values[0] if len(values) == 1 else np.concatenate(values, axis=2)
        yield _to_steps(whole, 65535).astype(np.uint16) if deep else _to_bytes(whole)


def _to_bytes(values: FloatArray) -> NDArray[np.uint8]:
    """Round [0, 1] to the nearest of 0 … 255."""
    samples = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):  # few at a time, which stay in the processor's cache
        part = np.clip(values[start : start + _ROWS], 0, 1).reshape(-1, values.shape[1] * values.shape[2])
        cv2.convertScaleAbs(part, samples[start : start + _ROWS].reshape(part.shape), 255)
    return samples


def _to_steps(values: FloatArray, peak: int) -> FloatArray:
    """Scale [0, 1] to 0 … peak, so that cutting off the fraction rounds to the nearest step."""
    steps: FloatArray = np.clip(values, 0, 1)
    steps *= peak
    steps += 0.5
    return steps
