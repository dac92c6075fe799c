"""CIELAB for arrays, where torch is not needed; :mod:`sketchcolor_cli.color.spaces` has it for tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sketchcolor_cli.color.matrices import DELTA, LINEAR_FROM_XYZ, XYZ_FROM_LINEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Colors = NDArray[np.floating[Any]]


def rgb_to_lab(rgb: Colors) -> Colors:
    """Convert (…, 3) RGB in [0, 1] to CIELAB under D65, in the same type (IEC 61966-2-1; CIE 15)."""
    power = ((np.maximum(rgb, 0.04045) + 0.055) / 1.055) ** 2.4
    xyz = _mixed(XYZ_FROM_LINEAR, np.where(rgb <= 0.04045, rgb / 12.92, power))
    root = np.cbrt(np.maximum(xyz, DELTA**3))
    x, y, z = np.moveaxis(np.where(xyz <= DELTA**3, xyz / (3 * DELTA**2) + 4 / 29, root), -1, 0)
    lab: Colors = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)
    return lab


def lab_to_rgb(lab: Colors) -> Colors:
    """Convert (…, 3) CIELAB under D65 to RGB, clamped to [0, 1], in the same type (CIE 15; IEC 61966-2-1)."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    y = (lightness + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], -1)
    linear = _mixed(LINEAR_FROM_XYZ, np.where(f <= DELTA, 3 * DELTA**2 * (f - 4 / 29), f**3))
    power = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    rgb: Colors = np.clip(np.where(linear <= 0.0031308, 12.92 * linear, power), 0, 1)
    return rgb


def _mixed(matrix: tuple[tuple[float, float, float], ...], colors: Colors) -> Colors:
    mixed: Colors = colors @ np.asarray(matrix, colors.dtype).T
    return mixed
