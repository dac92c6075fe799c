"""Colour profiles made of a matrix and curves, to sRGB and back without loss of depth.

Those are the profiles of cameras, monitors and working spaces (Adobe RGB, Display P3), and those of grey
(gamma, dot gain). Pillow converts in 8 bits only, and one way is not quite the inverse of the other there.
Source: ICC.1:2010 (v4.3), 9.2 and 10.5 to 10.16; IEC 61966-2-1 for sRGB.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float32]
    Samples = NDArray[np.uint8] | NDArray[np.uint16]
    Curve = NDArray[np.float64]

_GRID = 4096
# Columns are red, green and blue of sRGB as XYZ under D50, as the ICC has them.
_SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_D50 = _SRGB.sum(1)
_NEUTRAL = 0.01  # how far the white of a matrix may be from D50
# sRGB profiles of different makers differ by this much; converting would only add rounding.
_SAME = 2 / 255


class Profile:
    """A profile of grey or RGB: a curve for each channel, then a matrix.

    Attributes:
        is_gray: Whether it is one of grey.
        is_srgb: Whether it is sRGB, or as good as.
    """

    def __init__(self, curves: list[Curve], matrix: NDArray[np.float64] | None) -> None:
        """Keep the parts: each curve takes equal steps from 0 to 1; without a matrix it is grey."""
        self.is_gray = matrix is None
        self._curves = curves
        # Between the linear RGB of this profile and that of sRGB.
        self._to_srgb = None if matrix is None else np.linalg.solve(_SRGB, matrix)
        probe = np.arange(256, dtype=np.uint8)
        if matrix is not None:  # all greys, and colours
            few = np.stack(np.meshgrid(*[probe[::51]] * 3), -1).reshape(-1, 3)
            probe = np.concatenate([np.repeat(probe[:, None], 3, 1), few])
        self.is_srgb = bool(np.abs(self.to_srgb(probe[None]) - probe / 255).max() <= _SAME)

    def to_srgb(self, samples: Samples) -> Values:
        """Convert H×W or H×W×3 samples to sRGB in [0, 1]; colours that sRGB lacks are cut off."""
        peak = np.iinfo(samples.dtype).max
        levels = np.linspace(0, 1, peak + 1)
        steps = [np.interp(levels, _steps(curve), curve).astype(np.float32) for curve in self._curves]
        if self._to_srgb is None:
            return _encoded(steps[0])[samples]
        light = np.stack([step[samples[..., place]] for place, step in enumerate(steps)], -1)
        return _encoded(light @ self._to_srgb.T.astype(np.float32))

    def from_srgb(self, values: Values) -> Values:
        """Convert H×W×3 sRGB in [0, 1] to this profile of RGB, the way back where nothing was cut off."""
        if self._to_srgb is None:
            raise ValueError("colours cannot be converted to grey")
        light = _decoded(values) @ np.linalg.inv(self._to_srgb).T.astype(np.float32)
        channels = [
            np.interp(light[..., place], curve, _steps(curve)) for place, curve in enumerate(self._curves)
        ]
        return np.stack(channels, -1).astype(np.float32)


@lru_cache(maxsize=8)
def read_profile(icc: bytes) -> Profile | None:
    """Return the profile; None for one that is damaged, or made of tables rather than a matrix."""
    try:
        return _parsed(icc)
    except (struct.error, IndexError, KeyError, ValueError, OverflowError, np.linalg.LinAlgError):
        return None


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """Return an sRGB profile, always the same to the byte."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # else the time of its making
    profile[84:100] = bytes(16)  # its checksum, which may be absent
    return bytes(profile)


def _parsed(icc: bytes) -> Profile | None:
    space, pcs = icc[16:20], icc[20:24]
    count = struct.unpack_from(">I", icc, 128)[0]
    if pcs != b"XYZ " or count > 200:
        return None
    tags = {}
    for at in range(132, 132 + 12 * count, 12):
        name, start, size = struct.unpack_from(">4s2I", icc, at)
        tags[name] = icc[start : start + size]
    if space == b"GRAY":
        return Profile([_curve(tags[b"kTRC"])], None)
    if space != b"RGB " or b"A2B0" in tags:
        return None
    matrix = np.array([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
    if np.abs(matrix.sum(1) - _D50).max() > _NEUTRAL:
        return None
    return Profile([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")], matrix)


def _xyz(tag: bytes) -> list[float]:
    return [value / 65536 for value in struct.unpack_from(">3i", tag, 8)]


def _curve(tag: bytes) -> Curve:
    """Return a tone curve at equal steps from 0 to 1, never falling, so that it can be turned round."""
    kind = tag[:4]
    grid = np.linspace(0, 1, _GRID)
    if kind == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        if count == 0:
            return grid
        points = np.array(struct.unpack_from(f">{count}H", tag, 12), np.float64)
        values = grid ** (points[0] / 256) if count == 1 else points / 65535
    elif kind == b"para":
        values = _parametric(tag, grid)
    else:
        raise ValueError("no curve")
    rising = np.maximum.accumulate(np.clip(values, 0, 1))
    if not np.isfinite(rising).all() or rising[-1] - rising[0] < 0.5:
        raise ValueError("no curve of a device")
    # Black point compensation: ink stays black.
    scaled: Curve = (rising - rising[0]) * (rising[-1] / (rising[-1] - rising[0]))
    return scaled


def _parametric(tag: bytes, x: Curve) -> Curve:
    kind = struct.unpack_from(">H", tag, 8)[0]
    count = (1, 3, 4, 5, 7)[kind]
    given = [value / 65536 for value in struct.unpack_from(f">{count}i", tag, 12)]
    g, a, b, c, d, e, f = given + [0.0] * (7 - count)
    if kind == 0:
        a = 1.0
    power: Curve = np.maximum(a * x + b, 0) ** g
    if kind >= 3:  # a straight piece up to d; only the last kind has e and f
        power = np.where(x >= d, power + e, c * x + f)
    elif kind == 2:
        power = power + c
    return power


def _steps(curve: Curve) -> Curve:
    return np.linspace(0, 1, len(curve))


def _encoded(light: Values) -> Values:
    cut = np.clip(light, 0, 1)
    values = np.where(cut <= 0.0031308, cut * 12.92, 1.055 * cut ** (1 / 2.4) - 0.055)
    return values.astype(np.float32)


def _decoded(values: Values) -> Values:
    cut = np.clip(values, 0, 1)
    light = np.where(cut <= 0.04045, cut / 12.92, ((cut + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)
