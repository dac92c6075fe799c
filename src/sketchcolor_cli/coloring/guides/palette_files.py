"""Palette files: read as drawing programs and style sheets write them, and written as GIMP does."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import cv2
import numpy as np

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.regular import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sketchcolor_cli.coloring.guides.palette import Colors

_HEX = re.compile(r"(#?)([0-9a-fA-F]{8}|[0-9a-fA-F]{6})(?![0-9a-fA-F])\s*(.*)")
_GPL = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?:\s+(.*)|$)")
_CSS = re.compile(r"(?:([-\w$@]{1,100})\s{0,9}:\s{0,9})?(#[0-9a-fA-F]{3,8}\b|rgba?\(([^()]{1,60})\))")
_NUMBER = re.compile(r"(\d{1,4}(?:\.\d{1,9})?)(%?)")
_MOST_BYTES, _MOST_COLORS = 2**24, 65_536

Named = tuple[float, float, float, str]


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

    Read are, by the file's ending: lists of hex colours, one to a line, the rest of a line being its name
    (.txt, .hex), also as paint.net writes them, with the opacity first; style sheets (.css), of which hex
    colours and ``rgb()``, named by their property; GIMP's palettes (.gpl); Krita's (.kpl), of which RGB,
    CMYK and grey; PaintShop's and Windows's (.pal); Adobe's swatches, of which RGB, CMYK, Lab and grey
    (.ase) or RGB, HSB and grey (.aco). Opacity is left out.

    Raises:
        DataError: The file cannot be read, is damaged, or holds no colour.
    """
    read = _READERS.get(path.suffix.lower(), _hex)
    data = read_bytes(path, _MOST_BYTES)
    swatches: dict[tuple[float, float, float], str] = {}
    try:
        for r, g, b, name in read(data):
            if not (isfinite(r) and isfinite(g) and isfinite(b)):
                raise ValueError("a colour is not a number")
            r, g, b = (min(max(channel, 0.0), 1.0) for channel in (r, g, b))  # as other programs show it
            swatches.setdefault((r, g, b), name.strip())
    except _DAMAGED as error:
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


def _hex(data: bytes) -> Iterator[Named]:
    for line in data.decode("utf-8-sig").splitlines():
        if found := _HEX.match(line.strip()):
            sign, digits, name = found.groups()
            # Of eight digits the opacity is the last two in CSS, the first two in paint.net (no sign).
            r, g, b = _of_digits(digits if sign or len(digits) == 6 else digits[2:])
            yield r, g, b, name


def _of_digits(digits: str) -> tuple[float, ...]:
    """Return the colour of 3, 4, 6 or 8 hex digits, of which the fourth part is the opacity."""
    if len(digits) < 6:
        digits = "".join(2 * digit for digit in digits)
    return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))


def _css(data: bytes) -> Iterator[Named]:
    for found in _CSS.finditer(data.decode("utf-8-sig")):
        name = (found[1] or "").lstrip("-$@")
        if found[3] is not None:
            parts = _NUMBER.findall(found[3])
            if len(parts) < 3:
                continue
            r, g, b = (float(value) / (100 if percent else 255) for value, percent in parts[:3])
            yield r, g, b, name
        elif len(found[2]) in (4, 5, 7, 9):
            r, g, b = _of_digits(found[2][1:])
            yield r, g, b, name


def _gpl(data: bytes) -> Iterator[Named]:
    text = data.decode("utf-8-sig", "replace")
    if not text.startswith("GIMP Palette"):
        raise ValueError
    yield from _steps(text.splitlines()[1:])


def _steps(lines: Iterable[str]) -> Iterator[Named]:
    """Yield the colours of lines of three numbers from 0 to 255 and a name; other lines are passed over."""
    for line in lines:
        if found := _GPL.match(line):
            r, g, b = (min(int(channel), 255) / 255 for channel in found.groups()[:3])
            yield r, g, b, found[4] or ""


def _pal(data: bytes) -> Iterator[Named]:
    """PaintShop's text, or Windows's RIFF: version, count, and four bytes for each."""
    if data[:8] == b"JASC-PAL":
        for r, g, b, _opacity in _steps(data.decode("utf-8", "replace").splitlines()[3:]):
            yield r, g, b, ""
        return
    if data[:4] != b"RIFF" or data[8:16] != b"PAL data":
        raise ValueError
    (count,) = struct.unpack_from("<H", data, 22)
    for number in range(count):
        steps = struct.unpack_from("3Bx", data, 24 + 4 * number)
        r, g, b = (step / 255 for step in steps)
        yield r, g, b, ""


def _kpl(data: bytes) -> Iterator[Named]:
    """Krita's: a ZIP archive, whose colorset.xml holds entries with a name and a colour, also in groups."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("colorset.xml") as file:
        text = file.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES or b"<!ENTITY" in text:  # which could stand for very much
        raise ValueError
    for entry in ElementTree.fromstring(text).iter("ColorSetEntry"):  # noqa: S314
        name = entry.get("name", "")
        if (rgb := next((node for node in entry if node.tag in ("RGB", "sRGB")), None)) is not None:
            yield float(rgb.get("r", "")), float(rgb.get("g", "")), float(rgb.get("b", "")), name
        elif (gray := entry.find("Gray")) is not None:
            yield *(3 * (float(gray.get("g", "")),)), name
        elif (ink := entry.find("CMYK")) is not None:
            r, g, b = _of_inks(*(float(ink.get(name, "")) for name in "cmyk"))
            yield r, g, b, name
        else:
            raise ValueError(f"the model of the colour {name!r} is not known")


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
        return _of_inks(*values)
    if model == b"LAB ":
        scale = 100 if values[0] <= 1 else 1
        lab = np.array([[[values[0] * scale, values[1], values[2]]]], np.float32)
        return tuple(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)[0, 0].tolist())
    return values if model == b"RGB " else 3 * values


def _of_inks(c: float, m: float, y: float, k: float) -> tuple[float, ...]:
    return tuple(round((1 - ink) * (1 - k), 6) for ink in (c, m, y))


def _aco(data: bytes) -> Iterator[Named]:
    """Adobe Color: a count, then for each a model and four words; once more with names in version 2."""
    version, count = struct.unpack_from(">HH", data, 0)
    at = 4
    if version == 1 and (more := 4 + 10 * count) < len(data):  # the second part says the same, and names
        version, count = struct.unpack_from(">HH", data, more)
        at = more + 4
    if version not in (1, 2):
        raise ValueError
    for _ in range(count):
        model, *words = struct.unpack_from(">5H", data, at)
        at, name = at + 10, ""
        if version == 2:
            (letters,) = struct.unpack_from(">I", data, at)
            if at + 4 + 2 * letters > len(data):
                raise ValueError
            name = data[at + 4 : at + 4 + 2 * letters].decode("utf-16-be", "replace").rstrip("\0")
            at += 4 + 2 * letters
        if (color := _of_words(model, words)) is not None:
            yield *color, name


def _of_words(model: int, words: list[int]) -> tuple[float, float, float] | None:
    """Return the colour that four words mean in one of Adobe's models; None for one that is not read."""
    if model == 0:
        return words[0] / 65535, words[1] / 65535, words[2] / 65535
    if model == 1:
        hsv = np.array([[[words[0] / 65535 * 360, words[1] / 65535, words[2] / 65535]]], np.float32)
        r, g, b = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist()
        return r, g, b
    return 3 * (1 - words[0] / 10_000,) if model == 8 else None


_READERS: dict[str, Callable[[bytes], Iterator[Named]]] = {
    ".css": _css,
    ".gpl": _gpl,
    ".kpl": _kpl,
    ".pal": _pal,
    ".ase": _ase,
    ".aco": _aco,
}
_DAMAGED = (
    ValueError,
    KeyError,
    IndexError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    ElementTree.ParseError,
)
"""What the readers above and their libraries raise for damaged bytes."""
