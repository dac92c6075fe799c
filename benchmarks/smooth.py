"""Compare the solver that evens paint out (coloring.paint.smooth) with SciPy's conjugate gradients.

    python benchmarks/smooth.py --rounds 5

Both solve the same system for an example page to the same remainder, on one thread. Prints processor time,
the median of the rounds, and how far the results are from each other.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import cg

from sketchcolor_cli.coloring.paint import smooth
from sketchcolor_cli.imaging.picture import on_paper
from sketchcolor_cli.imaging.reading import read_picture

EXAMPLES = Path(__file__).parent.parent / "examples"
STRENGTH = 4.0


def main() -> None:
    """Smooth the page both ways, by turns."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=288, help="Shorter side of the paint, in cells.")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    paint, ink = page(options.side)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(options.rounds):
        start = time.process_time()
        evened = smooth.smooth_paint(paint, ink, STRENGTH)
        ours.append(time.process_time() - start)
        start = time.process_time()
        by_scipy = with_scipy(paint, ink)
        theirs.append(time.process_time() - start)
    print(f"{paint.shape[1]}×{paint.shape[0]} cells, {options.rounds} rounds, processor time")
    print(f"ours   {1000 * statistics.median(ours):7.1f} ms")
    print(f"SciPy  {1000 * statistics.median(theirs):7.1f} ms")
    print(f"apart  {np.abs(evened - by_scipy).max():.3f} in Lab at most")


def page(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the coarse paint of an example page, Lab, with noise as a network leaves it, and its ink."""
    rgb = on_paper(read_picture(EXAMPLES / "colored" / "page 1.png"))
    scale = side / min(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    noise = np.random.default_rng(0).normal(0, 3, lab.shape).astype(np.float32)
    return lab + noise, (lab[..., 0] < 40).astype(np.float32)


def with_scipy(paint: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Return what smooth_paint does, its system built as a sparse matrix and solved by SciPy."""
    solve, smooth._solve = smooth._solve, _solved_by_scipy
    try:
        return smooth.smooth_paint(paint, ink, STRENGTH)
    finally:
        smooth._solve = solve


def _solved_by_scipy(paint: np.ndarray, sure: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    diagonal = sure.copy()
    for part, by in ((np.s_[:, :-1], across), (np.s_[:, 1:], across), (np.s_[:-1], down), (np.s_[1:], down)):
        diagonal[part] += by
    root = np.sqrt(diagonal)
    beside = np.pad(across / (root[:, :-1] * root[:, 1:]), ((0, 0), (0, 1))).ravel()[:-1]
    below = (down / (root[:-1] * root[1:])).ravel()
    width = paint.shape[1]
    ones = np.ones(paint[..., 0].size, np.float32)
    matrix = diags([ones, -beside, -beside, -below, -below], [0, 1, -1, width, -width], format="csr")
    out = np.empty_like(paint)
    for channel in range(paint.shape[2]):
        plane = paint[..., channel]
        given, start = (sure / root * plane).ravel(), (root * plane).ravel()
        # SciPy counts the remainder against what is given; ours against the remainder at the start.
        first = float(np.linalg.norm(given - matrix @ start))
        found, _ = cg(matrix, given, x0=start, rtol=0, atol=smooth._ENOUGH * first, maxiter=smooth._STEPS)
        out[..., channel] = found.reshape(plane.shape) / root
    return out


if __name__ == "__main__":
    main()
