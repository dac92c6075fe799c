"""Pages and sheets as browsers show them; always encoded again, never the file itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image

from sketchcolor_cli.imaging.picture import on_paper
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.resize import shrink_to, shrink_to_width
from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Samples = NDArray[np.uint8]

_KEPT = 3  # pictures that are kept decoded: those of a page that is looked at in pieces
_QUALITY = 86
_SPOT = 3  # pixels around a place whose median is its colour
_SAMPLE = 96  # longer side of the copy of which the commonest colours are looked for


class Part(NamedTuple):
    """A part of a picture, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Pictures:
    """Decodes pictures for the screen; any thread may ask."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, int, int], Samples] = OrderedDict()
        self._lock = threading.Lock()

    def screen(self, path: Path, width: int, kind: str = "JPEG") -> bytes:
        """Return a picture no wider than ``width``, as JPEG or WEBP."""
        return encoded(shrink_to_width(self._samples(path), width), kind)

    def whole(self, path: Path) -> bytes:
        """Return a picture at its size, as PNG."""
        return encoded(self._samples(path), "PNG")

    def part(self, path: Path, part: Part, width: int | None) -> bytes:
        """Return a part of a picture as PNG, scaled down to ``width`` if it is wider.

        Raises:
            ProblemError: There is no such part, or it is too large.
        """
        samples = self._samples(path)
        height, across = samples.shape[:2]
        left, right = max(0, part.left), min(across, part.right)
        top, bottom = max(0, part.top), min(height, part.bottom)
        if left >= right or top >= bottom:
            raise ProblemError(422, f"the page has {across}×{height} pixels; this part lies outside")
        if (right - left) * (bottom - top) > self._most:
            raise ProblemError(413, f"a part has at most {self._most} pixels; ask for several")
        piece = samples[top:bottom, left:right]
        return encoded(piece if width is None else shrink_to_width(piece, width), "PNG")

    def color(self, path: Path, x: float, y: float) -> str:
        """Return the colour at a place, from 0 to 1 across and down: the median around it."""
        samples = self._samples(path)
        row, column = (
            min(int(at * length), length - 1) for at, length in zip((y, x), samples.shape[:2], strict=True)
        )
        around = samples[max(0, row - _SPOT) : row + _SPOT + 1, max(0, column - _SPOT) : column + _SPOT + 1]
        return _hex(np.median(around.reshape(-1, 3), axis=0))

    def colors(self, path: Path, count: int) -> list[str]:
        """Return the commonest colours of a picture, without ink and paper, the commonest first."""
        small = shrink_to(self._samples(path), _SAMPLE).astype(np.float32) / 255
        lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        lab = lab[(lab[:, 0] > 20) & ((np.hypot(lab[:, 1], lab[:, 2]) > 8) | (lab[:, 0] < 90))]
        if len(lab) < count:
            return []
        cv2.setRNGSeed(0)
        criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
        _, place, centres = cv2.kmeans(lab, count, np.zeros(0), criteria, 1, cv2.KMEANS_PP_CENTERS)
        order = np.argsort(-np.bincount(place.ravel(), minlength=count))
        rgb = cv2.cvtColor(centres[order][None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
        return [_hex(255 * color.clip(0, 1)) for color in rgb]

    def _samples(self, path: Path) -> Samples:
        """Return a picture on white paper, (H, W, 3)."""
        status = path.stat()
        key = str(path), status.st_mtime_ns, status.st_size
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        samples: Samples = cv2.convertScaleAbs(on_paper(read_picture(path)), alpha=255)
        with self._lock:
            self._known[key] = samples
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return samples


def encoded(samples: Samples, kind: str) -> bytes:
    """Return samples, (H, W, 3) or (H, W, 4), as PNG, JPEG or WEBP."""
    if kind == "JPEG":
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), options)
        return data.tobytes()
    buffer = BytesIO()
    if kind == "WEBP":
        Image.fromarray(samples).save(buffer, "WEBP", quality=_QUALITY, method=1)
    else:
        Image.fromarray(samples).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def shrunk(data: bytes, width: int) -> bytes:
    """Return a picture of ours, a JPEG file, no wider than ``width``."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        image.draft("RGB", (width, 1))  # decoded at the smallest scale that is as wide
        samples = np.asarray(image.convert("RGB"))
    return encoded(shrink_to_width(samples, width), "JPEG")


def layer_of(data: bytes, most: int) -> bytes:
    """Return a rough layer or a mask that was sent as a PNG file of ours, with its transparency.

    Raises:
        ProblemError: It is not a PNG or WebP picture, or too large.
    """
    try:
        with Image.open(BytesIO(data), formats=("PNG", "WEBP")) as image:
            pixels = image.width * image.height
            samples = np.asarray(image.convert("RGBA")) if pixels <= most else None
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ProblemError(422, "the layer is not a PNG or WebP picture, or is damaged") from error
    if samples is None:
        raise ProblemError(413, f"a layer has at most {most} pixels; scale it down")
    return encoded(samples, "PNG")


def _hex(rgb: NDArray[np.floating]) -> str:
    return "#" + "".join(f"{round(float(channel)):02x}" for channel in rgb)
