"""Which pages are given back as they are."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sketchcolor_cli.coloring.page.colored import is_colored
from sketchcolor_cli.coloring.page.drawn import is_drawn_on

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture


class Stays(StrEnum):
    """Why a page stays as it is, as users are told."""

    COLORED = "in colour already"
    BLANK = "nothing is drawn on it"


def why_it_stays(page: Picture, gray: NDArray[np.float32], *, guided: bool) -> Stays | None:
    """Return why a page stays as it is; None for one that is to be coloured.

    ``gray`` (H, W) is its luma, paper 1; ``guided``: whether the user gives colours for it, which are wanted
    whatever is drawn.
    """
    if is_colored(page):
        return Stays.COLORED
    return None if guided or is_drawn_on(gray) else Stays.BLANK
