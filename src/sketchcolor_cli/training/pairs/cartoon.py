"""A filter that makes any picture look drawn: smooth areas, a few tones, ink lines.

It lets a network that shall see drawings learn from photographs, as the thesis's perceptual network did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Cartoon:
    """How strongly a picture is made a cartoon."""

    smoothing: float = 0.1
    """Differences of colour below about this, in [0, 1], are smoothed away; edges above it stay."""
    reach: float = 3.0
    """Standard deviation of the smoothing over places, in pixels."""
    tones: int = 8
    """Levels that lightness is rounded to."""
    ink: float = 1.0
    """Darkness of the lines, from 0 for none to 1 for black."""


def cartoonise(rgb: NDArray[np.float32], look: Cartoon | None = None) -> NDArray[np.float32]:
    """Return a picture (H, W, 3), RGB in [0, 1], as a cartoon of the same shape and range.

    Edge-preserving smoothing (bilateral filter; Tomasi and Manduchi 1998), lightness rounded to tones, ink
    where the smoothed picture is darker than its surroundings (difference of Gaussians).
    """
    look = look or Cartoon()
    smooth = cv2.bilateralFilter(np.ascontiguousarray(rgb, np.float32), -1, look.smoothing, look.reach)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0] / 100
    near = cv2.GaussianBlur(lightness, (0, 0), 0.8)
    drop = cv2.GaussianBlur(lightness, (0, 0), 2.0) - near
    lab[..., 0] = np.round(lightness * (look.tones - 1)) * (100 / (look.tones - 1))
    flat = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)
    line = look.ink * np.clip((drop - 0.02) / 0.04, 0, 1)
    return np.asarray(flat * (1 - line[..., None]), np.float32)


def any_look(rng: Generator) -> Cartoon:
    """Return a look drawn at random round the default, so that a network does not learn the filter itself."""
    return Cartoon(
        smoothing=float(rng.uniform(0.05, 0.2)),
        reach=float(rng.uniform(1.5, 4)),
        tones=int(rng.integers(5, 17)),
        ink=float(rng.choice([0.0, 0.5, 1.0])),
    )
