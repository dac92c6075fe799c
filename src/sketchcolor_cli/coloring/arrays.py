"""Colouring arrays in place of files and pictures: what measuring, notebooks and plugins want."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sketchcolor_cli.coloring.colorizer import Colorizer, match_forward
from sketchcolor_cli.coloring.guides.alike import Alike
from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings
from sketchcolor_cli.imaging.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward
    from sketchcolor_cli.networks.matcher import Matcher
    from sketchcolor_cli.networks.onnx_match import OnnxMatch

    Array = NDArray[np.float32]


class ArrayColorizer:
    """Colours arrays as :class:`Colorizer` colours pictures; all values are in [0, 1].

    Attributes:
        takes_sheets: Whether the network looks things up on another drawing.
    """

    def __init__(
        self, model: ColorNet | Forward, device: str = "cpu", settings: ColorizeSettings | None = None
    ) -> None:
        self.model, self.device = model, device
        # Whatever is on an array, it is to be coloured.
        self.settings = replace(settings or ColorizeSettings(), colored_pages=ColoredPages.REDO)
        self.takes_sheets = bool(model.sheet_size)
        self._alike = Alike(lambda: match_forward(self._matcher, device))

    @cached_property
    def _matcher(self) -> Matcher | OnnxMatch:
        from sketchcolor_cli.networks.backend import matcher_beside

        return matcher_beside(self.model)

    def __call__(
        self,
        page: Array,
        *,
        reference: Array | None = None,
        hints: Array | None = None,
        sheet: Array | None = None,
        work_size: int | None = None,
    ) -> Array:
        """Return the coloured page, (H, W, 3).

        ``page`` is (H, W), paper 1 and ink 0; ``reference`` (h, w, 3), a rough colouring of it in any size;
        ``hints`` (h, w, 4), RGB and alpha, of which some is transparent; ``sheet`` (h, w, 3), another
        drawing. ``work_size`` takes the place of the one in the settings.

        Raises:
            UsageError: a sheet is given and the network takes none, or the hints are nowhere transparent.
        """
        settings = replace(self.settings, work_size=work_size) if work_size else self.settings
        sheets = () if sheet is None else (Picture(sheet),)
        matcher = self._matcher if sheets else None
        color = Colorizer(
            self.model, self.device, settings, sheets=sheets, matcher=matcher, alike=self._alike
        )
        picture = Picture(np.repeat(page[..., None], 3, axis=2), gray=True)
        rough = None if reference is None else Picture(reference)
        strokes = None if hints is None else Picture(hints[..., :3], alpha=hints[..., 3])
        return color(picture, rough, strokes).rgb
