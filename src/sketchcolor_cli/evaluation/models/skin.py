"""Errors on skin, by how dark the skin is.

No drawing says where its skin is. What is measured are skin-coloured areas of the true picture, which wood,
earth and hair can be, too; figures of two models on the same pictures can be compared, and groups with care.
The tone is the individual typology angle (Chardon et al. 1991), arctan((L* − 50)/b*) in degrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

TONES = {"light": (41.0, 90.0), "medium": (10.0, 41.0), "dark": (-90.0, 10.0)}
"""The groups, by typology angle: of Chardon's, very light and light; intermediate and tan; brown and dark."""

_HUE = (25.0, 80.0)  # degrees in the a*b* plane: from pink to yellowish brown
_CHROMA = (8.0, 50.0)
_LIGHTNESS = (15.0, 95.0)
_SHARE = 0.002  # of the picture; what is smaller is a detail


def skin_tones(lab: Array) -> dict[str, NDArray[np.bool_]]:
    """Return for each tone which pixels of a Lab picture (H, W, 3) are skin-coloured areas of it."""
    lightness, a, b = np.moveaxis(lab, 2, 0)
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    likely = np.ones(lightness.shape, bool)
    for values, (least, most) in ((hue, _HUE), (chroma, _CHROMA), (lightness, _LIGHTNESS)):
        likely &= (values >= least) & (values <= most)
    angle = np.degrees(np.arctan2(lightness - 50, np.maximum(b, 1e-6)))
    return {tone: _areas(likely & (angle > least) & (angle <= most)) for tone, (least, most) in TONES.items()}


def _areas(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep connected areas that are large enough, without threads and specks."""
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, facts, _ = cv2.connectedComponentsWithStats(solid)
    large = facts[:, cv2.CC_STAT_AREA] >= _SHARE * mask.size
    large[0] = False  # the ground
    return large[labels]  # type: ignore[no-any-return]
