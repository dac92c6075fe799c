"""How far colours move from page to page of a series."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.imaging.resize import shrink_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sketchcolor_cli.imaging.picture import Picture

    Lab = NDArray[np.float32]

_SIDE = 192  # longer side of the copy of a page that is looked at
_COLORS = 12  # of a series without a palette
_DARK, _PALE = 25.0, 8.0  # L* below which, and chroma up to which, a pixel is ink or paper and tells nothing
_NEAR = 30.0  # distance in Lab up to which a pixel is a shade of a colour
_SHADE = 20.0  # distance in Lab of two colours of a series
_PART = 0.005  # of a page that a colour must have to be on it


@dataclass(frozen=True)
class Drift:
    """One colour of a series.

    Attributes:
        color: ``#rrggbb``, the mean over all pages.
        pages: On how many pages it is.
        mean: How far it is on a page from its mean, in Lab, on average.
        worst: The same where it is farthest.
        worst_page: And the name of that page.
    """

    color: str
    pages: int
    mean: float
    worst: float
    worst_page: str

    def to_json(self) -> dict[str, Any]:
        """Put it into plain types for json.dumps."""
        return {**asdict(self), "mean": round(self.mean, 2), "worst": round(self.worst, 2)}


def drift(pages: Mapping[str, Picture], palette: NDArray[np.float32] | None = None) -> list[Drift]:
    """Return how far each colour moves across coloured pages, the farthest first.

    Colours are those of a palette (K, 3), RGB in [0, 1], or the commonest of all pages together. A colour on
    a page is the mean of the pixels that are nearest to it. Colours on a single page are left out.
    """
    seen = {name: _colors(page) for name, page in pages.items()}
    together = np.concatenate([*seen.values(), np.zeros((0, 3), np.float32)])
    if len(together) < _COLORS:
        return []
    anchors = _commonest(together) if palette is None else cv2.cvtColor(palette[None], cv2.COLOR_RGB2LAB)[0]
    means: list[dict[str, Lab]] = [{} for _ in anchors]
    for name, colors in seen.items():
        far = np.linalg.norm(colors[:, None] - anchors, axis=2)
        place = np.where(far.min(1) <= _NEAR, far.argmin(1), -1)
        for number in range(len(anchors)):
            own = colors[place == number]
            if len(own) >= _PART * _SIDE**2:
                means[number][name] = own.mean(0)
    found = [_drift(by_page) for by_page in means if len(by_page) > 1]
    return sorted(found, key=lambda drift: -drift.worst)


def small(page: Picture) -> Picture:
    """Return as much of a page as is looked at, so that not all pages need be held at full size."""
    return replace(page, rgb=shrink_to(page.rgb, _SIDE), alpha=None)


def _drift(by_page: dict[str, Lab]) -> Drift:
    middle = np.mean(list(by_page.values()), axis=0)
    off = {name: float(np.linalg.norm(mean - middle)) for name, mean in by_page.items()}
    worst = max(off, key=lambda name: off[name])
    rgb = cv2.cvtColor(middle[None, None].astype(np.float32), cv2.COLOR_LAB2RGB)[0, 0].clip(0, 1)
    color = "#" + "".join(f"{round(float(channel) * 255):02x}" for channel in rgb)
    return Drift(color, len(by_page), sum(off.values()) / len(off), off[worst], worst)


def _colors(page: Picture) -> Lab:
    """Return the colours of a page, (N, 3), without ink and paper."""
    lab: Lab = cv2.cvtColor(small(page).rgb, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return lab[(lab[:, 0] > _DARK) & (np.hypot(lab[:, 1], lab[:, 2]) > _PALE)]


def _commonest(colors: Lab) -> Lab:
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    sample = np.ascontiguousarray(colors[:: max(1, len(colors) // 50_000)])
    count = min(_COLORS, len(sample))
    _, place, centres = cv2.kmeans(sample, count, np.zeros(0), criteria, 1, cv2.KMEANS_PP_CENTERS)
    order = np.argsort(-np.bincount(place.ravel(), minlength=count))
    kept: list[Lab] = []
    for centre in centres[order]:  # what is a shade of a commoner colour is that colour, moved
        if all(np.linalg.norm(centre - color) > _SHADE for color in kept):
            kept.append(centre)
    return np.array(kept, np.float32)
