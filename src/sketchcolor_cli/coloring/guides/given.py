"""What a user gives for one page, rough colourings of it and strokes, as hints of any size."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sketchcolor_cli.coloring.guides.layer import Layer
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.imaging.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.guides.alike import Alike
    from sketchcolor_cli.coloring.guides.areas import PointAreas
    from sketchcolor_cli.coloring.page.paper_mask import PaperMask

    Hint = NDArray[np.float32]


class Given:
    """Colours for one page; several passes over it share what was made for the first. Any thread may ask.

    ``references`` are rough colourings of the page, ``strokes`` transparent layers with strokes of colour;
    each in any size, stretched over the page. Of several the first counts where they overlap.

    Raises:
        UsageError: Strokes have no transparent parts.
    """

    def __init__(
        self,
        references: Picture | Sequence[Picture] | None = None,
        strokes: Picture | Sequence[Picture] | None = None,
    ) -> None:
        self._references, self._strokes = _layers(references), _layers(strokes)
        if any(layer.is_opaque for layer in self._strokes):
            raise UsageError(
                "the picture with the hints has no transparent parts; "
                "paint hints on a transparent layer, or pass it as --reference"
            )
        self._hints: dict[tuple[bool, tuple[int, ...]], Hint] = {}  # by what is in them, and size
        self._filled: tuple[PointAreas, Alike | None, Hint] | None = None
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._references or self._strokes)

    def hint_at(self, shape: tuple[int, ...]) -> Hint:
        """Return (h, w, 4), RGB and mask: strokes, under them the references, zero where none is opaque.

        It may be read only.
        """
        with self._lock:
            return self._hint_at(shape)

    def strokes_at(self, shape: tuple[int, ...]) -> Hint:
        """Return the same of strokes alone."""
        with self._lock:
            return self._hint_at(shape, references=False)

    @property
    def has_strokes(self) -> bool:
        """Whether there are strokes."""
        return bool(self._strokes)

    @property
    def has_strokes_alone(self) -> bool:
        """Whether there are strokes, and no references, which say something about all areas."""
        return bool(self._strokes) and not self._references

    def fill_at(
        self, areas: PointAreas, alike: Alike | None = None, masks: PaperMask | None = None
    ) -> Callable[[tuple[int, ...]], Hint]:
        """Return what gives, in any size, the colours of the areas in which strokes are.

        With ``alike`` also of those like them, but where ``masks``, always the same, keep the page paper.
        """
        with self._lock:
            if self._filled is None or self._filled[0] is not areas or self._filled[1] is not alike:
                share = None if alike is None else partial(alike.share, areas, masks)
                self._filled = areas, alike, areas.fill(self._hint_at(areas.labels.shape), share)
            fill = self._filled[2]

        def fill_at(shape: tuple[int, ...]) -> Hint:
            return cv2.resize(fill, shape[1::-1], interpolation=cv2.INTER_NEAREST)  # type: ignore[no-any-return]

        return fill_at

    def _hint_at(self, shape: tuple[int, ...], *, references: bool = True) -> Hint:
        below = self._references if references else ()
        if (key := (bool(below), shape)) not in self._hints:
            hint = np.zeros((*shape, 4), np.float32)
            for layers, least in ((below, 0.5), (self._strokes, 0)):  # the thinnest stroke counts
                for layer in reversed(layers):
                    layer.lay(hint, least)
            hint.flags.writeable = False
            self._hints[key] = hint
        return self._hints[key]


def _layers(pictures: Picture | Sequence[Picture] | None) -> list[Layer]:
    several = () if pictures is None else (pictures,) if isinstance(pictures, Picture) else pictures
    return [Layer(picture) for picture in several]
