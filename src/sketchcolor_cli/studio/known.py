"""What is known of a page before anything is painted on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sketchcolor_cli.imaging.resize import shrink_to_width

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.colorizer import Colorizer, Prepared
    from sketchcolor_cli.coloring.page.stays import Stays

    Plane = NDArray[np.float32]

SMALL = 256
"""Shorter side, in pixels, at which the first answer and small variants are computed."""
MIDDLE = 320
"""The same for variants that are wider than this, and for what strokes fill by themselves."""


@dataclass(eq=False)
class Known:
    """What is known of a page before anything is painted on it.

    Attributes:
        prepared: What stays paper, and what the network is shown.
        size: Height and width.
        stays: Why the page stays as it is without any guide, and with one; None where it is coloured.
        scaled: Smaller copies that were asked for, by width.
    """

    prepared: Prepared
    size: tuple[int, int]
    stays: tuple[Stays | None, Stays | None]
    scaled: dict[int, Plane]

    def expect_strokes(self, color: Colorizer) -> None:
        """Find out what the first stroke would have to wait for."""
        if not self.stays[True]:
            color.expect_marks(self.prepared)
            for side in (SMALL, MIDDLE):
                self.at_side(side)

    def at_width(self, width: int) -> Plane:
        """Return the page, no wider than ``width``; kept, for the next picture has the same size."""
        if width not in self.scaled:
            gray = shrink_to_width(self.prepared.gray, width)
            if len(self.scaled) > 2:  # a window that is drawn larger asks for many
                self.scaled.pop(next(iter(self.scaled)))
            self.scaled[width] = gray
        return self.scaled[width]

    def at_side(self, side: int) -> Plane:
        """Return what the network is shown, its shorter side at most ``side``."""
        shown = self.prepared.shown
        return shown.at(side / min(shown.whole.shape))
