"""Palettes: read from the files that drawing programs write, and colours pulled to them."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.regular import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Colors = NDArray[np.float32]
    Lab = NDArray[np.float32]

PALETTE_SUFFIXES = frozenset({".txt", ".hex", ".gpl", ".ase", ".aco"})
"""Endings of the palette files that are read."""

_HEX = re.compile(r"#?([0-9a-fA-F]{6})(?![0-9a-fA-F])\s*(.*)")
_GPL = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?:\s+(.*)|$)")
_LIGHT = 0.5  # weight of lightness beside a* and b* in which colour is nearest: a shade of red is a red
_SOFT = 8.0  # distance in Lab over which one colour of the palette fades into the next
_BLOCK = 65_536  # pixels that are compared at once, with palettes of few colours
_FEW = 64  # colours
_MOST_BYTES, _MOST_COLORS = 2**24, 65_536


@dataclass(frozen=True)
class Swatch:
    """A colour with a name.

    Attributes:
        color: RGB in [0, 1].
        name: What it is for; empty where nothing was said.
    """

    color: tuple[float, float, float]
    name: str = ""


def read_palette(path: Path) -> Colors:
    """Return the colours of a palette file, (K, 3) RGB in [0, 1], in its order, each once; see read_swatches.

    Raises:
        DataError: The file cannot be read, is damaged, or holds no colour.
    """
    return np.array([swatch.color for swatch in read_swatches(path)], np.float32)


def read_swatches(path: Path) -> list[Swatch]:
    """Return the colours of a palette file in its order, each once, with the first of its names.

    Read are lists of hex colours, one to a line, the rest of a line being its name (.txt, .hex); GIMP and
    Krita palettes (.gpl); Adobe swatches, of which RGB, CMYK, Lab and grey (.ase) or RGB, HSB and grey
    (.aco, version 1, which has no names).

    Raises:
        DataError: The file cannot be read, is damaged, or holds no colour.
    """
    readers = {".gpl": _gpl, ".ase": _ase, ".aco": _aco}
    read = readers.get(path.suffix.lower(), _hex)
    swatches: dict[tuple[float, float, float], str] = {}
    try:
        for r, g, b, name in read(read_bytes(path, _MOST_BYTES)):
            if not (isfinite(r) and isfinite(g) and isfinite(b)):
                raise ValueError("a colour is not a number")  # noqa: TRY301
            r, g, b = (min(max(one, 0.0), 1.0) for one in (r, g, b))  # as other programs show it
            swatches.setdefault((r, g, b), name.strip())
    except (ValueError, KeyError, struct.error, IndexError) as error:
        raise DataError(f"{path}: not a palette that can be read, or damaged; save it as .gpl") from error
    if len(swatches) > _MOST_COLORS:
        raise DataError(f"{path}: has {len(swatches)} colours, more than {_MOST_COLORS}; choose fewer")
    if not swatches:
        raise DataError(f"{path}: holds no colour; write one like #c0392b on each line")
    return [Swatch(color, name) for color, name in swatches.items()]


def written(swatches: Iterable[Swatch], name: str) -> str:
    """Return swatches as the text of a GIMP palette of this name."""
    lines = ["GIMP Palette", f"Name: {' '.join(name.split())}", "Columns: 0", "#"]
    for swatch in swatches:
        steps = " ".join(f"{round(255 * value):3d}" for value in swatch.color)
        lines.append(f"{steps}\t{' '.join(swatch.name.split())}".rstrip())
    return "\n".join([*lines, ""])


Named = tuple[float, float, float, str]


def _hex(data: bytes) -> Iterator[Named]:
    for line in data.decode("utf-8-sig").splitlines():
        if found := _HEX.match(line.strip()):
            r, g, b = (int(found[1][at : at + 2], 16) / 255 for at in (0, 2, 4))
            yield r, g, b, found[2]


def _gpl(data: bytes) -> Iterator[Named]:
    text = data.decode("utf-8-sig", "replace")
    if not text.startswith("GIMP Palette"):
        raise ValueError
    for line in text.splitlines()[1:]:
        if found := _GPL.match(line):
            r, g, b = (min(int(one), 255) / 255 for one in found.groups()[:3])
            yield r, g, b, found[4] or ""


def _ase(data: bytes) -> Iterator[Named]:
    """Adobe Swatch Exchange: blocks of type, length, name, model and big-endian floats."""
    if data[:4] != b"ASEF":
        raise ValueError
    (blocks,) = struct.unpack_from(">I", data, 8)
    at = 12
    for _ in range(blocks):
        kind, length = struct.unpack_from(">HI", data, at)
        if kind == 1:
            (letters,) = struct.unpack_from(">H", data, at + 6)
            model_at = at + 8 + 2 * letters
            model = data[model_at : model_at + 4]
            count = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Gray": 1}[model]
            values = struct.unpack_from(f">{count}f", data, model_at + 4)
            name = data[at + 8 : model_at].decode("utf-16-be", "replace").rstrip("\0")
            r, g, b = _rgb_of(model, values)
            yield r, g, b, name
        at += 6 + length


def _rgb_of(model: bytes, values: tuple[float, ...]) -> tuple[float, ...]:
    if model == b"CMYK":
        return tuple(round((1 - ink) * (1 - values[3]), 6) for ink in values[:3])
    if model == b"LAB ":
        scale = 100 if values[0] <= 1 else 1
        lab = np.array([[[values[0] * scale, values[1], values[2]]]], np.float32)
        return tuple(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)[0, 0].tolist())
    return values if model == b"RGB " else 3 * values


def _aco(data: bytes) -> Iterator[Named]:
    """Adobe Color, version 1: a count, then for each a model and four words."""
    version, count = struct.unpack_from(">HH", data, 0)
    if version not in (1, 2):
        raise ValueError
    if version == 2 and len(data) < 4 + 10 * count:
        raise ValueError
    for number in range(count if version == 1 else 0):
        model, *words = struct.unpack_from(">5H", data, 4 + 10 * number)
        if model == 0:
            r, g, b = (word / 65535 for word in words[:3])
        elif model == 1:
            hsv = np.array([[[words[0] / 65535 * 360, words[1] / 65535, words[2] / 65535]]], np.float32)
            r, g, b = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist()
        elif model == 8:
            r = g = b = 1 - words[0] / 10_000
        else:
            continue
        yield r, g, b, ""


def lab_of(colors: Colors) -> Lab:
    """Return (K, 3) RGB colours as (K, 3) Lab."""
    lab: Lab = cv2.cvtColor(colors[None], cv2.COLOR_RGB2LAB)[0]
    return lab


def pull(paint: Lab, palette: Lab, strength: float) -> Lab:
    """Return paint (h, w, 3), Lab, pulled to a palette (K, 3), Lab; 0 leaves it, 1 puts it there.

    White belongs to every palette, for paper may stay paper. Between two colours of the palette that are
    about equally near the paint becomes a mixture, so that a gradient keeps no edge.
    """
    if strength <= 0:
        return paint
    white = np.array([[100, 0, 0]], np.float32)
    colors = np.concatenate([palette, white])
    scale = np.array([_LIGHT, 1, 1], np.float32)
    flat = paint.reshape(-1, 3)
    out = np.empty_like(flat)
    block = _block(len(colors))
    for start in range(0, len(flat), block):
        part = flat[start : start + block]
        far = np.linalg.norm((part[:, None] - colors) * scale, axis=2)
        weight = np.exp((far.min(1, keepdims=True) - far) * (4 / _SOFT))
        wanted = (weight @ colors) / weight.sum(1, keepdims=True)
        out[start : start + block] = part + strength * (wanted - part)
    return out.reshape(paint.shape)


def nearest(paint: Lab, palette: Lab) -> NDArray[np.intp]:
    """Return the place in a palette (K, 3), Lab, of the colour nearest to each of (N, 3)."""
    scale = np.array([_LIGHT, 1, 1], np.float32)
    place = np.empty(len(paint), np.intp)
    block = _block(len(palette))
    for start in range(0, len(paint), block):
        far = np.linalg.norm((paint[start : start + block, None] - palette) * scale, axis=2)
        place[start : start + block] = far.argmin(1)
    return place


def _block(colors: int) -> int:
    """Return how many pixels are compared at once, so that memory does not grow with the palette."""
    return max(1, _BLOCK * _FEW // max(colors, _FEW))
