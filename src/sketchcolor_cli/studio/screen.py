"""Pictures for the screen: a page as far as it is coloured, encoded in little time."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image

from sketchcolor_cli.imaging.picture import on_paper
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.resize import shrink_to_width
from sketchcolor_cli.imaging.rows import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.colorizer import Painted
    from sketchcolor_cli.studio.known import Known
    from sketchcolor_cli.studio.look import PageFiles

    Rgb = NDArray[np.float32]

_JPEG, _FULL = 82, 92  # quality of what is looked at; at its full size as JPEG
_WEBP = {"quality": 80, "alpha_quality": 60, "method": 0}  # of what is seen for a moment


class Shown(NamedTuple):
    """A picture for the screen.

    Attributes:
        stage: spread, quick, final or variant.
        data: An encoded picture.
        media: Its type.
        size: Width and height.
        seed: Of a variant.
    """

    stage: str
    data: bytes
    media: str
    size: tuple[int, int]
    seed: int | None = None


def on_screen(stage: str, known: Known, done: Painted, width: int) -> Shown:
    """Return the coloured page at the size of the screen."""
    gray, own = known.at_width(width), done.own
    if own is not None and own.rgb.shape[:2] != gray.shape:
        own = replace(own, rgb=resized(own.rgb, gray.shape[::-1]))
    rgb = replace(done, gray=gray, own=own).rgb()
    quality = _FULL if rgb.shape[1] == known.size[1] else _JPEG
    return Shown(stage, *encoded(rgb, quality), (rgb.shape[1], rgb.shape[0]))


def as_it_is(page: PageFiles, width: int) -> Shown:
    """Return a page that stays as it is, at the size of the screen."""
    rgb = shrink_to_width(on_paper(read_picture(page.path)), width)
    return Shown("final", *encoded(rgb), (rgb.shape[1], rgb.shape[0]))


def masks_picture(known: Known) -> bytes:
    """Return what stays paper as a PNG: gutters green, bubbles red, the rest transparent."""
    masks = known.prepared.masks
    if masks is None:
        shape = (1, 1)
        return _png(np.zeros((*shape, 4), np.uint8))
    out = np.zeros((*masks.gutters.shape, 4), np.uint8)
    out[masks.gutters] = (51, 204, 77, 128)
    out[masks.bubbles] = (242, 77, 102, 128)
    return _png(out)


def encoded(values: Rgb, quality: int = _JPEG) -> tuple[bytes, str]:
    """Return RGB as JPEG, RGBA as WebP, and the type."""
    samples = cv2.convertScaleAbs(values, alpha=255)
    if samples.shape[2] == 4:
        buffer = BytesIO()
        Image.fromarray(samples).save(buffer, "WEBP", **_WEBP)
        return buffer.getvalue(), "image/webp"
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return data.tobytes(), "image/jpeg"


def _png(samples: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(samples).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
