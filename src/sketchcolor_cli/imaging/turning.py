"""How a picture is turned that a camera or scanner took lying: what EXIF says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ExifTags, Image

from sketchcolor_cli.imaging import formats

if TYPE_CHECKING:
    from collections.abc import Callable

    Turn = Callable[[Any], Any]


def _turned_right(samples: Any) -> Any:
    return np.rot90(samples, -1)


def _turned_left(samples: Any) -> Any:
    return np.rot90(samples)


def _upside_down(samples: Any) -> Any:
    return np.rot90(samples, 2)


def _transposed(samples: Any) -> Any:
    return np.swapaxes(samples, 0, 1)


def _transversed(samples: Any) -> Any:
    return np.swapaxes(np.rot90(samples, 2), 0, 1)


_TURNS: dict[int, Callable[[Any], Any]] = {
    2: np.fliplr,
    3: _upside_down,
    4: np.flipud,
    5: _transposed,
    6: _turned_right,
    7: _transversed,
    8: _turned_left,
}
# Turns that make a standing picture of a lying one.
LYING = (_transposed, _turned_right, _transversed, _turned_left)


def turn_of(image: Image.Image) -> Turn:
    """Find the turn that EXIF asks for (TIFF decoders have done it by now, and taken the tag away)."""
    if image.format in formats.TURNED:
        return np.asarray
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF data, of which Pillow raises nearly anything, is as good as none
        orientation = 1
    return _TURNS.get(orientation, np.asarray)
