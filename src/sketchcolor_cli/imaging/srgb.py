"""Samples of a picture file in sRGB, whatever the profile in it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageCms

from sketchcolor_cli.imaging import icc as profiles
from sketchcolor_cli.imaging.rows import in_bands, is_huge

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Samples = NDArray[np.uint8] | NDArray[np.uint16]
    Convert = Callable[[Any], FloatArray]

_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
# Profiles of sRGB made of tables differ by this much in 8-bit steps; converting would only add rounding.
_SAME_PROFILE = 2


def in_srgb(color: Samples, icc: bytes | None) -> tuple[Samples | FloatArray, Convert, bytes | None]:
    """Grey or RGB, as samples or as values; what makes sRGB in [0, 1] of them; the profile to write with."""
    if icc and color.shape[2:] != (4,) and (profile := profiles.read_profile(icc)):
        if profile.is_gray != (color.ndim == 2):
            return color, to_unit, None
        icc = profiles.srgb() if profile.is_gray else icc
        if profile.is_srgb:
            return color, to_unit, icc
        return (color, profile.to_srgb, icc) if is_huge(color) else (profile.to_srgb(color), to_unit, icc)
    samples, icc = _converted_to_srgb(color, icc)
    return samples, to_unit, icc


def _converted_to_srgb(color: Samples, icc: bytes | None) -> tuple[Samples, bytes | None]:
    """Grey or RGB in sRGB, converted in 8 bits; and the profile to write the picture with."""
    space = _space(color)
    transform = None if icc is None else _transform_to_srgb(icc, space)
    if transform is None:
        return (_by_bands(color, lambda image: image.convert("RGB")) if space == "CMYK" else color), None
    if space != "CMYK":
        levels = np.arange(0, 256, 51, dtype=np.uint8)
        probe: Samples = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
        if space == "L":
            probe = probe[..., 0]
        if np.abs(_by_bands(probe, transform.apply).astype(int) - probe).max() <= _SAME_PROFILE:
            return color, icc if space == "RGB" else profiles.srgb()
    return _by_bands(color, transform.apply), profiles.srgb()


def _transform_to_srgb(icc: bytes, space: str) -> ImageCms.ImageCmsTransform | None:
    """None for a profile that is damaged or made for other channels, which viewers pass over too."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        if profile.profile.xcolor_space.strip() != _PROFILE_SPACES[space]:
            return None
        return ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            space,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # Ink stays black; and the shortcut table that "optimising" makes for grey is 10 steps off.
            ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
        )
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None


def _by_bands(color: Samples, convert: Callable[[Image.Image], Image.Image]) -> Samples:
    """Convert samples in Pillow, some rows at a time: it holds each of them several times."""
    out = np.empty((*color.shape[:2], 3)[: 2 + (color.ndim > 2)], np.uint8)
    for rows in in_bands(color):
        rgb = np.asarray(convert(_as_image(color[rows])))
        out[rows] = rgb[..., 1] if color.ndim == 2 else rgb  # grey stays grey: three equal channels
    return out


def _space(color: Samples) -> str:
    return "L" if color.ndim == 2 else {3: "RGB", 4: "CMYK"}[color.shape[2]]


def _as_image(color: Samples) -> Image.Image:
    """Give the samples to Pillow, in 8 bits."""
    flat = color if color.dtype == np.uint8 else np.rint(color / 257).astype(np.uint8)
    return Image.frombytes(_space(color), (color.shape[1], color.shape[0]), flat.tobytes())


def to_unit(samples: Samples | FloatArray) -> FloatArray:
    """Return samples of 8 or 16 bits, or values, as values in [0, 1]."""
    peak = {"uint8": 255, "uint16": 65535, "float32": 1}[samples.dtype.name]
    unit: FloatArray = np.divide(samples, peak, dtype=np.float32, order="C")
    return unit
