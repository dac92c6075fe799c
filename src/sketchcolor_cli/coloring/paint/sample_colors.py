"""Sample colours for the areas that nobody gave one, by drawing from what the network holds possible.

Of a shirt that may have any colour the network's own answer is a mean, and the mean of all colours is sepia.
Here each area between the lines gets one colour that the network holds possible for it, so that the page as
a whole has each colour as often as is to be expected (``coloring.paint.assign_colors``); seen as hints, the
network then makes a picture of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sketchcolor_cli.color.lab import lab_to_rgb, rgb_to_lab
from sketchcolor_cli.coloring.page.regions import find_areas, merge_small_regions
from sketchcolor_cli.coloring.paint.assign_colors import assign_colors
from sketchcolor_cli.coloring.paint.sure_colors import quiet_tones
from sketchcolor_cli.networks.logits import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Labels = NDArray[np.int32]

_LEAST = 30  # cells; smaller areas get no colour of their own
_DARKER, _LIGHTER = 40, 16  # how far, in L*, a drawn colour may be from the lightness of its area


class Choices(NamedTuple):
    """The areas of a page on the grid of a network, and what it holds possible for each of N.

    Attributes:
        cores: (h, w), what is inside an area, off its lines.
        areas: (h, w), the number of each cell's area.
        chances: (N, Q), of each colour of the lattice.
        light: (N,), L*.
        size: (N,), as a share of the page.
    """

    cores: NDArray[np.bool_]
    areas: Labels
    chances: NDArray[np.float64]
    light: NDArray[np.float64]
    size: NDArray[np.float64]


def find_choices(logits: NDArray[np.float32], lightness: Plane, ink: Plane) -> Choices:
    """Return the areas and what is possible for them; no seed has a part in it.

    ``logits`` (Q, h, w) are those of the lattice; ``lightness`` (h, w) is L* of the network's answer, ``ink``
    (h, w) how much line there is in each cell.
    """
    cores, areas = find_areas(ink)
    count = int(areas.max()) + 1 if areas.size else 0
    if not count or not cores.any():
        nothing = np.zeros(0)
        return Choices(np.zeros_like(cores), areas, np.zeros((0, len(logits))), nothing, nothing)
    # Laid out cell by cell once, (h·w, Q), as SciPy would do for each product.
    possible = np.ascontiguousarray(softmax(logits, 0).transpose(1, 2, 0), np.float64).reshape(areas.size, -1)
    chances, light = _means(areas, possible, lightness)
    areas = merge_small_regions(areas, chances, light)
    chances, light = _means(areas, possible, lightness)
    size = np.bincount(areas.ravel(), minlength=len(light)) / areas.size
    return Choices(cores, areas, chances, light, size)


def sample_colors(
    choices: Choices,
    colors: NDArray[np.float32],
    given: NDArray[np.bool_],
    seed: int | None,
    palette: Plane | None = None,
) -> NDArray[np.float32]:
    """Return sampled colours (h, w, 4), RGB and mask, inside the areas that have none.

    ``colors`` (Q, 2) is the lattice, a*b*; ``given`` (h, w) where a colour was given, ``palette`` (Q,) how
    much of each colour a character sheet has, if there is one. Without a ``seed`` nothing is drawn: areas
    get quiet tones, with a hue as far as the network is sure of it.
    """
    cores, areas, chances, light, size = choices
    out = np.zeros((*areas.shape, 4), np.float32)
    if not len(size):
        return out
    quiet = seed is None  # what is small or beside a line has its tone, too, or would be painted grey
    if seed is None:
        tones = quiet_tones(chances, light, size, colors, areas)
    else:
        drawn = colors[assign_colors(chances, light, size, colors, seed, palette)]
        tones = np.column_stack([light, drawn])
    rgb = _shown(tones)
    free = size * areas.size >= (0 if quiet else _LEAST)
    free[areas[given]] = False
    inside = free[areas] if quiet else cores & free[areas]
    out[inside, :3] = rgb[areas[inside]]
    out[inside, 3] = 1
    return out


def _shown(lab: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return colours (N, 3), Lab, as RGB: as light as asked, or nearly so where sRGB has the colour then.

    The lightness is the mean of many colours that an area may have; a deep blue among them is darker.
    """
    steps = np.array(sorted(range(-_DARKER, _LIGHTER + 1, 4), key=abs), np.float32)
    tried = np.repeat(lab[:, None].astype(np.float32), len(steps), 1)
    tried[..., 0] = np.clip(tried[..., 0] + steps, 0, 100)
    rgb = lab_to_rgb(tried)
    off = np.linalg.norm((rgb_to_lab(rgb) - tried)[..., 1:], axis=-1)
    found = (off + 0.02 * np.abs(steps)).argmin(1)
    shown: NDArray[np.float32] = rgb[np.arange(len(lab)), found].astype(np.float32)
    return shown


def _means(
    areas: Labels, possible: NDArray[np.float64], lightness: Plane
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of what is possible, (h·w, Q), and of L*, (h, w), in each area: (N, Q) and (N,)."""
    from scipy.sparse import coo_array

    flat = areas.ravel()
    member = coo_array((np.ones(flat.size), (flat, np.arange(flat.size)))).tocsr()
    sizes = np.maximum(np.bincount(flat), 1)
    return member @ possible / sizes[:, None], member @ lightness.ravel().astype(np.float64) / sizes
