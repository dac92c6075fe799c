"""Even out the coarse paint inside the lines: no pale halo along a line, no cloud in a flat area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

_EDGE = 7.0  # difference in Lab between neighbouring cells at which paint is meant to change, line or not
_BARRIER = 8.0  # how well ink keeps colours apart
_REACH = 2.5  # cells; nearer to a line than this the network is less sure of its colour
_UNSURE = 0.06  # weight of a cell's own colour right at a line, against 1 far from any
_STEPS = 60  # of conjugate gradients
_ENOUGH = 1e-3  # remainder, as a part of what there was at first, at which to stop


def smooth_paint(paint: NDArray[np.float32], ink: Plane, strength: float) -> NDArray[np.float32]:
    """Return paint (h, w, 3), Lab, smoothed where neither ink nor a clear change of colour stands between.

    ``ink`` (h, w) in [0, 1] is how much line there is in each cell. Solves the screened Poisson equation
    ``(W + strength·L) u = W·paint`` (as in Levin, Lischinski, Weiss 2004, "Colorization using optimization"):
    W trusts cells far from lines more than those beside one, where a network that sees paper, line and the
    other side at once makes its halos; L is the Laplacian of a grid whose edges are cut by ink and by steps
    in the paint. ``strength`` 0 changes nothing, 10 is strong.
    """
    if strength <= 0 or min(ink.shape) < 2:
        return paint
    line = (ink > 0.25).astype(np.uint8)
    far = cv2.distanceTransform(1 - line, cv2.DIST_L2, 3) if line.any() else np.full_like(ink, np.inf)
    sure = _UNSURE + (1 - _UNSURE) * np.clip((far - 0.5) / _REACH, 0, 1) ** 2
    across, down = _conductance(paint, ink, 1), _conductance(paint, ink, 0)
    return _solve(paint, sure.astype(np.float32), strength * across, strength * down)


def _conductance(paint: NDArray[np.float32], ink: Plane, axis: int) -> Plane:
    """Return how well colours flow from each cell to the next along ``axis``, one fewer than cells."""
    first, second = _ends(paint, axis)
    step = np.sqrt(((second - first) ** 2).sum(2))
    between = np.maximum(*_ends(ink, axis))
    out: Plane = np.exp(-((step / _EDGE) ** 2) - _BARRIER * between)
    return out


def _ends(grid: Plane, axis: int) -> tuple[Plane, Plane]:
    return (grid[:-1], grid[1:]) if axis == 0 else (grid[:, :-1], grid[:, 1:])


def _solve(paint: NDArray[np.float32], sure: Plane, across: Plane, down: Plane) -> NDArray[np.float32]:
    """Conjugate gradients with the diagonal as preconditioner, channel by channel.

    Unknowns and equations are divided by the root of the diagonal, which comes to the same and leaves ones
    there: a step is then little more than four products with what flows to the neighbours.
    """
    diagonal = sure.copy()
    diagonal[:, :-1] += across
    diagonal[:, 1:] += across
    diagonal[:-1] += down
    diagonal[1:] += down
    root: Plane = np.sqrt(diagonal)
    flow = _Flow(across / (root[:, :-1] * root[:, 1:]), down / (root[:-1] * root[1:]))
    given = np.divide(sure, root, dtype=np.float32)
    out = np.empty_like(paint)
    for channel in range(paint.shape[2]):
        plane = np.ascontiguousarray(paint[..., channel])
        out[..., channel] = _conjugate_gradients(flow, given * plane, root * plane) / root
    return out


class _Flow:
    """A symmetric matrix with ones in its diagonal, and what flows between neighbours beside it."""

    def __init__(self, across: Plane, down: Plane) -> None:
        # As wide as the grid, with nothing flowing out at its right: neighbours are then one and ``width``
        # places apart in memory, and each product is one loop over it.
        self.width = across.shape[1] + 1
        self.across = np.pad(across, ((0, 0), (0, 1))).ravel()[:-1]
        self.down = down.ravel()
        self.room = np.empty(len(self.across), np.float32)

    def times(self, u: Plane, out: Plane) -> None:
        """Write the product with ``u``, flat, to ``out``."""
        np.copyto(out, u)
        width, room = self.width, self.room[: len(self.down)]
        for by, first, second in ((self.across, out[:-1], u[1:]), (self.across, out[1:], u[:-1])):
            first -= np.multiply(by, second, out=self.room)
        for by, first, second in ((self.down, out[:-width], u[width:]), (self.down, out[width:], u[:-width])):
            first -= np.multiply(by, second, out=room)


def _conjugate_gradients(flow: _Flow, given: Plane, start: Plane) -> Plane:
    """Return the solution, for one channel, in half the time of SciPy's solver (benchmarks/smooth.py)."""
    found, rest = start.ravel().copy(), given.ravel().copy()
    moved = np.empty_like(found)
    flow.times(found, moved)
    rest -= moved
    move = rest.copy()
    room = np.empty_like(found)
    norm = float(rest @ rest)
    least = norm * _ENOUGH**2 + 1e-12
    for _ in range(_STEPS):
        if norm <= least:
            break
        flow.times(move, moved)
        length = np.float32(norm / max(float(move @ moved), 1e-20))
        found += np.multiply(move, length, out=room)
        rest -= np.multiply(moved, length, out=room)
        before, norm = norm, float(rest @ rest)
        move *= np.float32(norm / max(before, 1e-20))
        move += rest
    return found.reshape(start.shape)
